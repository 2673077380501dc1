"""The envelope: every dialect is read, nothing that is not an arkivmelding gets through."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inbox.errors import PackageRejected
from inbox.package.envelope import Envelope, read_envelope
from inbox.simulator.packages.envelopes import sbd_json
from tests.package_builder import refusal

AT = datetime(2026, 8, 20, 7, 14, 2, tzinfo=UTC)


def read(change: Callable[[dict[str, Any]], object] = lambda _: None, **fields: Any) -> Envelope:
    sbd: dict[str, Any] = sbd_json(created_at=AT, **fields)
    change(sbd)
    return read_envelope(json.dumps(sbd).encode())


def header(sbd: dict[str, Any]) -> Any:
    return sbd["standardBusinessDocumentHeader"]


def scopes(sbd: dict[str, Any]) -> Any:
    return header(sbd)["businessScope"]["scope"]


def identify(role: str, value: str) -> Callable[[dict[str, Any]], object]:
    return lambda sbd: header(sbd)[role][0]["identifier"].update(value=value)


def dated(text: str) -> datetime | None:
    changed = read(
        lambda sbd: header(sbd)["documentIdentification"].update(creationDateAndTime=text)
    )
    return changed.created_at


def test_an_ordinary_envelope_is_read() -> None:
    envelope = read(
        message_id="0b6c2f2e",
        conversation_id="5f1c2a77",
        sender_ref="7f2d6c14",
        receiver_ref="77",
        channel="barnevern-01",
        body={"hoveddokument": "brev.pdf"},
    )

    assert (envelope.sender, envelope.main, envelope.receiver) == ("910077473", None, "910075918")
    assert (envelope.wire_id, envelope.conversation_id) == ("0b6c2f2e", "5f1c2a77")
    assert (envelope.sender_ref, envelope.receiver_ref) == ("7f2d6c14", "77")
    assert (envelope.message_channel, envelope.main_document) == ("barnevern-01", "brev.pdf")
    assert envelope.process == "urn:no:difi:profile:arkivmelding:taushetsbelagt:ver1.0"
    assert envelope.document_type == "urn:no:difi:arkivmelding:xsd::arkivmelding"
    assert envelope.created_at == AT
    assert envelope.expires_at == AT + timedelta(hours=24)


@pytest.mark.parametrize("value", ["0192:910077473", "9908:910077473", "910077473"])
def test_envelope_organisation_numbers_with_old_prefix_or_bare_are_read(value: str) -> None:
    assert read(identify("sender", value)).sender == "910077473"


def test_envelope_sender_on_behalf_of_another_keeps_both_organisations() -> None:
    envelope = read(sender="991825827:910077473")

    assert (envelope.sender, envelope.main) == ("910077473", "991825827")
    assert envelope.on_behalf_of == "910077473"
    assert read().on_behalf_of is None


@pytest.mark.parametrize("value", ["01010112345", "910077474", "0088:910077473", "", "a:b:c:d:e"])
def test_envelope_party_must_be_an_organisation_number(value: str) -> None:
    assert refusal(lambda: read(identify("sender", value))) == "envelope.sender"
    assert refusal(lambda: read(identify("receiver", value))) == "envelope.receiver"


def test_envelope_refusal_does_not_quote_the_refused_identifier() -> None:
    with pytest.raises(PackageRejected) as refused:
        read(identify("sender", "01010112345"))

    assert "01010112345" not in str(refused.value)


@pytest.mark.parametrize("field", ["instanceIdentifier", "identifier", "identfier"])
def test_sender_ref_is_found_under_every_spelling_of_identifier(field: str) -> None:
    def refer(sbd: dict[str, Any]) -> None:
        scopes(sbd).append({"type": "SENDER_REF", field: "2026/77"})

    assert read(refer).sender_ref == "2026/77"


def test_envelope_scopes_are_read_in_any_order_and_both_spellings() -> None:
    def turn(sbd: dict[str, Any]) -> None:
        scopes(sbd)[0]["type"] = "CONVERSATION_ID"
        scopes(sbd).insert(0, {"type": "JournalpostId", "instanceIdentifier": "1"})
        scopes(sbd).insert(0, "nonsense")

    assert read(turn, conversation_id="5f1c").conversation_id == "5f1c"


def test_unknown_members_of_an_envelope_are_ignored() -> None:
    def add(sbd: dict[str, Any]) -> None:
        sbd["more"] = header(sbd)["more"] = {"a": [1, None]}

    assert read(add).sender == "910077473"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-08-20T09:14:02.113+02:00", datetime(2026, 8, 20, 7, 14, 2, 113000, UTC)),
        ("2026-08-20T09:14:02.113456789+02:00", datetime(2026, 8, 20, 7, 14, 2, 113456, UTC)),
        ("2026-08-20T09:14:02", datetime(2026, 8, 20, 7, 14, 2, 0, UTC)),
        ("2026-01-20T09:14:02", datetime(2026, 1, 20, 8, 14, 2, 0, UTC)),
        ("2026-08-20T07:14:02Z", datetime(2026, 8, 20, 7, 14, 2, 0, UTC)),
        ("0001-01-01T00:00:00+02:00", None),
        ("yesterday", None),
    ],
)
def test_envelope_creation_time_is_read_in_every_sender_format_and_left_out_when_invalid(
    text: str, instant: datetime | None
) -> None:
    assert dated(text) == instant


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe{",
        b"[" * 100_000,
        b'{"a": 1, "a": 2}',
        b'{"a": "\\ud800"}',
        b'{"a": NaN}',
        b'{"a": [Infinity]}',
        b'{"a": -1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_envelope_must_be_valid_json(raw: bytes) -> None:
    assert refusal(lambda: read_envelope(raw)) == "envelope.not_json"


@pytest.mark.parametrize("raw", [b"[]", b"7", b'"arkivmelding"', b"null"])
def test_envelope_json_must_be_an_object(raw: bytes) -> None:
    assert refusal(lambda: read_envelope(raw)) == "envelope.not_sbd"


def test_envelope_wrapped_in_a_standard_business_document_member_is_refused() -> None:
    raw = json.dumps({"standardBusinessDocument": sbd_json()}).encode()

    assert refusal(lambda: read_envelope(raw)) == "envelope.not_sbd"


def test_envelope_must_have_its_business_message_in_any_letter_case() -> None:
    def rename(sbd: dict[str, Any]) -> None:
        sbd["Arkivmelding"] = sbd.pop("arkivmelding")

    assert read(rename).type == "arkivmelding"
    assert refusal(lambda: read(lambda sbd: sbd.pop("arkivmelding"))) == "envelope.not_sbd"


def test_envelope_with_two_conversation_ids_is_refused() -> None:
    def double(sbd: dict[str, Any]) -> None:
        scopes(sbd).append({"type": "ConversationId", "identifier": "another"})

    assert refusal(lambda: read(double)) == "envelope.not_sbd"


def test_envelope_with_two_senders_is_refused() -> None:
    def double(sbd: dict[str, Any]) -> None:
        header(sbd)["sender"] *= 2

    assert refusal(lambda: read(double)) == "envelope.sender"


def test_envelope_fields_with_control_characters_are_dropped_or_refused() -> None:
    assert read(sender_ref="a\x00b", channel="a\nb").sender_ref is None
    assert refusal(lambda: read(message_id="a\nb")) == "envelope.message_id"


def test_envelope_repr_contains_no_free_text() -> None:
    shown = repr(read(sender_ref="Kari", channel="Ola", body={"hoveddokument": "Per.pdf"}))

    assert not {"Kari", "Ola", "Per.pdf"} & set(shown.replace("'", " ").split())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=JSON, member=st.sampled_from(["sender", "documentIdentification", "businessScope"]))
def test_arbitrary_json_in_the_envelope_header_raises_only_package_rejected(
    value: object, member: str
) -> None:
    def strange(sbd: dict[str, Any]) -> None:
        header(sbd)[member] = value

    with suppress(PackageRejected):
        read(strange)
