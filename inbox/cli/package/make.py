"""Makes a document package from a folder, signed with a test key, to test sending to us."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from inbox.domain import parse_org_number
from inbox.errors import Invalid
from inbox.language import TextLanguage
from inbox.package import inspect
from inbox.package.arkivmelding.documents import media_type_of
from inbox.package.explanations import explain_code
from inbox.package.inputs import Limits
from inbox.package.verdict import PackageQuarantined
from inbox.simulator.packages.arkivmelding import ArkivmeldingLetter, arkivmelding_xml
from inbox.simulator.packages.builder import (
    ARKIVMELDING_XML,
    Dialect,
    Parcel,
    ParcelDocument,
    write_package,
)
from inbox.simulator.packages.certificates import TestAuthority

_BLOCK: Final = 1 << 20


@dataclass(frozen=True, kw_only=True)
class MakeRequest:
    """The parameters of the package to make."""

    folder: Path
    sender: str
    receiver: str
    dialect: str
    trust: Path | None


def make_package(order: MakeRequest, out: Path) -> int:
    """Write the package to a new file and, if asked for, the trust folder for it.

    Returns the number of documents.

    Raises `Invalid`, and then nothing is left of it.
    """
    authority = TestAuthority()
    try:
        files = dict(_files(order.folder))
        parcel = _parcel(order, files, authority)
        with out.open("xb") as made:
            _write_checked(made, out, parcel)
        if order.trust:
            _write_trust(order.trust, out.stem, authority)
    except OSError as error:
        raise Invalid("package.file", error.strerror or "it cannot be read or written") from error
    return len(parcel.documents)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file by its name in the package, the way there included."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not name.isprintable():  # neither XML nor UTF-8 has a place for all such characters
            raise Invalid("package.name", "a file name has characters that cannot be written")
        if path.is_file():
            yield name, path


def _parcel(order: MakeRequest, files: dict[str, Path], authority: TestAuthority) -> Parcel:
    written = files.pop(ARKIVMELDING_XML, None)
    now = datetime.now(UTC)
    _check_sizes(files)
    return Parcel(
        sender=parse_org_number(order.sender),
        receiver=parse_org_number(order.receiver),
        signer=authority.issue(order.sender),
        documents=tuple(
            ParcelDocument(name, media_type_of(name), partial(_blocks, path))
            for name, path in files.items()
        ),
        arkivmelding=written.read_bytes() if written else _sample_arkivmelding(tuple(files), now),
        dialect=Dialect(order.dialect),
        signed_at=now,
    )


def _check_sizes(files: dict[str, Path]) -> None:
    """Before anything is written, and before the writer meets what it cannot write."""
    limits = Limits()
    size = sum(path.stat().st_size for path in files.values())
    if size > limits.max_container_bytes or len(files) > limits.max_entries:
        raise Invalid("package.too_large", f"{len(files)} files with {size} bytes")


def _sample_arkivmelding(names: tuple[str, ...], now: datetime) -> bytes:
    letter = ArkivmeldingLetter(
        message_id=str(uuid.uuid4()),
        file_names=names,
        title="Testmelding",
        public_title="Testmelding",
        case_title="Testsak",
        case_public_title="Testsak",
        at=now,
    )
    return arkivmelding_xml(letter)


def _write_checked(made: BinaryIO, out: Path, parcel: Parcel) -> None:
    """Write it, and look at it as its receiver would."""
    try:
        write_package(made, parcel)
        made.flush()
        with out.open("rb") as source:
            held = inspect(source, limits=Limits()).code
    except PackageQuarantined as refused:
        held = refused.code
    except BaseException:
        out.unlink()
        raise
    if held:
        out.unlink()
        raise Invalid(
            "package.contents",
            f"it would be refused for {held}: {explain_code(held, TextLanguage.EN)[0]}",
        )


def _write_trust(folder: Path, name: str, authority: TestAuthority) -> None:
    """An anchor and its list beside those of other packages, whatever they are called."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.pem").write_bytes(authority.root_pem())
    (folder / f"{name}.crl").write_bytes(authority.crl(datetime.now(UTC)))


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
