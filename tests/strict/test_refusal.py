"""One way to refuse a file: the same parts in three languages, and a word for each odd sign."""

import ast
import re
import string
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import inbox
from inbox.access.files.phrases import POLICY_PHRASES
from inbox.access.review.lint import LINT_PHRASES
from inbox.directory.format.csv_folder import read_folder
from inbox.directory.format.phrases import DIRECTORY_PHRASES
from inbox.directory.format.toml_file import read_directory
from inbox.errors import InboxError
from inbox.language import TextLanguage
from inbox.routing.phrases import ROUTING_PHRASES
from inbox.routing.rule_reader import read_unchecked_rules
from inbox.strict.lines import read_lines
from inbox.strict.phrases import READER_PHRASES, PhraseBook
from inbox.strict.refusal import FileFamily, FileRefusal, ReadPosition, refusal_of

SOURCE = Path(inbox.__file__).parent
BOOKS = {
    "READER_PHRASES": READER_PHRASES,
    "ROUTING_PHRASES": ROUTING_PHRASES,
    "DIRECTORY_PHRASES": DIRECTORY_PHRASES,
    "LINT_PHRASES": LINT_PHRASES,
    "POLICY_PHRASES": POLICY_PHRASES,
}


@cache
def _used() -> dict[str, dict[str, set[frozenset[str]]]]:
    """By book and phrase, the values that are given where it is said."""
    found: dict[str, dict[str, set[frozenset[str]]]] = {name: {} for name in BOOKS}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in BOOKS
                and isinstance(node.args[0], ast.Constant)
            ):
                values = frozenset(keyword.arg or "" for keyword in node.keywords)
                found[node.func.id].setdefault(str(node.args[0].value), set()).add(values)
    return found


def _names_in(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


@pytest.mark.parametrize("name", BOOKS)
def test_every_phrase_is_said_somewhere_with_the_values_of_its_texts(name: str) -> None:
    book: PhraseBook = BOOKS[name]
    table, used = book.table(), _used()[name]

    assert used
    assert table.keys() == used.keys()
    for phrase, texts in table.items():
        assert {_names_in(text) for text in texts.values()} == used[phrase], phrase


def _refusal(error: InboxError) -> FileRefusal:
    refusal = refusal_of(error)
    assert refusal is not None
    return refusal


def test_refusal_has_the_same_parts_in_each_language() -> None:
    place = ReadPosition(file="f.toml", lines={("rule", 0): 7}).at("inside", "rule", 0, "to")

    refusal = place.refusal("unknown", "bvv", READER_PHRASES("text"), names=["bv", "ppt"])

    assert refusal.code == "routing.unknown"
    assert {language.value: refusal.text(language) for language in TextLanguage} == {
        "en": "f.toml, line 7, inside: read «bvv»; allowed: a text; nearest: bv",
        "nb": "f.toml, linje 7, inside: leste «bvv»; tillatt: en tekst; nærmest: bv",
        "nn": "f.toml, linje 7, inside: las «bvv»; lov: ein tekst; nærast: bv",
    }


def test_error_of_a_refusal_is_in_english_and_has_the_family_of_its_file() -> None:
    errors = [
        ReadPosition(file="f", family=family).at_line(2).refuse("empty", "x", "y")
        for family in FileFamily
    ]

    assert [error.code for error in errors] == ["policy.empty", "routing.empty", "directory.empty"]
    assert {error.reason for error in errors} == {"f, line 2: read «x»; allowed: y"}


POLICY = "# rows: 1\n{row}\n"
RULES = "# rows: 0\n[desk]\nunit = {value}\n"
PEOPLE = 'organisation = "910075918"\n[[person]]\nid = {value}\n'


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [
        ("a b\r", "line_end", "linjeslutt fra Windows"),
        ("a\u00a0b", "no_break_space", "et hardt mellomrom"),
        ("a \u201cb\u201d", "curly_quote", "et krøllet anførselstegn (\u201c)"),
        ("a; b", "semicolon", "et semikolon"),
        ("\ufeffa b", "character", "leste «'\\ufeffa b'»"),
    ],
)
def test_policy_row_with_an_odd_sign_is_refused_in_words(row: str, code: str, said: str) -> None:
    with pytest.raises(InboxError) as refused:
        read_lines("allow.csv", POLICY.format(row=row).encode())

    assert refused.value.code == f"policy.{code}"
    assert _refusal(refused.value).line == 2
    assert said in _refusal(refused.value).sentence(TextLanguage.NB)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("\u201cdesk\u201d", "curly_quote"),
        ('"desk";', "semicolon"),
        ('\u00a0"desk"', "no_break_space"),
        ('"a\u00a0\u201cb\u201d;c" x', "toml"),
        ("desk", "toml"),
    ],
)
def test_routing_and_directory_files_with_an_odd_sign_are_refused_in_words(
    value: str, code: str
) -> None:
    with pytest.raises(InboxError) as rules:
        read_unchecked_rules("910075918.toml", RULES.format(value=value).encode())
    with pytest.raises(InboxError) as people:
        read_directory(PEOPLE.format(value=value).encode())

    assert (rules.value.code, people.value.code) == (f"routing.{code}", f"directory.{code}")
    assert [_refusal(each.value).line for each in (rules, people)] == [3, 3]


@pytest.mark.parametrize("family", ["routing", "directory", "policy"])
def test_byte_order_mark_is_refused_in_the_same_words_everywhere(family: str) -> None:
    raw = b"\xef\xbb\xbf# rows: 0\n"
    readers: dict[str, Callable[[], object]] = {
        "routing": lambda: read_unchecked_rules("910075918.toml", raw),
        "directory": lambda: read_directory(raw),
        "policy": lambda: read_lines("allow.csv", raw),
    }

    with pytest.raises(InboxError) as refused:
        readers[family]()

    assert refused.value.code == f"{family}.byte_order_mark"
    assert re.search("an invisible byte order mark", refused.value.reason)


def test_windows_line_ends_of_stored_rules_and_of_a_directory_are_read() -> None:
    rules = '[units]\nd = "D"\n[desk]\nunit = "d"\ntakes_all = true\n# rows: 0\n'
    people = 'organisation = "910075918"\n[[person]]\nid = "a"\nname = "A"\n'

    book = read_unchecked_rules("910075918.toml", rules.replace("\n", "\r\n").encode())
    directory = read_directory(people.replace("\n", "\r\n").encode())

    assert (book.desk, len(directory.rows)) == ("d", 1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("id;name\r\na;A\r\n", "semicolon"),
        ("\u201cid\u201d,name\na,A\n", "curly_quote"),
        ("id,name\na\u00a0b,A\n", "no_break_space"),
        ("id,name\n\u201ca,b\u201d,A\n", "curly_quote"),
        ("\ufeffid,name\na,A\n", "byte_order_mark"),
    ],
)
def test_csv_of_a_spreadsheet_is_refused_in_words_without_its_names(
    tmp_path: Path, text: str, code: str
) -> None:
    (tmp_path / "organisation.csv").write_text("organisation\n910075918\n")
    (tmp_path / "people.csv").write_bytes(text.encode())

    with pytest.raises(InboxError) as refused:
        read_folder(tmp_path)

    assert refused.value.code == f"directory.{code}"
    assert _refusal(refused.value).file == "people.csv"


def test_csv_with_windows_line_ends_is_read(tmp_path: Path) -> None:
    (tmp_path / "organisation.csv").write_bytes(b"organisation\r\n910075918\r\n")
    (tmp_path / "people.csv").write_bytes(b"id,name\r\na,Anne\r\n")

    assert [len(rows) for rows in read_folder(tmp_path).rows.values()] == [1]
