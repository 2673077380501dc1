"""What a process of the line would otherwise load anew: imported once, by the server that forks."""

from tests.faults import errands, inside
from tests.worlds import _policies, _rules

__all__ = ["errands", "inside"]

_policies()
_rules()
