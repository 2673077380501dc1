"""What must become of a letter: a closed set of fates, and who has the letter in the end."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class SystemMode(StrEnum):
    """How a case system gets its messages."""

    WEBHOOK = "webhook"
    PULL = "pull"
    BY_HAND = "by_hand"


@dataclass(frozen=True, kw_only=True)
class System:
    """A case system of the municipality, and the units that use it."""

    name: str
    mode: SystemMode
    units: tuple[str, ...]


BY_HAND = "by hand"
SYSTEMS = (
    System(name="familia", mode=SystemMode.WEBHOOK, units=("bv", "nav")),
    System(name="saksys", mode=SystemMode.WEBHOOK, units=("helse", "bygg")),
    System(name="skolearkiv", mode=SystemMode.PULL, units=("ppt", "skole")),
    System(name=BY_HAND, mode=SystemMode.BY_HAND, units=("jurist", "personal", "dokumentsenteret")),
)
SYSTEM_OF: Mapping[str, System] = {unit: each for each in SYSTEMS for unit in each.units}


class Fate(StrEnum):
    """What becomes of a letter."""

    RULE_AT_ONCE = "by rule, at once"
    RULE_RELEASED = "by rule, released by a person"
    RULE_BY_HAND = "by rule, registered by hand"
    PLACED = "placed by archive staff, then registered"
    PLACED_BY_HAND = "placed by archive staff, then registered by hand"
    RETURNED = "returned by the case system, then registered by hand"
    DUPLICATE = "recognised as a duplicate of a registered one"
    REFUSED = "refused by two"
    QUARANTINED = "waits in quarantine"
    UNROUTED = "waits for archive staff"
    MISSED = "missed: gone at the gateway"
    OFFERED = "waits for its case system"
    SENT_BACK = "returned by the case system, and waits for people"
    UNANSWERED = "registered, but no kvittering reaches its sender"


REGISTERED = frozenset(
    {
        *(Fate.RULE_AT_ONCE, Fate.RULE_RELEASED, Fate.RULE_BY_HAND),
        *(Fate.PLACED, Fate.PLACED_BY_HAND, Fate.RETURNED, Fate.UNANSWERED),
    }
)
"""The fates that end with an entry of the letter's own in a journal."""
_HAND = frozenset({Fate.RULE_BY_HAND, Fate.PLACED_BY_HAND, Fate.RETURNED})


class Answered(StrEnum):
    """What the sender hears of it."""

    OK = "OK"
    ERROR = "ERROR"
    IMPOSSIBLE = "impossible"
    """It is decided, but no kvittering can reach the sender."""
    NOT_YET = "not yet"


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What must become of one letter."""

    fate: Fate
    unit: str | None = None
    """Where it ends."""
    rule: str | None = None
    """The rule that takes it; None where none does."""
    code: str | None = None
    """Why it is in quarantine, missed, returned or refused; why no kvittering can reach it."""
    answered: Answered = Answered.OK

    @property
    def held_by(self) -> str | None:
        """Whose journal has it in the end: a case system's name, `BY_HAND`, or nobody's."""
        if self.fate in _HAND:
            return BY_HAND
        if self.fate not in REGISTERED or self.unit is None:
            return None
        return SYSTEM_OF[self.unit].name


def by_rule(rule: str, unit: str) -> Expectation:
    """A rule sends it to the unit, where a person releases it, or registers it by hand."""
    by_hand = SYSTEM_OF[unit].mode is SystemMode.BY_HAND
    fate = Fate.RULE_BY_HAND if by_hand else Fate.RULE_RELEASED
    return Expectation(fate=fate, rule=rule, unit=unit)


def at_once(rule: str, unit: str) -> Expectation:
    """A rule sends it to the unit's case system without a person."""
    return Expectation(fate=Fate.RULE_AT_ONCE, rule=rule, unit=unit)


def placed(unit: str) -> Expectation:
    """No rule takes it: archive staff place it."""
    by_hand = SYSTEM_OF[unit].mode is SystemMode.BY_HAND
    return Expectation(fate=Fate.PLACED_BY_HAND if by_hand else Fate.PLACED, unit=unit)


def placed_unanswered(unit: str, code: str) -> Expectation:
    """As `placed`, but no kvittering can reach the sender."""
    return Expectation(fate=placed(unit).fate, unit=unit, code=code, answered=Answered.IMPOSSIBLE)


def waits(fate: Fate, code: str | None = None) -> Expectation:
    """Nothing is decided about it, and its sender hears nothing yet."""
    return Expectation(fate=fate, code=code, answered=Answered.NOT_YET)
