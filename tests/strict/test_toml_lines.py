"""The lines of keys, in files written to lead astray."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from inbox.strict.toml_lines import KeyPath, find_key_lines, nearest_line
from tests.routing.rule_books import NAME, POLICIES

ODD = '''
top = 1 # [not] = "a key"
[a."b.c"]
'x y' = """
[nothing] = 1
"""
list = [
    "[no]", # ] either
    { deep = 1 },
]
d.e = 'it''s'
[[rule]]
id = "\\"]\\\\"
[rule.when]
k = {a = "}", b = [1, 2]}
[[rule]]
id = """ "" """
[[rule.inner]]
n = 1.5
[[rule.inner]]
n = 2026-01-01T00:00:00
'''.replace("'it''s'", "'its'")


def test_toml_lines_are_found_for_headers_and_keys_outside_strings_and_comments() -> None:
    tomllib.loads(ODD)

    assert dict(find_key_lines(ODD)) == {
        ("top",): 2,
        ("a", "b.c"): 3,
        ("a", "b.c", "x y"): 4,
        ("a", "b.c", "list"): 7,
        ("a", "b.c", "d", "e"): 11,
        ("rule", 0): 12,
        ("rule", 0, "id"): 13,
        ("rule", 0, "when"): 14,
        ("rule", 0, "when", "k"): 15,
        ("rule", 1): 16,
        ("rule", 1, "id"): 17,
        ("rule", 1, "inner", 0): 18,
        ("rule", 1, "inner", 0, "n"): 19,
        ("rule", 1, "inner", 1): 20,
        ("rule", 1, "inner", 1, "n"): 21,
    }


def test_toml_key_without_a_line_gets_the_line_of_the_enclosing_key() -> None:
    lines = find_key_lines(ODD)

    assert nearest_line(lines, ("rule", 0, "when", "k", "a")) == 15
    assert nearest_line(lines, ("rule", 0, "to")) == 12
    assert nearest_line(lines, ("absent",)) is None
    assert nearest_line(lines, ()) is None


def test_toml_lines_are_correct_for_every_key_of_the_shipped_rules() -> None:
    text = (POLICIES / "routing" / NAME).read_text()
    rows, lines = text.splitlines(), find_key_lines(text)

    for path, line in lines.items():
        key = path[-1]
        assert rows[line - 1].startswith(f"[[{path[0]}]]" if isinstance(key, int) else ("[", key))
    for number, rule in enumerate(tomllib.loads(text)["rule"]):
        assert all(rows[lines["rule", number, key] - 1].startswith(f"{key} ") for key in rule)


@given(st.lists(st.tuples(st.text(max_size=8), st.integers(0, 3)), max_size=8))
def test_toml_lines_are_correct_with_any_strings_and_empty_lines_between_keys(
    drawn: list[tuple[str, int]],
) -> None:
    text, expected = "", dict[KeyPath, int]()
    for number, (value, empty) in enumerate(drawn):
        text += "# [[x]] = \n" * empty
        expected["rule", number] = text.count("\n") + 1
        text += "[[rule]]\n"
        expected["rule", number, "id"] = text.count("\n") + 1
        quoted = "".join(f"\\U{ord(sign):08x}" for sign in value)
        text += f'id = """{quoted}\n[[rule]]\nid = 1"""\n'

    assert dict(find_key_lines(text)) == expected
