"""JSON from outside has one meaning, or none."""

import pytest

from inbox.strict.json_text import read_json


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'\xff\xfe{"',
        b"[" * 100_000,
        b'{"a": 1, "a": 1}',
        b'[{"b": {"a": 1, "\\u0061": 2}}]',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"[-Infinity]",
        b'{"a": 1e999}',
        b'{"a": [-1e400]}',
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_json_with_no_meaning_or_two_meanings_raises_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the type is the contract
        read_json(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'\xef\xbb\xbf{"a": [1, 1.5e3, null, true]}', {"a": [1, 1500.0, None, True]}),
        (b'{"a": {"b": 1}, "b": 2}', {"a": {"b": 1}, "b": 2}),
        (b'"NaN"', "NaN"),
    ],
)
def test_json_with_one_meaning_is_read(raw: bytes, value: object) -> None:
    assert read_json(raw) == value
