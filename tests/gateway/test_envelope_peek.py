"""What is read of an SBD before it is ours."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.domain import CONFIDENTIAL_PROCESS
from inbox.errors import Unavailable
from inbox.gateway.envelope_peek import EnvelopeHeader, read_envelope_header
from tests.gateway.scripted_gateway import WIRE_ID, sbd


def glimpse_of(**change: str | None) -> EnvelopeHeader:
    return read_envelope_header(json.dumps(sbd(**change)).encode())  # type: ignore[arg-type]  # by name


def test_envelope_peek_reads_the_process_from_its_scope() -> None:
    assert glimpse_of().process == CONFIDENTIAL_PROCESS


@pytest.mark.parametrize(
    "value",
    ["0192:910075918", "910075918", "0192:910077473:910075918", "0192:910075918::source"],
)
def test_envelope_peek_receiver_is_the_organisation_acted_for(value: str) -> None:
    assert glimpse_of(receiver=value).receiver == "910075918"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-24T22:30:39.333599859+01:00", datetime(2026, 11, 24, 21, 30, 39, 333599, UTC)),
        ("2026-11-24T22:30:39", datetime(2026, 11, 24, 21, 30, 39, tzinfo=UTC)),
        ("2026-07-24T22:30:39", datetime(2026, 7, 24, 20, 30, 39, tzinfo=UTC)),
        ("2003-05-10T00:31:52Z", datetime(2003, 5, 10, 0, 31, 52, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("<leveringsfrist>", None),
        (None, None),
    ],
)
def test_envelope_expiry_is_norwegian_time_unless_an_offset_is_given(
    text: str | None, instant: datetime | None
) -> None:
    assert glimpse_of(expires=text).expires_at == instant


def test_wire_id_keeps_its_letter_case() -> None:
    assert glimpse_of(wire_id=WIRE_ID.upper()).wire_id == WIRE_ID.upper()


@pytest.mark.parametrize("wire_id", ["../peek", "a/b", "", "0b6c2f2e6c1f4a539a546f0a3c1d8e11"])
def test_wire_id_must_be_a_uuid(wire_id: str) -> None:
    assert glimpse_of(wire_id=wire_id).wire_id == ""


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000]
)
def test_envelope_peek_of_an_invalid_body_raises_garbled(body: bytes) -> None:
    with pytest.raises(Unavailable, match="garbled"):
        read_envelope_header(body)


NAMES = st.sampled_from(["identifier", "value", "scope", "type", "scopeInformation", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["ConversationId", "0192:", ""]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=6,
)
PARTS = st.sampled_from(["receiver", "documentIdentification", "businessScope"])


@given(header=st.dictionaries(PARTS, JSON))
def test_envelope_peek_survives_a_header_of_any_shape(header: dict[str, object]) -> None:
    read_envelope_header(json.dumps({"standardBusinessDocumentHeader": header}).encode())
