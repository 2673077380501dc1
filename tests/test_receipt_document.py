"""The kvittering: its id, its body, and that nothing confidential can stand in it."""

import json
import uuid
from pathlib import Path

import pytest

from inbox.domain import OrgNumber
from inbox.receipt_document import (
    REFUSALS,
    ReceiptContent,
    ReceiptType,
    is_archive_reference,
    receipt_body,
    receipt_id,
)

OURS, SENDER = OrgNumber("910075918"), OrgNumber("910077473")


def _answer(**changes: object) -> ReceiptContent:
    values: dict[str, object] = {
        "organisation": OURS,
        "sender": SENDER,
        "wire_id": "0b6c2f2e-6c1f-4a53-9a54-6f0a3c1d8e11",
        "conversation_id": "5f1c2a77-0d3e-4d5b-8a51-1f8f0b2c9a42",
        "outcome": ReceiptType.OK,
        "reference": "2026/001234-1",
    }
    return ReceiptContent(**(values | changes))  # type: ignore[arg-type] # every field by name


def _id(**changes: object) -> str:
    values: dict[str, object] = {
        "organisation": OURS,
        "channel": "eformidling",
        "wire_id": "w",
        "outcome": "OK",
        "number": 1,
    }
    return receipt_id(**(values | changes))  # type: ignore[arg-type] # every field by name


def test_receipt_id_is_a_stable_lower_case_uuid5() -> None:
    assert _id() == _id()
    assert _id() == _id().lower()
    assert uuid.UUID(_id()).version == 5


@pytest.mark.parametrize(
    "change", [{"wire_id": "W"}, {"outcome": "ERROR"}, {"number": 2}, {"channel": "other"}]
)
def test_receipt_id_differs_for_another_message_outcome_number_or_channel(
    change: dict[str, object],
) -> None:
    assert _id(**change) != _id()


def test_receipt_without_a_conversation_uses_its_own_id() -> None:
    body = receipt_body(_answer(conversation_id=None), "r-1")

    assert '"instanceIdentifier": "r-1", "identifier"' in json.dumps(body)


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_refusal_receipt_contains_its_code_and_the_listed_text(code: str) -> None:
    body = receipt_body(_answer(outcome=ReceiptType.ERROR, refusal=code, reference=None), "r")

    message = body["arkivmelding_kvittering"]["messages"]  # type: ignore[index] # a literal
    assert message == [{"code": code, "text": REFUSALS[code]}]


def test_receipt_body_with_an_unlisted_refusal_code_raises_key_error() -> None:
    with pytest.raises(KeyError):
        receipt_body(_answer(outcome=ReceiptType.ERROR, refusal="Pasienten er"), "r")


@pytest.mark.samples
def test_receipt_body_matches_the_published_example(samples: Path) -> None:
    sample = json.loads((samples / "composed" / "sbd_kvittering_OK.json").read_text())
    receipt = sample["standardBusinessDocumentHeader"]["documentIdentification"][
        "instanceIdentifier"
    ]

    assert receipt_body(_answer(), receipt) == sample


@pytest.mark.parametrize(
    "text",
    ["2026/001234-1", "1", "sak 17", "Journalpost nr. 20260001", "٣", "c0a8f2b4", "x" * 199 + "1"],
)
def test_archive_reference_is_one_line_with_a_number(text: str) -> None:
    assert is_archive_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\t", "\u00a0", "\u200b1", "\u2800", "-", "0", "0000/000000-0", "null", "None"),
        *("N/A", "2026\n1", "x" * 200 + "1", "½", "00000000-0000-0000-0000-000000000000"),
    ],
    ids=ascii,
)
def test_archive_reference_is_never_blank_marks_zeros_or_a_word(text: str) -> None:
    assert not is_archive_reference(text)
