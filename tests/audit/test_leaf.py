"""Leaves: one encoding for the same facts, and commitments in place of personal text."""

import base64
import hashlib
import hmac

import pytest

from inbox.audit.leaf import commitment, leaf_bytes
from inbox.errors import Invalid

SALT = bytes(range(32))


def test_audit_leaf_is_canonical_json() -> None:
    leaf = leaf_bytes({"what": "message:opened", "b": {"ø": None, "a": 1}, "Z": "æ\n"})

    assert leaf == '{"Z":"æ\\n","b":{"a":1,"ø":null},"what":"message:opened"}'.encode()


def test_audit_leaf_does_not_depend_on_the_order_of_its_facts() -> None:
    assert leaf_bytes({"a": 1, "b": "2"}) == leaf_bytes({"b": "2", "a": 1})


@pytest.mark.parametrize("value", [1.5, [1], b"x", {1: "x"}, "\ud800"])
def test_audit_leaf_refuses_values_without_a_canonical_encoding(value: object) -> None:
    with pytest.raises(Invalid) as refused:
        leaf_bytes({"a": {"b": value}})  # type: ignore[dict-item] # what types would refuse

    assert refused.value.code == "audit.leaf"
    assert "\ud800" not in str(refused.value)


def test_commitment_is_the_hmac_of_its_text_under_the_salt() -> None:
    expected = hmac.new(SALT, b"Kari Nordmann", hashlib.sha256).digest()

    assert base64.b64decode(commitment(SALT, "Kari Nordmann")) == expected
    assert commitment(SALT, "Kari Nordmann") != commitment(SALT, "Kari Nordman")
    assert commitment(SALT, "Kari Nordmann") != commitment(SALT[::-1], "Kari Nordmann")


def test_commitment_accepts_text_with_lone_surrogates() -> None:
    assert commitment(SALT, "\ud800") != commitment(SALT, "\ud801")


def test_commitment_refuses_a_salt_shorter_than_16_bytes() -> None:
    with pytest.raises(Invalid) as refused:
        commitment(SALT[:15], "Kari Nordmann")

    assert refused.value.code == "audit.salt"
