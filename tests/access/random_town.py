"""The small town, filled with people and mail that are drawn by chance."""

import random
from dataclasses import replace
from datetime import timedelta

from inbox.access import Capacity, Role
from inbox.domain import DeliveryState, GrantKind, MessageState, ReceiptState
from inbox.tables import Message, Unit
from tests.access.town import AFTER, BEFORE, HAVNES, NOW, Town

PEOPLE = ("kari", "ola", "lise")
_UNITS = ("bv", "ppt", "arkiv")


def fill_town(town: Town, chance: random.Random) -> list[Capacity]:
    """Few rows of everything, so that they meet; periods past, running and to come."""
    periods = [(BEFORE, None), (BEFORE, AFTER), (BEFORE, NOW), (NOW + timedelta(hours=1), None)]
    capacities = [town.system("acos"), town.system("foreign", HAVNES)]
    capacities += [
        town.capacity(p, chance.choice(list(Role)[:6]), chance.choice(_UNITS))
        for p in PEOPLE
        for _ in range(2)
    ]
    for capacity in capacities[2:]:
        row = town.row_of(capacity)
        row.active_from, row.active_until = chance.choice([*periods[:2] * 3, *periods])
        town.add(row)
    for unit_id in _UNITS:
        unit = town.session.get_one(Unit, unit_id)
        unit.shares_unassigned = chance.random() < 0.5
        unit.case_system = chance.choice([None, "acos"])
        unit.active_until = chance.choice([None, None, None, NOW])
        town.add(unit)
    town.above("bv", "arkiv")
    for _ in range(5):
        _add_message(town, chance)
    if chance.random() < 0.3:
        town.conflict(chance.choice(PEOPLE), reference_hash="case")
    return [replace(c, strong_auth=chance.random() < 0.5) for c in capacities]


def _add_message(town: Town, chance: random.Random) -> None:
    message = town.message(
        chance.choice([*MessageState, MessageState.ROUTED, MessageState.OFFERED]),
        unit=chance.choice([None, "bv", "ppt"]),
        organisation=chance.choice([HAVNES, *["910075918"] * 4]),  # type: ignore[arg-type] # as it is
    )
    message.sender = chance.choice([None, "974760673", "915933149"])
    message.shielding = chance.choice([None, "13", "26"])
    message.opened_at = chance.choice([None, NOW])
    town.add(message)
    for person in PEOPLE:
        if chance.random() < 0.3:
            town.assign(message, person, until=chance.choice([None, NOW]))
        if chance.random() < 0.3:
            town.clear(person, chance.choice(["13", "26"]))
        if chance.random() < 0.1:
            town.conflict(person, message_id=message.id)
        if chance.random() < 0.05:
            town.conflict(person, sender="915933149")
    _bind_people(town, chance, message)
    if chance.random() < 0.5:
        town.delivery(message, chance.choice(["acos", "foreign"]), chance.choice([*DeliveryState]))
    if chance.random() < 0.3:
        town.receipt(message, chance.choice([*ReceiptState]))
    if chance.random() < 0.3:
        town.task("late_word", Role.ARCHIVIST, message=message)


def _bind_people(town: Town, chance: random.Random, message: Message) -> None:
    """Grants, substitutes, and the case that it names."""
    for person in PEOPLE:
        if chance.random() < 0.3:
            town.grant(message, person, "lise", chance.choice([*GrantKind]))
        if chance.random() < 0.2 and message.unit is not None:
            town.delegation(message.unit, chance.choice(PEOPLE), person, "lise")
    if chance.random() < 0.3:
        town.reference(message, "case")
