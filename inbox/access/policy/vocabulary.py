"""The words of need to know: actions, roles, duties, rules, and what a decision says."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NoReturn

NO_RULE: Final = "none"
ERROR: Final = "error"
NO_POLICY: Final = "nobody"
"""What stands in place of a rule id when no rule decided."""
NO_DUTIES: Final = "none"
"""The cell of a rule without any."""
_UNMET: Final = "duty"
"""The same where a rule said yes, and a duty of it was not met."""


class Action(StrEnum):
    """What can be asked; each is decided for itself, none includes another (design §7)."""

    ROUTE = "route"
    LIST = "list"
    OPEN = "open"
    PLACE = "place"
    HAND_BACK = "hand_back"
    TAKE = "take"
    ASSIGN = "assign"
    RELEASE = "release"
    WITHDRAW = "withdraw"
    HOLD = "hold"
    NOTE = "note"
    GRANT = "grant"
    DELEGATE = "delegate"
    END_ACCESS = "end_access"
    BREAKGLASS = "breakglass"
    ACCESS_REVIEW = "access_review"
    BREAKGLASS_REVIEW = "breakglass_review"
    REGISTER = "register"
    DUPLICATE = "duplicate"
    RECHECK = "recheck"
    REFETCH = "refetch"
    ABANDON = "abandon"
    RESEND = "resend"
    PROPOSE = "propose"
    QUARANTINE_RELEASE = "quarantine_release"
    REFUSE = "refuse"
    OFFER = "offer"
    COLLECT = "collect"
    WORD = "word"
    DISMISS = "dismiss"
    CLOSE_TASK = "close_task"
    OPERATE = "operate"
    AUDIT_READ = "audit_read"
    ACCESS_READ = "access_read"
    DIRECTORY_EDIT = "directory_edit"
    DIRECTORY_APPROVE = "directory_approve"
    POLICY_EDIT = "policy_edit"
    POLICY_APPROVE = "policy_approve"
    ROUTE_EDIT = "route_edit"
    ROUTE_APPROVE = "route_approve"


class Role(StrEnum):
    """What somebody or something acts as, exactly one at a time."""

    ARCHIVIST = "archivist"
    HANDLER = "handler"
    LEADER = "leader"
    SECURITY_REVIEWER = "security_reviewer"
    POLICY_EDITOR = "policy_editor"
    OPERATOR = "operator"
    CASE_SYSTEM = "case_system"


class Duty(StrEnum):
    """What the caller must do for a permission to be valid."""

    LOG = "log"
    REASON = "reason"
    NOTIFY = "notify"
    REVIEW = "review"


class Effect(StrEnum):
    """What a matching rule does; a deny overrides every allow."""

    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row of the policy. `acts` and `roles` are words with spaces between, or `*`."""

    id: str
    acts: str
    roles: str
    when: str
    duties: frozenset[Duty] = frozenset()
    effect: Effect

    def concerns(self, action: Action, role: Role) -> bool:
        """Whether the rule applies to this action by this role, whatever the facts are."""
        return named(self.acts, action) and named(self.roles, role)


@dataclass(frozen=True, kw_only=True)
class Miss:
    """An allow rule that nearly held, and what it lacked (`assigned`, `not conflict`)."""

    rule: str
    needs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Told:
    """One rule about a question: whether it matched by itself, and if not, what it lacked."""

    rule: Rule
    matched: bool
    lacks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The answer to one question, with everything that the audit log and an explanation need.

    `duties` of a yes bind the caller: ask `fulfilled_by` before acting. `rule` is the basis of a
    yes, the first deny of a no, or `none`, `error`, `nobody`.
    """

    allowed: bool
    action: str
    rule: str
    digest: str
    matching: tuple[str, ...] = ()
    misses: tuple[Miss, ...] = ()
    duties: frozenset[Duty] = frozenset()
    facts: frozenset[str] = frozenset()
    """What held of what was asked: only facts that a rule about the action uses are."""

    def __bool__(self) -> NoReturn:
        raise TypeError("a decision is neither true nor false: ask for `.allowed`")

    def fulfilled_by(self, met: Collection[Duty]) -> "Decision":
        """The same decision, or a no with the rule `duty` if a duty of a yes is not among `met`."""
        if not self.allowed or self.duties <= set(met):
            return self
        return replace(self, allowed=False, rule=_UNMET)


def basis_first(allows: Iterable[Rule]) -> list[Rule]:
    """The rule with the fewest duties is the basis of a yes.

    So who has the message assigned to them is not recorded as breaking glass.
    """
    return sorted(allows, key=lambda rule: len(rule.duties))


def cell_of(duties: Iterable[Duty]) -> str:
    """Duties as text, as a cell of a policy file."""
    return " ".join(sorted(duties)) or NO_DUTIES


def named(cell: str, word: str) -> bool:
    """Whether a cell (words separated by spaces, or `*`) includes the word. casbin calls it too."""
    return cell == "*" or word in cell.split(" ")
