"""What the log says of conditions: event, subject and code of each line, and its other fields."""

from collections.abc import Mapping
from typing import Any

import pytest

Line = tuple[str, str, str]


def condition_lines(caplog: pytest.LogCaptureFixture) -> dict[Line, Mapping[str, Any]]:
    """Every line that says that a condition began, changed or ended."""
    found: dict[Line, Mapping[str, Any]] = {}
    for record in caplog.records:
        if record.getMessage().startswith("condition_"):
            fields = vars(record)["inbox_fields"]
            found[record.getMessage(), fields["subject"], fields["code"]] = fields
    return found
