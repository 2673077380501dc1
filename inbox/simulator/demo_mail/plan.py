"""The plan of one made-up letter: who writes what, how it is packed, and what must become of it."""

from dataclasses import dataclass
from enum import StrEnum

from inbox.simulator.demo_mail.expectations import Expectation

AUTHORITY = "Offl. § 13 jf. fvl. § 13"


class Comes(StrEnum):
    """When a letter reaches the gateway."""

    AT_START = "at the start"
    WHEN_TAKEN = "when the letter it follows has been taken"
    """Its DELETE has been carried out."""
    WHEN_ANSWERED = "when the sender of the letter it follows has a kvittering"


class Packing(StrEnum):
    """What is particular about the package."""

    GENUINE = "genuine"
    MODERN = "modern"
    """Another dialect, and SHA-256."""
    SVARINN = "svarinn"
    """On DPF: signed by the own gateway, and with a bare arkivmelding."""
    BARE = "bare"
    """An arkivmelding that lacks nearly every field."""
    LARGE = "large"
    """40 MB."""
    GRADED = "graded"
    """With a protective grade (beskyttelsesgrad)."""
    BROKEN = "broken"
    """One bit of the signature is wrong."""
    SUPPLIED = "supplied"
    """Sent and signed by a supplier that nobody has listed."""
    LOST = "lost"
    """The gateway cannot find the file when it is asked for."""
    OTHER_BYTES = "other bytes"
    """Another package under the id of the letter that it follows."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One letter as it is thought up; it has no ids, times or signatures yet."""

    name: str
    sender: str
    title: str
    public: str | None
    """The public title: often masked, sometimes the real one."""
    lines: tuple[str, ...]
    """What stands in the main document."""
    expect: Expectation
    main: str = "brev.pdf"
    attachments: tuple[str, ...] = ()
    unit_named: str | None = None
    """The unit of ours that the sender writes to."""
    authority: str | None = AUTHORITY
    our_reference: str | None = None
    packing: Packing = Packing.GENUINE
    comes: Comes = Comes.AT_START
    follows: str | None = None
    resends: str | None = None
    """The letter whose documents it has, to the byte."""
    again: bool = False
    """The transport delivers it once more after it was taken."""
