"""Reads JSON so that it has one meaning: no member twice, and no NaN."""

import json


def read_json(raw: bytes) -> object:
    """The value; raises `ValueError` for what is no JSON, or JSON that readers take differently.

    Refused are a member that occurs twice, NaN and the infinities (also as a number too large for
    a float), nesting too deep to read, and bytes that are not UTF-8.
    """
    try:
        value = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_members_once)
        json.dumps(value, allow_nan=False)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    return value


def _members_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members
