"""`inbox init`: enrol the first two people, and activate the policies that they approve; once."""

import re
from typing import Annotated, Final

import typer

from inbox.access.files.folder import read_policy_files
from inbox.cli.common.context import settings_of, store_of
from inbox.cli.common.formats import Json
from inbox.cli.common.output import print_json, print_line
from inbox.config import Settings
from inbox.directory import enrol_first_people
from inbox.domain import OrgNumber, parse_org_number
from inbox.errors import Invalid
from inbox.keys import Keyring
from inbox.line.active_rule_books import read_rule_book_files
from inbox.line.proposals.policy_or_rule_book import (
    POLICY_RULES,
    FirstVersion,
    read_first_version,
    routing_rules_of,
)
from inbox.wiring import ensure_installation, policy_folder, read_rule_books

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_LONGEST_NAME: Final = 200
_TWO: Final = 2


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
    as_json: Json = False,
) -> None:
    """Enrol the first two people and activate the rules. This can be done only once.

    Both people become archivists at the desk. The first person named also edits policies and the
    second reviews them, so a change of policy requires both. Each person gets a personal code,
    shown here and never again; each must write down their own code and nobody else's. Everything is
    recorded in the audit. Run `inbox keys create` and `inbox database upgrade` first, and `inbox
    directory import` and `inbox doctor` afterwards.
    """
    settings = settings_of(ctx)
    receiver = parse_org_number(organisation)
    people, unit = _people(person), _desk(settings, receiver, desk)
    policy, *books = _first_versions(settings, receiver)
    store, keyring = store_of(settings), Keyring.load(settings.keys)
    with store.transaction() as (session, now):
        ensure_installation(session, now, keyring, settings)
        session.flush()
        codes = enrol_first_people(
            session, now, organisation=receiver, people=people, desk=unit, digest=policy.digest
        )
        editor, reviewer = people
        for version in (policy, *books):
            version.activate(session, now, proposer=editor, approver=reviewer)
    if as_json:
        print_json({"codes": codes, "policy": policy.digest})
        return
    print_line("Personal codes, shown now and never again:")
    for name, code in codes.items():
        print_line(f"  {name}  {code}")
    print_line(f"The policies are active: {policy.digest}")


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
    people = dict(_id_and_name(text) for text in given)
    if len(given) != _TWO or len(people) != _TWO:
        raise Invalid("init.people", "give --person twice, for two different people")
    return people


def _id_and_name(text: str) -> tuple[str, str]:
    """ID=NAME in its two parts."""
    key, _, name = (part.strip() for part in text.partition("="))
    if _ID.fullmatch(key) is None or not 0 < len(name) <= _LONGEST_NAME:
        raise Invalid(
            "init.named", "write ID=NAME; an id is of a-z, 0-9 and hyphens, at most 31 of them"
        )
    return key, name


def _desk(settings: Settings, organisation: OrgNumber, given: str | None) -> tuple[str, str]:
    """Id and name of the unit that distributes; the rules that are there must name the same."""
    book = read_rule_books(policy_folder(settings)).get(organisation)
    if book is None and given is None:
        raise Invalid(
            "init.desk",
            f"there is no routing/{organisation}.toml that names a desk: give --desk UNIT=NAME",
        )
    unit = None if given is None else _id_and_name(given)
    if book is None:
        assert unit is not None
        return unit
    if unit is not None and unit[0] != book.desk:
        raise Invalid(
            "init.desk", f"routing/{organisation}.toml names the desk {book.desk}: name it here too"
        )
    return unit or (str(book.desk), book.units[book.desk].name)
