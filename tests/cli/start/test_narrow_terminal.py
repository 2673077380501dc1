"""Tables at a terminal of 80 columns: no id and no word is ever broken or cut."""

import re

import pytest

from inbox.cli.common.table import hanging_lines, table_lines
from tests.cli.installation import Installed
from tests.cli.start.terminal import at_a_terminal

ID = "7c9e6679742540dea44be0740f90f6aa"
STYLE = re.compile(r"\x1b\[[0-9;]*m")


def _lines(rows: list[dict[str, object]], width: int | None) -> list[str]:
    return list(table_lines(rows, list(rows[0]), width=width))


def test_table_that_fits_is_columns_two_spaces_apart() -> None:
    rows: list[dict[str, object]] = [{"key_id": "k1", "days": 3}, {"key_id": "k22", "days": None}]

    assert _lines(rows, 80) == ["key id  days", "k1      3", "k22"]


def test_sentence_in_a_narrow_table_is_wrapped_between_words() -> None:
    rows: list[dict[str, object]] = [{"id": ID, "text": "en setning som er for lang til dette"}]

    lines = _lines(rows, 50)

    assert lines[1].startswith(f"{ID}  en setning som")
    assert max(map(len, lines)) <= 50
    assert " ".join(" ".join(lines[1:]).split()).endswith("er for lang til dette")


@pytest.mark.parametrize("width", [20, 40, 80])
def test_ids_that_do_not_fit_side_by_side_stand_below_each_other_and_whole(width: int) -> None:
    rows: list[dict[str, object]] = [
        {"id": ID, "delivery": ID[::-1], "state": "OFFERED", "code": None},
        {"id": ID[1:] + "b", "delivery": ID, "state": "ROUTED", "code": "work.overdue"},
    ]

    text = "\n".join(_lines(rows, width))

    assert [text.count(ID), text.count(ID[::-1]), text.count(ID[1:] + "b")] == [2, 1, 1]
    assert text.count("\n\n") == 1
    assert re.search(r"^code +work\.overdue$", text, re.MULTILINE)


def test_table_that_is_not_on_a_terminal_is_neither_wrapped_nor_cut() -> None:
    rows: list[dict[str, object]] = [{"id": ID, "text": "ord " * 200}]

    assert len(_lines(rows, None)) == 2


def test_control_characters_in_a_cell_never_reach_the_terminal() -> None:
    assert "\x1b" not in "".join(_lines([{"id": "a\x1b[2Jb"}], 80))


def test_list_at_a_terminal_of_80_columns_has_whole_ids(installed: Installed) -> None:
    shown = installed.ask("directory", "show", "--json").value
    keys = installed.ask("keys", "list", "--json").value

    for words, expected in (
        (("directory", "show"), [each["unit"] for each in _rows(shown)]),
        (("keys", "list"), [each["key"] for each in _rows(keys)]),
    ):
        code, said = at_a_terminal("--config", installed.config, *words)

        lines = [line.rstrip() for line in STYLE.sub("", said).splitlines()]
        assert code == 0
        assert max(map(len, lines)) <= 80
        assert [each for each in expected if each not in said] == []


def _rows(value: object) -> list[dict[str, str]]:
    assert isinstance(value, list)
    assert value
    return value


def test_line_of_doctor_on_a_narrow_terminal_goes_on_under_its_words() -> None:
    text = f"{'wrong':<8} {'keys':<20} " + "the key folder cannot be used " * 3

    lines = list(hanging_lines(text, indent=30, width=80))

    assert len(lines) > 1
    assert lines[0].startswith("wrong    keys                 the key folder")
    assert max(map(len, lines)) <= 80
    assert {line[:30] for line in lines[1:]} == {" " * 30}
    assert list(hanging_lines(text, indent=30, width=None)) == [text]
    assert list(hanging_lines(text, indent=30, width=50)) == [text]
