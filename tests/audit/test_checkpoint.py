"""Checkpoints against published notes and keys, and against every kind of wrong note."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from inbox.audit.checkpoint import (
    ParsedCheckpoint,
    file_entry,
    read,
    sign,
    split_notes,
    verifier_key,
    verify,
)
from inbox.errors import IntegrityError, Invalid
from tests.audit.line_audit import VERIFIER

ORIGIN = "inbox.example.no/audit"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ROOT = hashlib.sha256(b"root").digest()
NOTE = sign(ORIGIN, 7, ROOT, KEY)

GO_KEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
GO_NOTE = (
    "go.sum database tree\n30055305\nmXfgRcJ0bG0j3CPdKwgGWtUzBUbX67saZGRmFuJGGsM=\n\n"
    "— sum.golang.org Az3grpgEild5qw7+5dtV13Kf1C2Xurm8q4fhdxvcsDHnqNTaxL2AFjBY+2TyGKevucFcAAlWFJ"
    "JYle3EJlDCrQ+y3A8=\n"
)


def test_a_real_checkpoint_of_the_go_checksum_database_verifies() -> None:
    ((name, _), public_key) = next(iter(VERIFIER.read_keys([GO_KEY]).items()))

    checkpoint = verify(GO_NOTE, public_key, "go.sum database tree", name=name)

    assert checkpoint.size == 30055305
    assert checkpoint.root.hex().startswith("9977e045")


def test_verifier_key_of_a_published_signer_matches_the_published_key() -> None:
    name = "PeterNeumann"
    seed = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
    key = Ed25519PrivateKey.from_private_bytes(seed)

    line = verifier_key(name, key.public_key())

    assert line == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def test_checkpoint_note_has_the_published_form() -> None:
    text, _, signature = NOTE.partition("\n\n")

    assert text == f"{ORIGIN}\n7\n{base64.b64encode(ROOT).decode()}"
    assert signature.startswith(f"— {ORIGIN} ")
    assert signature.endswith("=\n")


def test_signed_checkpoint_is_read_back_unchanged() -> None:
    expected = ParsedCheckpoint(origin=ORIGIN, size=7, root=ROOT)

    assert read(NOTE) == expected
    assert verify(NOTE, KEY.public_key(), ORIGIN) == expected


def test_checkpoint_with_any_character_changed_is_refused() -> None:
    for at, letter in enumerate(NOTE):
        for changed in {"A", "0", "\n", " ", chr(ord(letter) ^ 1)} - {letter}:
            with pytest.raises(IntegrityError):
                verify(NOTE[:at] + changed + NOTE[at + 1 :], KEY.public_key(), ORIGIN)


def test_checkpoint_cut_short_at_any_length_is_refused() -> None:
    for length in range(len(NOTE)):
        with pytest.raises(IntegrityError):
            verify(NOTE[:length], KEY.public_key(), ORIGIN)


def test_checkpoint_signature_in_noncanonical_base64_is_refused() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = NOTE[:-3] + alphabet[alphabet.index(NOTE[-3]) + 1] + NOTE[-2:]

    assert base64.b64decode(other.split()[-1]) == base64.b64decode(NOTE.split()[-1])
    with pytest.raises(IntegrityError):
        verify(other, KEY.public_key(), ORIGIN)


def test_checkpoint_of_another_key_or_another_log_is_refused() -> None:
    with pytest.raises(IntegrityError) as unsigned:
        verify(NOTE, OTHER_KEY.public_key(), ORIGIN)
    with pytest.raises(IntegrityError) as elsewhere:
        verify(NOTE, KEY.public_key(), "other.example.no/audit")

    assert unsigned.value.code == "audit.checkpoint_unsigned"
    assert elsewhere.value.code == "audit.checkpoint_origin"


def test_checkpoint_with_an_invalid_signature_beside_a_valid_one_is_refused() -> None:
    line = NOTE.splitlines(keepends=True)[-1]
    forged = sign(ORIGIN, 8, ROOT, KEY).splitlines(keepends=True)[-1]

    with pytest.raises(IntegrityError) as refused:
        verify(NOTE + forged, KEY.public_key(), ORIGIN)

    assert refused.value.code == "audit.checkpoint_signature"
    assert verify(NOTE + line, KEY.public_key(), ORIGIN).size == 7


def test_checkpoint_with_a_witness_signature_beside_ours_is_accepted() -> None:
    witness = sign("witness.example.no", 7, ROOT, OTHER_KEY).splitlines(keepends=True)[-1]

    assert verify(NOTE + witness, KEY.public_key(), ORIGIN).size == 7


@pytest.mark.parametrize(
    "note",
    [
        "",
        NOTE.replace("\n7\n", "\n07\n"),
        NOTE.replace("\n7\n", "\n-7\n"),
        NOTE.replace("\n7\n", "\n٧\n"),
        NOTE.replace("\n", "\r\n"),
        NOTE.replace(ORIGIN, "", 1),
        NOTE + "x" * 200_001 + "\n",
        NOTE.replace("— ", "-- "),
        NOTE.replace(base64.b64encode(ROOT).decode(), base64.b64encode(ROOT[1:]).decode()),
        f"{NOTE.partition(chr(10) * 2)[0]}\n\n— {ORIGIN} AAAA\n",
    ],
)
def test_malformed_checkpoint_note_is_refused(note: str) -> None:
    with pytest.raises(IntegrityError) as refused:
        read(note)

    assert refused.value.code == "audit.checkpoint_shape"


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "a\nb"])
def test_signing_a_checkpoint_refuses_an_invalid_origin(origin: str) -> None:
    with pytest.raises(Invalid):
        sign(origin, 7, ROOT, KEY)


def test_signing_a_checkpoint_refuses_an_invalid_size_or_root() -> None:
    with pytest.raises(Invalid):
        sign(ORIGIN, -1, ROOT, KEY)
    with pytest.raises(Invalid):
        sign(ORIGIN, 1, ROOT[1:], KEY)


def test_verifier_key_with_a_typing_error_is_refused() -> None:
    line = verifier_key(ORIGIN, KEY.public_key())

    assert [name for name, _ in VERIFIER.read_keys([line])] == [ORIGIN]
    for at, letter in enumerate(line):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever it says, it is refused
            VERIFIER.read_keys([line[:at] + chr(ord(letter) ^ 1) + line[at + 1 :]])


def test_many_checkpoint_notes_are_read_from_one_file() -> None:
    notes = [sign(ORIGIN, size, ROOT, KEY) for size in range(3)]

    assert split_notes("".join(map(file_entry, notes))) == notes
    assert split_notes("") == []


def test_torn_checkpoint_note_does_not_hide_the_other_notes_of_the_file() -> None:
    other = sign(ORIGIN, 9, ROOT, KEY)
    found = []

    for length in range(1, len(NOTE)):
        for note in split_notes(NOTE[:length] + "\n\n" + file_entry(other)):
            try:
                found.append(verify(note, KEY.public_key(), ORIGIN).size)
            except IntegrityError:
                found.append(-1)

    assert set(found) <= {-1, 7, 9}
    assert split_notes(file_entry(other) + NOTE[:30]) == [other, NOTE[:30]]
    assert split_notes(NOTE[:30] + "\n\n" + file_entry(NOTE) + file_entry(other))[1:] == [other]
