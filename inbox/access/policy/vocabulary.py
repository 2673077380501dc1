"""The vocabulary of access control.

It consists of actions, roles, duties, policy rules, and the decision that answers a question.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NoReturn

NO_RULE: Final = "none"
ERROR_RULE: Final = "error"
NO_POLICY: Final = "nobody"
"""What stands in place of a rule id when no rule decided."""
NO_DUTIES: Final = "none"
"""The cell of a rule without any."""
_DUTY_UNMET: Final = "duty"
"""The same where a rule said yes, and a duty of it was not met."""


class Action(StrEnum):
    """The actions that can be asked for.

    Each action is decided by itself, and none includes another (design §7).
    """

    ROUTE = "route"
    LIST = "list"
    OPEN = "open"
    PLACE = "place"
    HAND_BACK = "hand_back"
    TAKE = "take"
    ASSIGN = "assign"
    RELEASE = "release"
    WITHDRAW = "withdraw"
    UNDO = "undo"
    HOLD = "hold"
    NOTE = "note"
    GRANT = "grant"
    DELEGATE = "delegate"
    END_ACCESS = "end_access"
    ASK_ACCESS = "ask_access"
    BREAKGLASS = "breakglass"
    ACCESS_REVIEW = "access_review"
    BREAKGLASS_REVIEW = "breakglass_review"
    DECLARE_CONFLICT = "declare_conflict"
    END_CONFLICT = "end_conflict"
    REGISTER = "register"
    DUPLICATE = "duplicate"
    RECHECK = "recheck"
    REFETCH = "refetch"
    ABANDON = "abandon"
    RESEND = "resend"
    PROPOSE = "propose"
    DECLINE = "decline"
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
    FIGURES = "figures"
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
    RECORDS_MANAGER = "records_manager"
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
class PolicyRule:
    """One row of the policy. `acts` and `roles` are words with spaces between, or `*`."""

    id: str
    actions: str
    roles: str
    when: str
    duties: frozenset[Duty] = frozenset()
    effect: Effect
    also: frozenset[Action] = frozenset()
    """Actions newer than the policy that were part of its actions: see `names.LaterNames`."""
    bases: tuple[str, ...] = ()
    """The ids of its legal bases, which decide nothing."""

    @property
    def decided_actions(self) -> str:
        """The cell of all actions that it decides: those that are written, and those beside."""
        return " ".join((self.actions, *sorted(self.also)))

    def applies_to(self, action: Action, role: Role) -> bool:
        """Whether the rule applies to this action by this role, whatever the facts are."""
        return cell_includes(self.decided_actions, action) and cell_includes(self.roles, role)


@dataclass(frozen=True, kw_only=True)
class NearMiss:
    """An allow rule that nearly matched, and the literals that were missing.

    Examples of missing literals are `assigned` and `not conflict`.
    """

    rule: str
    missing: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """The result of one rule for one question.

    It says whether the rule matched by itself, and if not, which literals were missing.
    """

    rule: PolicyRule
    matched: bool
    missing: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The answer to one question, with everything that the audit log and an explanation need.

    `duties` of a yes bind the caller: ask `deny_unless_met` before acting. `rule` is the basis of a
    yes, the first deny of a no, or `none`, `error`, `nobody`.
    """

    allowed: bool
    action: str
    rule: str
    digest: str
    matching: tuple[str, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    duties: frozenset[Duty] = frozenset()
    facts: frozenset[str] = frozenset()
    """What held of what was asked: only facts that a rule about the action uses are."""

    def __bool__(self) -> NoReturn:
        raise TypeError("a decision is neither true nor false: ask for `.allowed`")

    def deny_unless_met(self, met: Collection[Duty]) -> "Decision":
        """The same decision, or a denial if a required duty is not among `met`.

        The denial has the rule `duty`.
        """
        if not self.allowed or self.duties <= set(met):
            return self
        return replace(self, allowed=False, rule=_DUTY_UNMET)


def by_fewest_duties(allows: Iterable[PolicyRule]) -> list[PolicyRule]:
    """The allow rules, ordered by their number of duties.

    The first one is the basis of the permission.

    So who has the message assigned to them is not recorded as breaking glass.
    """
    return sorted(allows, key=lambda rule: len(rule.duties))


def duties_text(duties: Iterable[Duty]) -> str:
    """Duties as text, as a cell of a policy file."""
    return " ".join(sorted(duties)) or NO_DUTIES


def cell_includes(cell: str, word: str) -> bool:
    """Whether a cell (words separated by spaces, or `*`) includes the word. casbin calls it too."""
    return cell == "*" or word in cell.split(" ")
