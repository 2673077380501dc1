"""`inbox new`: writes a folder with everything that an installation begins with."""

import json
import shutil
from pathlib import Path
from typing import Annotated, Final

import typer

from inbox.access.files.folder import ALL_FILES
from inbox.cli.common.id_and_name import id_and_name
from inbox.cli.common.output import print_line
from inbox.cli.new_files import DIRECTORY, ROUTING, ROUTING_CASES, SETTINGS
from inbox.domain import parse_org_number
from inbox.errors import Conflict
from inbox.migrations import shipped_folder

_FOLDERS: Final = ("data", "vault", "trust", "policies", "policies/routing", "policies/tests")
_PRIVATE: Final = 0o700


def new(
    folder: Annotated[
        Path, typer.Argument(help="The folder to make; it must be empty, or not there.")
    ],
    organisation: Annotated[
        str, typer.Option(metavar="NNNNNNNNN", help="The organisation that receives the mail.")
    ],
    desk: Annotated[
        str,
        typer.Option(
            metavar="UNIT=NAME", help="The unit that distributes mail that no rule matches."
        ),
    ] = "postmottak=Postmottak",
) -> None:
    """Write settings, policies and folders for a new installation, closed to others.

    The settings are explained line by line. The policies are the shipped ones. The routing rules
    name the desk alone, so that people place all mail until there are rules. Nothing is started,
    and no key is made. Prints what to do next.
    """
    receiver, (unit, name) = parse_org_number(organisation), id_and_name(desk)
    _make_folders(folder)
    words = {
        "organisation": receiver,
        "desk": unit,
        "desk_name": json.dumps(name, ensure_ascii=False),
    }
    for path, text in (
        ("inbox.toml", SETTINGS),
        ("directory.toml", DIRECTORY),
        (f"policies/routing/{receiver}.toml", ROUTING),
        ("policies/tests/routing.toml", ROUTING_CASES),
    ):
        (folder / path).write_text(text.format_map(words), encoding="utf-8")
    for file in (*ALL_FILES, "README.md"):
        shutil.copyfile(shipped_folder("policies") / file, folder / "policies" / file)
    for line in _next_steps(folder, receiver):
        print_line(line)


def _make_folders(folder: Path) -> None:
    """The folder and those in it; what is there already is never written over."""
    try:
        if folder.exists() and any(folder.iterdir()):
            raise Conflict("new.folder", "the folder is not empty: name another, or empty it")
        folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        folder.chmod(_PRIVATE)
        for name in _FOLDERS:
            (folder / name).mkdir(mode=_PRIVATE)
    except OSError as error:
        raise Conflict("new.folder", f"the folder cannot be made ({error.strerror})") from error


def _next_steps(folder: Path, organisation: str) -> list[str]:
    return [
        f"made {folder}: inbox.toml, directory.toml, policies, trust, vault and data",
        "",
        "next, after a look at inbox.toml:",
        f"  export INBOX_CONFIG={folder.absolute() / 'inbox.toml'}",
        "  inbox keys create",
        "  inbox database upgrade",
        f"  inbox init --organisation {organisation} --person ID=NAME --person ID=NAME",
        f"  inbox directory import {folder.absolute() / 'directory.toml'} --by ID --with ID",
        "  inbox doctor",
        "",
        "doctor then misses two things that only you have: certificates in trust, and the gateway.",
    ]
