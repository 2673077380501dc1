"""The strict reading of TOML: what is refused, and that it says where, what and what is allowed."""

from collections.abc import Callable

import pytest

from inbox.errors import PolicyError
from inbox.strict.toml import TomlFile, TomlTable

BOOK = """\
# rows: 2
first = "a"
words = ["a", "b"]

[box]
key = { inner = "x" }
"quoted key" = "q"

[[row]]
name = "one"

[[row]]
name = "two"
many = [
    "a",
]
"""


def refused(call: Callable[[], object]) -> tuple[str, str]:
    """The code, and what is said before what is allowed."""
    with pytest.raises(PolicyError) as caught:
        call()
    said, _, allowed = caught.value.reason.partition("; allowed: ")
    assert allowed
    return caught.value.code.removeprefix("policy."), said


def book(text: str = BOOK) -> TomlFile:
    return TomlFile("b.toml", text.encode())


def table(value: str, key: str = "key") -> TomlTable:
    """A table with one key."""
    return book(f"[box]\n{key} = {value}\n").single_table("box")


def test_toml_file_names_its_keys_in_their_order() -> None:
    assert book().keys() == ("first", "words", "box", "row")


@pytest.mark.parametrize("value", ["0", "-1", "true", "1.0", '"1"', "[1]"])
def test_toml_number_is_whole_and_at_least_1(value: str) -> None:
    assert table("7").number("key") == 7

    assert refused(lambda: table(value).number("key"))[0] == "number"
    assert refused(lambda: table("7").number("other"))[0] == "number"


def test_toml_tables_and_keys_have_line_numbers() -> None:
    top = book().top(("first", "words", "box", "row"))
    box, rows = book().single_table("box"), book().table_list("row")

    assert (top.line, top.lines) == (1, {"first": 2, "words": 3, "box": 5, "row": 9})
    assert (box.line, box.lines) == (5, {"key": 6, "quoted key": 7})
    assert [(row.line, row.lines) for row in rows] == [
        (9, {"name": 10}),
        (12, {"name": 13, "many": 14}),
    ]
    assert (box.table("key").line, box.table("key").path) == (6, "box.key")
    book().check_row_count(2)


def test_toml_texts_lists_and_tables_are_read_as_written() -> None:
    box = book().single_table("box")

    assert book().table_list("row")[1].texts("many") == ("a",)
    assert box.text("quoted key") == "q"
    assert box.table("key").text("inner") == "x"


def test_unknown_or_missing_toml_key_is_refused_by_name_and_line() -> None:
    box = book().single_table("box")
    here = "b.toml, line"

    def of(*keys: str, optional: tuple[str, ...] = ()) -> tuple[str, str]:
        return refused(lambda: box.check_keys(keys, optional=optional))

    assert of("key") == ("keys", f"{here} 7, box.quoted key: read «quoted key»")
    assert of("key", "quoted key", "z", "y") == ("keys", f"{here} 5, box: read no y, z")
    assert of("key", "z") == ("keys", f"{here} 7, box.quoted key: read «quoted key»")
    assert of("key", "z", optional=("quoted key",)) == ("keys", f"{here} 5, box: read no z")
    box.check_keys(("key",), optional=("quoted key", "not there"))
    box.check_keys(("key", "quoted key"))


def test_refused_toml_keys_list_the_required_and_optional_keys() -> None:
    box = book().single_table("box")

    with pytest.raises(PolicyError, match=r"allowed: exactly key$"):
        box.check_keys(("key",))
    with pytest.raises(PolicyError, match=r"allowed: exactly key, and perhaps a, b$"):
        box.check_keys(("key",), optional=("b", "a"))


@pytest.mark.parametrize("value", ['"text"', "1", "[1]", "true"])
def test_toml_key_must_hold_a_table(value: str) -> None:
    assert refused(lambda: table(value).table("key"))[0] == "table"
    assert refused(lambda: table("{}").table("other")) == (
        "table",
        "b.toml, line 1, box.other: read «None»",
    )


@pytest.mark.parametrize("value", ["1", "[]", "{}", '""', '"  "', "true"])
def test_toml_text_must_be_a_string_that_is_not_blank(value: str) -> None:
    code, said = refused(lambda: table(value).text("key"))

    assert (code, said[:30]) == ("text", "b.toml, line 2, box.key: read ")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ('"a"', "list"),
        ("1", "list"),
        ('{ a = "a" }', "list"),
        ("[1]", "text"),
        ('["a", " "]', "text"),
        ('["a", ["a"]]', "text"),
        ('["a", "a"]', "twice"),
    ],
)
def test_toml_list_must_hold_texts_without_duplicates(value: str, code: str) -> None:
    assert refused(lambda: table(value).texts("key"))[0] == code


@pytest.mark.parametrize("value", ['"box"', "[1]", "[]"])
def test_named_toml_table_must_exist_and_be_a_table(value: str) -> None:
    said = "b.toml, line 2, box: read "

    assert refused(lambda: book(f"\nbox = {value}\n").single_table("box"))[1].startswith(said)
    assert refused(lambda: book("\n[row]\n").single_table("box")) == (
        "table",
        "b.toml, line 1, box: read «None»",
    )


@pytest.mark.parametrize("value", ['"row"', "1", "[]", "[1]", '[{ a = "a" }, 1]', "{}"])
def test_repeated_toml_tables_must_be_a_list_of_at_least_one_table(value: str) -> None:
    code, said = refused(lambda: book(f"\nrow = {value}\n").table_list("row"))

    assert (code, said[:26]) == ("list", "b.toml, line 2, row: read ")


def test_refusal_of_a_repeated_toml_table_names_the_line_of_the_first() -> None:
    assert refused(lambda: book().top(("first", "words", "box")))[1].startswith(
        "b.toml, line 9, row: read"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a = "b" # why\n', 1),
        ("\na = 'b'\n", 2),
        ('\n\na = """b\nc"""\n', 3),
        ('a = "b\n', 1),
    ],
)
def test_toml_line_with_a_trailing_comment_or_other_quotes_is_refused(text: str, line: int) -> None:
    code, said = refused(lambda: book(text))

    assert (code, said.partition(": ")[0]) == ("sign", f"b.toml, line {line}")


def test_toml_signs_inside_a_text_and_comment_lines_are_accepted() -> None:
    assert book('  # "quote" \' and #\na = "# \' \\" b"\n').top(("a",)).text("a") == "# ' \" b"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = = 1\n", 1),
        ("a = 1\na = 2\n", 2),
        ("\n\n[box\n", 3),
        ("a = 1\nb = [1,\n", 3),
        ("a = " + "[" * 2_000 + "\n", 1),
        ("a = " + "9" * 5_000 + "\n", 1),
    ],
)
def test_invalid_toml_is_refused_with_its_line(text: str, line: int) -> None:
    code, said = refused(lambda: book(text))

    assert (code, said.partition(": ")[0]) == ("toml", f"b.toml, line {line}")
    assert said.partition("read ")[2] not in ("", "«»")
