"""Directories as hypothesis draws them: small worlds in which names meet."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from inbox.directory.format.rows import Directory
from inbox.directory.format.toml_file import directory_of

OURS = "910075918"
NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
PEOPLE = ("anne", "bjorn", "kari", "ola", "siri")
UNITS = ("desk", "bv", "ppt", "skole", "helse")
ROLES = ("handler", "leader", "archivist", "security_reviewer")
CODES = ("13", "26", "?")
SENDERS = ("910077473", "910076787")
NAMES = ("Åse Øy", 'Per "P" \\ Vik', "N'Diaye, Ø.", "名 前")
_DAYS = st.integers(1, 400).map(lambda days: NOW + timedelta(days=days, hours=3))
_WHOLE = st.integers(1, 400).map(lambda days: (NOW + timedelta(days=days)).date())


def _period(draw: st.DrawFn, *, until: bool = False) -> dict[str, object]:
    period: dict[str, object] = {}
    if draw(st.integers(0, 3)) == 0:
        period["from"] = draw(st.sampled_from([NOW - timedelta(days=9), NOW + timedelta(hours=1)]))
    if until or draw(st.integers(0, 2)) == 0:
        period["until"] = draw(st.one_of(_DAYS, _WHOLE))
    return period


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """A directory as a table, whatever it names being in it. Ids are few, so that rows meet."""

    def period(*, until: bool = False) -> dict[str, object]:
        return _period(draw, until=until)

    units = sorted(draw(st.sets(st.sampled_from(UNITS), min_size=1)))
    people = sorted(draw(st.sets(st.sampled_from(PEOPLE), min_size=2)))
    flags = st.booleans()
    capacities = draw(st.sets(st.tuples(*map(st.sampled_from, (people, units, ROLES))), max_size=8))
    clearances = draw(st.sets(st.tuples(*map(st.sampled_from, (people, CODES))), max_size=5))
    conflicts = draw(st.sets(st.tuples(*map(st.sampled_from, (people, SENDERS))), max_size=4))
    pairs = [(u, a, s) for u in units for a in people for s in people if a != s]
    delegations = draw(st.sets(st.sampled_from(pairs), max_size=3))
    return {
        "organisation": OURS,
        "case_system": [{"id": "sak", "name": "Sakarkiv", "mode": "pull"}],
        "unit": [_unit(draw, unit, units[:at]) for at, unit in enumerate(units)],
        "person": [{"id": p, "name": draw(st.sampled_from(NAMES))} | period() for p in people],
        "capacity": [
            {"person": p, "unit": u, "role": r} | period() for p, u, r in sorted(capacities)
        ],
        "clearance": [{"person": p, "shielding": c} | period() for p, c in sorted(clearances)],
        "conflict": [
            {"person": p, "sender": s} | (period() if draw(flags) else {})
            for p, s in sorted(conflicts)
        ],
        "reference": [
            {"counterparty": s, "reference_hash": "ab" * 32, "unit": draw(st.sampled_from(units))}
            for s in sorted(draw(st.sets(st.sampled_from(SENDERS))))
        ],
        "delegation": [
            {"unit": u, "absent": a, "substitute": s, "given_by": people[0]} | period(until=True)
            for u, a, s in sorted(delegations)
        ],
    }


def _unit(draw: st.DrawFn, unit: str, before: list[str]) -> dict[str, object]:
    made: dict[str, object] = {"id": unit, "name": draw(st.sampled_from(NAMES))}
    has_parent = draw(st.booleans())
    if before and has_parent:
        made["parent"] = draw(st.sampled_from(before))
    if draw(st.booleans()):
        made["case_system"] = "sak"
    if draw(st.booleans()):
        made["shares_unassigned"] = True
    return made


def directories() -> st.SearchStrategy[Directory]:
    """The same, read."""
    return tables().map(directory_of)
