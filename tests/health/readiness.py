"""Whether a process is ready, as `/health/ready` says it."""

from collections.abc import Mapping

from inbox.health.current import needs_of, unready_conditions
from inbox.line import Line


def readiness_of(line: Line) -> Mapping[str, str]:
    """Every need by name: `ok`, or the code of what is wrong."""
    return needs_of(line, unready_conditions(line))
