"""The glossary's last column names modules and names that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"


def _missing(text: str) -> list[str]:
    """The places `file::name` of a text whose file, or whose name in it, does not exist."""
    return [
        f"{path}::{name}" if name else path
        for path, name in re.findall(r"`(inbox/[\w/]+\.py)(?:::(\w+))?`", text)
        if not (ROOT / path).exists()
        or (name and not re.search(rf"\b{name}\b", (ROOT / path).read_text()))
    ]


def test_place_check_finds_a_missing_file_and_a_missing_name() -> None:
    assert _missing("`inbox/no.py` `inbox/domain.py::Nobody` `inbox/domain.py::WireId`") == [
        "inbox/no.py",
        "inbox/domain.py::Nobody",
    ]


def test_every_glossary_row_names_a_place_in_the_code_that_exists() -> None:
    rows = [row for row in GLOSSARY.read_text().splitlines() if row.startswith("| ")]
    terms = [row for row in rows if not row.startswith("| Norwegian |")]

    assert len(terms) > 50
    assert [row for row in terms if "`inbox/" not in row.split("|")[-2]] == []
    assert _missing(GLOSSARY.read_text()) == []
