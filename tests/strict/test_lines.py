"""Bytes of a policy file are lines, or a refusal that says where and shows little of it."""

import pytest

from inbox.errors import PolicyError
from inbox.strict.lines import policy_position, read_lines, read_text
from inbox.strict.source_text import MAX_BYTES


def test_refusal_quotes_at_most_80_characters() -> None:
    for length, shown in ((80, "a" * 80), (81, "a" * 80 + "…")):
        place = policy_position("f").at_line(1)
        said = place.refuse("x", "a" * length, "b").reason
        assert said == f"f, line 1: read «{shown}»; allowed: b"


def test_policy_file_larger_than_256_kib_is_refused() -> None:
    assert MAX_BYTES == 262_144
    assert read_text("f", b"a" * MAX_BYTES) == "a" * MAX_BYTES
    with pytest.raises(PolicyError) as refused:
        read_text("f", b"a" * (MAX_BYTES + 1))
    assert refused.value.code == "policy.too_large"


@pytest.mark.parametrize(
    ("raw", "code", "line"),
    [
        (b"a\xff", "policy.encoding", 1),
        (b"a\nb\n\xff", "policy.encoding", 3),
        (b"\xff\n\xff", "policy.encoding", 1),
        (b"\n\xff", "policy.encoding", 2),
        (b"\xef\xbb\xbfa", "policy.byte_order_mark", 1),
        (b"a\nb\tc\n", "policy.character", 2),
        ("a\n\nb\u00a0c".encode(), "policy.no_break_space", 3),
        (b"a\nb\r\n", "policy.line_end", 2),
        ("a\u200bb".encode(), "policy.character", 1),
    ],
)
def test_bytes_other_than_plain_utf8_text_are_refused_with_their_line(
    raw: bytes, code: str, line: int
) -> None:
    with pytest.raises(PolicyError) as refused:
        read_text("f", raw)

    assert refused.value.code == code
    assert refused.value.reason.startswith(f"f, line {line}: read ")


def test_lines_keep_their_numbers_and_comments_are_skipped() -> None:
    lines = read_lines("f", b"# rows: 2\n\n  a b  \n# c\nd\n")

    assert [(line.number, line.text) for line in lines] == [(3, "a b"), (5, "d")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n", "f, line 1: read 0 such lines; allowed: one line `# rows: 1`"),
        ("# rows: 1\na\n# rows: 1\n", "f, line 3: read 2 such lines; allowed: one line"),
        ("# c\n# rows: 2\na\n", "f, line 2: read 1 rows; allowed: the 2 that the file states"),
        ("# rows: 0\na\n", "f, line 1: read 1 rows; allowed: the 0 that the file states"),
        ("# rows: 12345\na\n", "f, line 1: read 0 such lines"),
    ],
)
def test_row_count_must_be_stated_once_and_match_the_rows(text: str, said: str) -> None:
    with pytest.raises(PolicyError) as refused:
        read_lines("f", text.encode())

    assert refused.value.reason.startswith(said)
