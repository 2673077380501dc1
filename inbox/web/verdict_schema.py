"""Generates the JSON schema of a verdict, for readers of verdicts outside the API.

`python -m inbox.web.verdict_schema > docs/verdict.schema.json` makes the committed file anew.
"""

import json
import sys
from typing import Any, Final

from pydantic import TypeAdapter

from inbox.package.verdict import Verdict

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema, in plain values and in a stable order."""
    return {"$schema": _DIALECT, **TypeAdapter(Verdict).json_schema(mode="serialization")}


def text() -> str:
    """The text of the committed file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
