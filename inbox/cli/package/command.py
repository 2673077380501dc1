"""`inbox package`: inspect a document package, and make one for tests."""

import io
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from inbox.cli.common.formats import Json
from inbox.cli.common.language import InLanguage, for_operators
from inbox.cli.common.output import EXIT_FAILED, print_json, print_line
from inbox.errors import Invalid
from inbox.language import TextLanguage
from inbox.package import Inspection, inspect, inspect_container
from inbox.package.explanations import explain_code, sentences_of
from inbox.package.inputs import Limits
from inbox.package.inspection import is_trusted
from inbox.package.verdict import PackageQuarantined, Verdict
from inbox.package.zip.names import shown_name
from inbox.trust.trust_folder import read_trust_folder

package: Final = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Document packages (dokumentpakke, ASiC-E): inspect one, or make one for a test.",
)

SENDER: Final = "910077473"
RECEIVER: Final = "910075918"
"""Organisations of eFormidling's public test environment."""
_TRUST_WORDS: Final = {None: "not asked", True: "yes", False: "no"}


class PackageDialect(StrEnum):
    """The style in which a package is made."""

    GENUINE = "genuine"
    MODERN = "modern"


@package.command("inspect")
def inspect_package(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The package.")],
    as_json: Json = False,
    trust: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            metavar="FOLDER",
            help="Also check trust in the signer, with the files in this folder: trust anchors"
            " *.pem, intermediate certificates *.intermediate.pem and revocation lists *.crl.",
        ),
    ] = None,
    container: Annotated[
        bool, typer.Option("--container", help="Inspect only the archive, without a signature.")
    ] = False,
    language: InLanguage = None,
) -> None:
    """Report everything that can be said of a package without its envelope; needs no settings.

    The package is accepted; or held, for a code that two people may waive or until a revocation
    list arrives; or refused, which nobody can waive. Ends with 0 for accepted and 1 for the others.
    Integrity and trust are separate answers. Without --trust, trust is not checked: accepted then
    means that the package is what its signer signed and can be read, no matter who signed it. With
    --trust, a signer must also be the sender in the package's own manifest.xml, if it has one.
    """
    if container and trust:
        raise Invalid("package.options", "--container says nothing about trust: leave one out")
    seen = _verdict_on(file, trust, alone=container)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8" if as_json else None, errors="backslashreplace")
    if as_json:
        print_json(_verdict_json(seen))
    else:
        for line in _verdict_lines(seen, for_operators(language)):
            print_line(line)
    if _verdict_word(seen) != "accepted":
        raise typer.Exit(EXIT_FAILED)


@package.command("make")
def make(
    folder: Annotated[
        Path,
        typer.Argument(
            exists=True, file_okay=False, help="The folder whose files become documents."
        ),
    ],
    out: Annotated[
        Path, typer.Argument(help="The file to create; an existing file is never overwritten.")
    ],
    sender: Annotated[
        str, typer.Option(metavar="ORG", help="The organisation that signs.")
    ] = SENDER,
    receiver: Annotated[str, typer.Option(metavar="ORG", help="The receiver.")] = RECEIVER,
    dialect: Annotated[
        PackageDialect,
        typer.Option(
            help="genuine: as an integrasjonspunkt writes it, with SHA-1; modern: with SHA-256."
        ),
    ] = PackageDialect.GENUINE,
    trust: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            metavar="FOLDER",
            help="Write the files that `inspect --trust` needs to this folder; the revocation list"
            " is valid for a week.",
        ),
    ] = None,
) -> None:
    """Make a package from a folder, signed with a new test key that is then thrown away.

    An arkivmelding.xml in the folder is used as it is; otherwise a made-up one refers to the
    files. The first file by name is the main document. A package that `inspect` would not accept
    is not made.
    """
    from inbox.cli.package.make import MakeRequest, make_package

    order = MakeRequest(
        folder=folder, sender=sender, receiver=receiver, dialect=dialect, trust=trust
    )
    print_line(f"{make_package(order, out)} documents")


def _verdict_on(file: Path, trust: Path | None, *, alone: bool) -> Verdict:
    """The verdict on a file, whatever it is."""
    try:
        believed = read_trust_folder(trust) if trust else None
        with file.open("rb") as source:
            if alone:
                return inspect_container(source, limits=Limits())
            now = datetime.now(UTC)
            return inspect(source, limits=Limits(), trust=believed, now=now)
    except PackageQuarantined as refused:
        return refused.verdict
    except OSError as error:
        raise Invalid("package.unreadable", error.strerror or "it cannot be read") from error


def _verdict_word(seen: Verdict) -> str:
    if isinstance(seen, Inspection):
        return "held" if seen.code else "accepted"
    return "refused"


def _container_holds(seen: Verdict) -> bool:
    """Whether the archive holds; what is found while its files are read counts too."""
    return bool(seen.container) and not (seen.code or "").startswith("container.")


def _verdict_json(seen: Verdict) -> dict[str, object]:
    whole = seen if isinstance(seen, Inspection) else None
    return {
        "verdict": _verdict_word(seen),
        "code": seen.code,
        "container": _container_holds(seen),
        "integrity": seen.integrity,
        "signers": [vars(signer) for signer in seen.signers],
        "algorithm_class": seen.algorithm_class,
        "trust": is_trusted(seen),
        "documents": [
            {"name": file.name, "bytes": file.size, "sha256": file.sha256}
            for file in (whole.documents if whole else ())
        ],
        "missing": list(whole.missing if whole else ()),
    }


def _verdict_lines(seen: Verdict, language: TextLanguage) -> Iterator[str]:
    """The word first, then why, then what was seen, and at last what is in it."""
    whole = seen if isinstance(seen, Inspection) else None
    yield _verdict_word(seen)
    for code in whole.objections if whole else [seen.code or ""]:
        yield f"{code}: {' '.join(explain_code(code, language))}"
    yield from sentences_of(replace(seen, code=None), language)
    for signer in seen.signers:
        yield f"signer    {signer.org_number}, serial {signer.serial}, issuer {signer.issuer}"
    if seen.integrity:
        yield f"trust     {_TRUST_WORDS[is_trusted(seen)]}"
    for file in whole.documents if whole else ():
        yield f"document  {shown_name(file.name)}, {file.size} bytes, SHA-256 {file.sha256}"
    for element in whole.missing if whole else ():
        yield f"missing   {element}"
