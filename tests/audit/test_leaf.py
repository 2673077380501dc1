"""Leaves: one encoding for the same facts, and commitments in place of personal text."""

import base64
import hashlib
import hmac

import pytest

from inbox.audit.leaf import commitment, leaf_bytes
from inbox.errors import Invalid

SALT = bytes(range(32))


def test_a_leaf_is_canonical_json() -> None:
    leaf = leaf_bytes({"what": "message:opened", "b": {"ø": None, "a": 1}, "Z": "æ\n"})

    assert leaf == '{"Z":"æ\\n","b":{"a":1,"ø":null},"what":"message:opened"}'.encode()


def test_the_order_of_the_facts_does_not_matter() -> None:
    assert leaf_bytes({"a": 1, "b": "2"}) == leaf_bytes({"b": "2", "a": 1})


@pytest.mark.parametrize("value", [1.5, [1], b"x", {1: "x"}, "\ud800"])
def test_what_has_no_one_encoding_is_refused(value: object) -> None:
    with pytest.raises(Invalid) as refused:
        leaf_bytes({"a": {"b": value}})  # type: ignore[dict-item] # what types would refuse

    assert refused.value.code == "audit.leaf"
    assert "\ud800" not in str(refused.value)


def test_a_commitment_shows_what_it_spoke_of_to_who_has_the_salt() -> None:
    expected = hmac.new(SALT, b"Kari Nordmann", hashlib.sha256).digest()

    assert base64.b64decode(commitment(SALT, "Kari Nordmann")) == expected
    assert commitment(SALT, "Kari Nordmann") != commitment(SALT, "Kari Nordman")
    assert commitment(SALT, "Kari Nordmann") != commitment(SALT[::-1], "Kari Nordmann")


def test_text_that_is_no_unicode_does_not_stop_a_commitment() -> None:
    assert commitment(SALT, "\ud800") != commitment(SALT, "\ud801")


def test_a_salt_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        commitment(SALT[:15], "Kari Nordmann")

    assert refused.value.code == "audit.salt"
