"""What a process of the line would otherwise load anew: imported once, by the server that forks."""

from tests.faults.harness import line_process, scenario_driver
from tests.worlds import _policies, _rules

__all__ = ["line_process", "scenario_driver"]

_policies()
_rules()
