"""The findings of checking a package, kept apart from the decision about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import ClassVar, Final

from inbox.domain import OrgNumber
from inbox.errors import PackageRejected
from inbox.package.codes.importance import most_important
from inbox.package.codes.registry import CODES

__all__ = [
    "CODES",
    "AlgorithmClass",
    "PackageQuarantined",
    "Shape",
    "Signer",
    "SignerIs",
    "Verdict",
    "VerdictBuilder",
]

_DESCRIBED: Final = {"use_attribute_docstrings": True}
"""What is said of a field here is also said of it in the published schema."""


class AlgorithmClass(StrEnum):
    """How strong the signature over the manifest is; file digests are always SHA-256 or better."""

    MODERN = "modern"
    LEGACY_SHA1 = "legacy-sha1"
    """What the whole country signs with: accepted in its narrow shape only, and counted."""


class SignerIs(StrEnum):
    """What the signer is to the sender."""

    SENDER = "sender"
    SUPPLIER = "supplier"
    """Listed as signing for the sender."""
    OWN_GATEWAY = "own_gateway"
    """DPF: our own gateway packed and signed it, which says nothing about origin."""
    STRANGER = "stranger"


class Shape(StrEnum):
    """Which of the dialects an arkivmelding is written in (reference §5.6)."""

    ORDINARY = "ordinary"
    SVARINN = "svarinn"
    """Made by our own gateway out of a SvarInn shipment: little of it is the sender's."""
    NEWER = "newer"
    """Later Noark words in the same namespace (`registrering`, `part`)."""


@dataclass(frozen=True, kw_only=True)
class Signer:
    """One certificate that signed the package."""

    __pydantic_config__: ClassVar[dict[str, bool]] = _DESCRIBED

    org_number: OrgNumber | None
    name: str | None
    """The organisation's name; None unless the certificate names an organisation by number."""
    serial: str
    """The certificate's serial number in hexadecimal digits."""
    issuer: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Integrity (is it what was signed?) and trust (by whom?) are two answers; None: not asked.

    It holds codes, and names of signers: nothing of what the message says.
    """

    __pydantic_config__: ClassVar[dict[str, bool]] = _DESCRIBED

    container: bool | None = None
    """Whether the container is whole and of the kind that eFormidling uses."""
    integrity: bool | None = None
    """Whether every file is what was signed, and every signature right."""
    algorithm_class: AlgorithmClass | None = None
    """That of the weakest signature."""
    signers: tuple[Signer, ...] = ()
    chain: bool | None = None
    """Whether the certificates were issued by somebody trusted, valid, and meant for signing."""
    revocation: bool | None = None
    """True: shown not to be revoked."""
    signer_is: SignerIs | None = None
    shape: Shape | None = None
    """The dialect of arkivmelding.xml; None where it was not read."""
    schema: bool | None = None
    """Whether arkivmelding.xml fits a published schema. It need not: nothing is refused for it."""
    schema_places: tuple[str, ...] = ()
    """The elements where it does not, by the schema's own names, each once; a few of them."""
    problems: tuple[str, ...] = ()
    """What does not fit between the files and arkivmelding.xml, as codes: said, not refused."""
    notes: tuple[str, ...] = ()
    """How the package departs from the ordinary without being refused for it, as codes."""
    waived: tuple[str, ...] = ()
    """The codes that two persons let pass."""
    code: str | None = None
    """Why it was refused, if it was."""

    def as_json(self) -> dict[str, object]:
        """The verdict in plain values, stable names."""
        return asdict(self)


class PackageQuarantined(PackageRejected):
    """The package was refused; `verdict` holds what had been found until then."""

    def __init__(self, code: str, reason: str = "", *, verdict: Verdict) -> None:
        super().__init__(code, reason)
        self.verdict = verdict


@dataclass(kw_only=True)
class VerdictBuilder:
    """A verdict under construction: what was found so far survives a refusal."""

    waivers: frozenset[str] = frozenset()
    container: bool | None = None
    integrity: bool | None = None
    algorithm_class: AlgorithmClass | None = None
    signers: tuple[Signer, ...] = ()
    chain: bool | None = None
    revocation: bool | None = None
    signer_is: SignerIs | None = None
    shape: Shape | None = None
    schema: bool | None = None
    schema_places: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    waived: list[str] = field(default_factory=list)
    objections: dict[str, str] = field(default_factory=dict)
    """The codes that could be waived and are not, with the reason: all of them are looked for."""

    def reject_unless_waived(self, code: str, reason: str = "") -> None:
        """Refuse the package with this code, unless the code is waived: then only record it.

        What nobody may waive is refused at once; for the rest the package is read to its end, so
        that the reason that matters most is reported.
        """
        if not CODES[code].waivable:
            raise PackageRejected(code, reason)
        if code not in self.waivers:
            self.objections.setdefault(code, reason)
        elif code not in self.waived:
            self.waived.append(code)

    def verdict(self, code: str | None = None) -> Verdict:
        """The verdict so far."""
        return Verdict(
            container=self.container,
            integrity=self.integrity,
            algorithm_class=self.algorithm_class,
            signers=self.signers,
            chain=self.chain,
            revocation=self.revocation,
            signer_is=self.signer_is,
            shape=self.shape,
            schema=self.schema,
            schema_places=self.schema_places,
            problems=self.problems,
            notes=tuple(dict.fromkeys(self.notes)),
            waived=tuple(self.waived),
            code=code,
        )

    @contextmanager
    def quarantine_on_rejection(self) -> Iterator[None]:
        """Turn a rejection, or objections, into `PackageQuarantined` with the verdict so far.

        Of several reasons the one that matters most is its code.
        """
        found: PackageRejected | None = None
        try:
            yield
        except PackageRejected as error:
            found = error
        reasons = self.objections if found is None else {found.code: found.reason} | self.objections
        if not reasons:
            return
        code = most_important(reasons)
        raise PackageQuarantined(code, reasons[code], verdict=self.verdict(code)) from found
