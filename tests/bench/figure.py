"""One line of the benchmark: what was measured, beside what, and whether that is good enough."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median

_GIGA = 10**9


class Of(StrEnum):
    """What a target limits."""

    OURS = "ours"
    RATIO = "ratio"
    """Ours divided by what it is measured beside."""
    MORE = "more"
    """Ours less what it is measured beside."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """At most so much."""

    at_most: float
    of: Of = Of.OURS

    @classmethod
    def of_ratio(cls, at_most: float | None) -> "Target | None":
        """A limit of the ratio, where there is one."""
        return None if at_most is None else cls(at_most=at_most, of=Of.RATIO)

    def words(self, unit: str) -> str:
        """As it stands in the table."""
        return {
            Of.OURS: f"<= {self.at_most:g} {unit}",
            Of.RATIO: f"<= {self.at_most:g} x",
            Of.MORE: f"<= {self.at_most:g} {unit} more",
        }[self.of]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What was measured: every run in its order, ours and, taken in turn with it, the other."""

    what: str
    database: str
    unit: str
    ours: tuple[float, ...]
    beside: tuple[float, ...] = ()
    beside_what: str = ""
    target: Target | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not self.ours:
            raise ValueError(f"{self.what}: nothing was measured")
        if self.beside and len(self.beside) != len(self.ours):
            raise ValueError(f"{self.what}: every run of ours has one beside it")

    @property
    def runs(self) -> int:
        """How often it was measured."""
        return len(self.ours)

    @property
    def middle(self) -> float:
        """The median of ours."""
        return median(self.ours)

    @property
    def middle_beside(self) -> float | None:
        """The median of the other."""
        return median(self.beside) if self.beside else None

    @property
    def ratio(self) -> float | None:
        """The median of the ratios of runs that were neighbours: the machine drifts meanwhile."""
        if not all(self.beside):
            return None
        ratios = [ours / other for ours, other in zip(self.ours, self.beside, strict=False)]
        return median(ratios) if ratios else None

    @property
    def more(self) -> float | None:
        """How much more ours is, as `ratio`."""
        differences = [ours - other for ours, other in zip(self.ours, self.beside, strict=False)]
        return median(differences) if differences else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None:
            return None
        limited = {Of.OURS: self.middle, Of.RATIO: self.ratio, Of.MORE: self.more}[self.target.of]
        return limited is not None and limited <= self.target.at_most

    def as_json(self) -> dict[str, object]:
        """Everything of it."""
        return {
            "what": self.what,
            "database": self.database,
            "unit": self.unit,
            "ours": self.middle,
            "ours_runs": self.ours,
            "beside_what": self.beside_what,
            "beside": self.middle_beside,
            "beside_runs": self.beside,
            "ratio": self.ratio,
            "target": None if self.target is None else self.target.words(self.unit),
            "met": self.met,
            "runs": self.runs,
            "note": self.note,
        }


def name_of(database: str) -> str:
    """The kind of database behind an address."""
    return "SQLite" if database.startswith("sqlite") else "PostgreSQL"


def size_of(path: Path) -> str:
    """How large a file is, in words."""
    size = path.stat().st_size
    return f"{size / 1e9:.3g} GB" if size >= _GIGA else f"{size / 1e6:.3g} MB"


def in_turn(
    ours: Callable[[], float], beside: Callable[[], float], runs: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Beside, ours, beside, ours ..., so that both meet the same machine."""
    taken = [(beside(), ours()) for _ in range(runs)]
    return tuple(mine for _, mine in taken), tuple(other for other, _ in taken)
