"""`inbox init`: enrol the first two people, and activate the policies that they approve; once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from inbox.access.files.folder import read_policy_files
from inbox.cli.common.context import settings_of, store_of
from inbox.cli.common.formats import Json
from inbox.cli.common.id_and_name import id_and_name
from inbox.cli.common.output import print_json, print_line
from inbox.cli.common.private_screen import is_private_screen, show_privately
from inbox.cli.common.row_counts import count_added_rows
from inbox.config import Settings
from inbox.directory import check_nobody_is_enrolled, enrol_first_people, new_code
from inbox.domain import OrgNumber, parse_org_number
from inbox.errors import Conflict, Invalid
from inbox.keys import Keyring
from inbox.language import TextLanguage
from inbox.line.active_rule_books import read_rule_book_files
from inbox.line.proposals.policy_or_rule_book import (
    POLICY_RULES,
    FirstVersion,
    read_first_version,
    routing_rules_of,
)
from inbox.wiring import ensure_installation, policy_folder, read_rule_books

_TWO: Final = 2
Codes = Annotated[
    Path | None,
    typer.Option(
        "--codes",
        metavar="FOLDER",
        help="Write each code to a file of its own in this folder, closed to others; show none.",
    ),
]


def init(
    ctx: typer.Context,
    organisation: Annotated[
        str, typer.Option(metavar="NNNNNNNNN", help="The organisation that receives the mail.")
    ],
    person: Annotated[
        list[str],
        typer.Option(
            metavar="ID=NAME", help="One of the first two people; give this option twice."
        ),
    ],
    desk: Annotated[
        str | None,
        typer.Option(
            metavar="UNIT=NAME",
            help="The unit that distributes mail that no rule matches; the default is the desk in"
            " the routing rules.",
        ),
    ] = None,
    codes: Codes = None,
    as_json: Json = False,
) -> None:
    """Enrol the first two people and activate the rules. This can be done only once.

    Both people become archivists at the desk. The first person named also edits policies and the
    second reviews them, so a change of policy requires both. Each person gets a personal code. On a
    terminal the codes are shown to one person at a time, each on a screen that Enter wipes away;
    nothing is done before both have seen theirs. A script says --codes FOLDER, or --json into a
    pipe. A person who has a code can replace it: `inbox directory own-code`. Everything is recorded
    in the audit. Run `inbox keys create` and `inbox database upgrade` first, and `inbox directory
    import` and `inbox doctor` afterwards.
    """
    settings = settings_of(ctx)
    receiver = parse_org_number(organisation)
    people = _people(person)
    _check_codes_have_a_place(codes, as_json=as_json)
    for changed in count_added_rows(policy_folder(settings)):
        typer.echo(f"inbox: {changed}", err=True)
    unit = _desk(settings, receiver, desk)
    policy, *books = _first_versions(settings, receiver)
    store, keyring = store_of(settings), Keyring.load(settings.keys)
    with store.transaction() as tx:
        ensure_installation(tx, keyring, settings)
        tx.flush()
        check_nobody_is_enrolled(tx)
    given = {each: new_code() for each in people}
    _hand_out(given, codes, as_json=as_json)
    with store.transaction() as tx:
        enrol_first_people(
            tx,
            organisation=receiver,
            people=people,
            desk=unit,
            digest=policy.digest,
            codes=given,
        )
        editor, reviewer = people
        for version in (policy, *books):
            version.activate(tx, proposer=editor, approver=reviewer)
    if as_json:
        shown = {"codes": given} if codes is None else {"codes_in": str(codes)}
        print_json({**shown, "policy": policy.digest})
        return
    print_line(f"{' and '.join(people)} are enrolled, each with their own personal code")
    print_line(f"The policies are active: {policy.digest}")


def _check_codes_have_a_place(folder: Path | None, *, as_json: bool) -> None:
    """Two codes never stand on one screen: a person who sees both could act as two."""
    if folder is None and as_json is is_private_screen():
        raise Invalid(
            "init.codes",
            "on a terminal the codes are shown one person at a time, without --json; a script says"
            " --codes FOLDER, or --json with its output in a pipe or a file",
        )


def _hand_out(codes: Mapping[str, str], folder: Path | None, *, as_json: bool) -> None:
    """Give each person the own code, before anything depends on it."""
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for person, code in codes.items():
            try:
                with (folder / f"{person}.code").open("x", encoding="ascii") as file:
                    file.write(f"{code}\n")
            except FileExistsError as error:
                raise Conflict("init.codes", f"{person}.code is there already: move it") from error
        if not as_json:
            print_line(f"personal codes in {folder}: {', '.join(f'{p}.code' for p in codes)}")
    elif not as_json:
        for person, code in codes.items():
            show_privately(person, code, TextLanguage.EN)


def _first_versions(settings: Settings, organisation: OrgNumber) -> list[FirstVersion]:
    """The policy of the folder, and the organisation's rule book if one is there already."""
    folder = policy_folder(settings)
    found = [read_first_version(POLICY_RULES, read_policy_files(folder))]
    if organisation in read_rule_books(folder):
        found.append(
            read_first_version(
                routing_rules_of(organisation), read_rule_book_files(folder, organisation)
            )
        )
    return found


def _people(given: list[str]) -> dict[str, str]:
    people = dict(id_and_name(text) for text in given)
    if len(given) != _TWO or len(people) != _TWO:
        raise Invalid("init.people", "give --person twice, for two different people")
    return people


def _desk(settings: Settings, organisation: OrgNumber, given: str | None) -> tuple[str, str]:
    """Id and name of the unit that distributes; the rules that are there must name the same."""
    book = read_rule_books(policy_folder(settings)).get(organisation)
    if book is None and given is None:
        raise Invalid(
            "init.desk",
            f"there is no routing/{organisation}.toml that names a desk: give --desk UNIT=NAME",
        )
    unit = None if given is None else id_and_name(given)
    if book is None:
        assert unit is not None
        return unit
    if unit is not None and unit[0] != book.desk:
        raise Invalid(
            "init.desk", f"routing/{organisation}.toml names the desk {book.desk}: name it here too"
        )
    return unit or (str(book.desk), book.units[book.desk].name)
