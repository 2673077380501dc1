"""The demo's municipality: who works where, six of them to sign in as, and their case systems."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import col, select

from inbox.access.files.folder import read_policy_files
from inbox.access.policy.vocabulary import Role
from inbox.config import Settings
from inbox.directory import enrol_first_people, import_agreed, issue_code
from inbox.directory.format.rows import Directory, RowKind
from inbox.directory.format.toml_file import directory_of
from inbox.domain import OrgNumber, UnitId
from inbox.language import TextLanguage
from inbox.line import Line
from inbox.line.active_rule_books import read_rule_book_files
from inbox.line.proposals.policy_or_rule_book import (
    POLICY_RULES,
    read_first_version,
    routing_rules_of,
)
from inbox.routing.rule_book import RuleBook
from inbox.sign_in.capacity_names import capacity_name
from inbox.simulator.casesystem.simulator import HOOK
from inbox.simulator.demo_mail.expectations import SYSTEMS, System, SystemMode
from inbox.simulator.demo_mail.letters import KNOWN_REFERENCES, OWN
from inbox.tables import CapacityRow, Unit
from inbox.wiring import policy_folder, read_rule_books

ARCHIVISTS: Final = {"anne": "Anne Arkivar", "bjorn": "Bjørn Arkivar"}
DESK: Final = "dokumentsenteret"
LEADERS: Final[Mapping[str, str]] = {
    "bv": "lars",
    "ppt": "rita",
    "helse": "hanna",
    "nav": "nora",
    "skole": "tove",
    "bygg": "bodil",
    "personal": "petter",
    "jurist": "juri",
    DESK: "dina",
}
"""Of each unit."""
HANDLERS: Final[Mapping[str, str]] = {
    "bv": "siri",
    "ppt": "tove",
    "helse": "synne",
    "nav": "nils",
    "skole": "pia",
    "bygg": "geir",
    "personal": "oda",
    "jurist": "jon",
    DESK: "doris",
}
NAMES: Final[Mapping[str, str]] = {
    **ARCHIVISTS,
    "lars": "Lars Leder",
    "siri": "Siri Saksbehandler",
    "tove": "Tove Toroller",
    "greta": "Greta Gransker",
    "rita": "Rita Rektor",
    "hanna": "Hanna Helsehjelp",
    "nora": "Nora Navkontor",
    "bodil": "Bodil Byggesak",
    "petter": "Petter Personal",
    "juri": "Juri Jurist",
    "dina": "Dina Dokument",
    "synne": "Synne Saksbehandler",
    "nils": "Nils Nyansatt",
    "pia": "Pia Pedagog",
    "geir": "Geir Garasje",
    "oda": "Oda Oppdiktet",
    "jon": "Jon Juridisk",
    "doris": "Doris Dokument",
}
SIGN_IN_AS: Final = ("anne", "bjorn", "lars", "siri", "tove", "greta")
"""Two archivists, a leader, a handler, one who is both, and a reviewer of security."""
_REVIEWER: Final = "greta"
_CLEARANCES: Final = ("13", "?")
_BY_HAND_ID: Final = "by-hand"


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    """What was given once: the keys of the case systems, and the people's personal codes."""

    keys: Mapping[str, tuple[str, bytes]]
    codes: Mapping[str, str]


def enrol(
    line: Line,
    settings: Settings,
    hooks: Mapping[str, str],
    identities: Sequence[Mapping[str, str]],
) -> Enrolled:
    """The first two people, then units, people and case systems; `hooks` are those of systems."""
    folder = policy_folder(settings)
    book, policy = (
        read_rule_books(folder)[OrgNumber(OWN)],
        read_first_version(POLICY_RULES, read_policy_files(folder)),
    )
    routing = read_first_version(routing_rules_of(OWN), read_rule_book_files(folder, OWN))
    with line.store.transaction() as tx:
        codes = enrol_first_people(
            tx,
            organisation=OrgNumber(OWN),
            people=ARCHIVISTS,
            desk=(DESK, book.units[book.desk].name),
            digest=policy.digest,
        )
        editor, reviewer = ARCHIVISTS
        for version in (policy, routing):
            version.activate(tx, proposer=editor, approver=reviewer)
    directory = _directory(book, hooks, identities)
    with line.store.transaction() as tx:
        keys = import_agreed(line, tx, directory, approved_by="+".join(ARCHIVISTS))
    with line.store.transaction() as tx:
        codes |= {key[0]: issue_code(tx, key[0]) for key in directory.rows[RowKind.PERSON]}
    return Enrolled(keys=keys, codes=codes)


def _directory(
    book: RuleBook, hooks: Mapping[str, str], identities: Sequence[Mapping[str, str]]
) -> Directory:
    """A leader and a handler in every unit of the rule book, and a reviewer."""
    units = {unit: _system_id(system) for system in SYSTEMS for unit in system.units}
    capacities = [*_capacities(units), (_REVIEWER, DESK, Role.SECURITY_REVIEWER)]
    cleared = [person for person, _, role in capacities if role is not Role.SECURITY_REVIEWER]
    return directory_of(
        {
            "organisation": OWN,
            "case_system": [_system_row(system, hooks) for system in SYSTEMS],
            "unit": [
                {"id": unit, "name": book.units[UnitId(unit)].name, "case_system": system}
                for unit, system in units.items()
            ],
            "person": [
                {"id": person, "name": name}
                for person, name in NAMES.items()
                if person not in ARCHIVISTS
            ],
            "capacity": [
                {"person": person, "unit": unit, "role": role.value}
                for person, unit, role in capacities
            ],
            "clearance": [
                {"person": person, "shielding": code}
                for person in dict.fromkeys(cleared)
                for code in _CLEARANCES
            ],
            "identity": [dict(each) for each in identities],
            "reference": [
                {"counterparty": counterparty, "reference": reference, "unit": unit}
                for counterparty, reference, unit in KNOWN_REFERENCES
            ],
        }
    )


def _capacities(units: Mapping[str, str]) -> Iterator[tuple[str, str, Role]]:
    for unit in units:
        yield LEADERS[unit], unit, Role.LEADER
        yield HANDLERS[unit], unit, Role.HANDLER


def _system_id(system: System) -> str:
    return _BY_HAND_ID if system.mode is SystemMode.BY_HAND else system.name


def _system_row(system: System, hooks: Mapping[str, str]) -> dict[str, str]:
    row = {"id": _system_id(system), "name": system.name, "mode": system.mode.value}
    if system.mode is SystemMode.WEBHOOK:
        row["webhook_url"] = hooks[system.name] + HOOK
    return row


def capacities_of_people(line: Line) -> Mapping[str, list[str]]:
    """The six by name, each with the bokmål names of what they can act as."""
    with line.store.reading() as tx:
        rows = tx.exec(
            select(CapacityRow.person, CapacityRow.role, Unit.name)
            .join(Unit, col(Unit.id) == col(CapacityRow.unit))
            .where(col(CapacityRow.person).in_(SIGN_IN_AS))
            .order_by(col(CapacityRow.role), col(Unit.name))
        ).all()
    return {
        NAMES[person]: [
            capacity_name(role, unit, TextLanguage.NB) for who, role, unit in rows if who == person
        ]
        for person in SIGN_IN_AS
    }
