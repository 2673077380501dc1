"""Keys: made once, closed to others, wrapped and unwrapped, and nothing opens out of place."""

import copy
import pickle
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from inbox.errors import ConfigurationError, IntegrityError
from inbox.keys import DataKey, Keyring, WrappedDataKey

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
KEYRING = Keyring(
    keks={"old": b"o" * 32, "new": b"n" * 32}, active="new", lookup=b"l" * 32, audit_seed=b"a" * 32
)
OTHERS = Keyring(keks={"new": b"x" * 32}, active="new", lookup=b"l" * 32, audit_seed=b"a" * 32)
TITLE = b"Bekymringsmelding"


@pytest.fixture
def data_key() -> DataKey:
    return KEYRING.new_data_key()[0]


def test_keyring_refuses_keys_of_the_wrong_length() -> None:
    with pytest.raises(ConfigurationError):
        Keyring(keks={"k": b"short"}, active="k", lookup=b"l" * 32, audit_seed=b"a" * 32)


def test_unwrapped_data_key_equals_the_original() -> None:
    data_key, wrapped = KEYRING.new_data_key()

    again = KEYRING.unwrap(wrapped)

    assert again.object_key() == data_key.object_key()
    assert again.unseal(_sealed(data_key), table="t", column="c", row="r") == TITLE


def test_unwrap_with_an_unknown_kek_raises_configuration_error() -> None:
    wrapped = KEYRING.new_data_key()[1]

    with pytest.raises(ConfigurationError) as refused:
        KEYRING.unwrap(WrappedDataKey(kek_id="gone", wrapped=wrapped.wrapped))

    assert refused.value.code == "keys.unknown_kek"


def test_unwrap_with_a_wrong_key_or_changed_bytes_raises_integrity_error() -> None:
    wrapped = KEYRING.new_data_key()[1]
    changed = [
        bytes([*wrapped.wrapped[:at], byte ^ 1, *wrapped.wrapped[at + 1 :]])
        for at, byte in enumerate(wrapped.wrapped)
    ]

    for text in [*changed, wrapped.wrapped[:-8], wrapped.wrapped[:5], b""]:
        with pytest.raises(IntegrityError):
            KEYRING.unwrap(WrappedDataKey(kek_id="new", wrapped=text))
    for keyring, kek_id in [(KEYRING, "old"), (OTHERS, "new")]:
        with pytest.raises(IntegrityError):
            keyring.unwrap(WrappedDataKey(kek_id=kek_id, wrapped=wrapped.wrapped))


def test_rewrap_moves_to_the_active_kek_and_can_be_repeated() -> None:
    retired = Keyring(keks={"old": b"o" * 32}, active="old", lookup=b"l" * 32, audit_seed=b"a" * 32)
    data_key, wrapped = retired.new_data_key()

    once = KEYRING.rewrap(wrapped)

    assert once.kek_id == "new"
    assert KEYRING.unwrap(once).object_key() == data_key.object_key()
    assert KEYRING.rewrap(once) == once


def test_sealed_value_opens_only_for_its_own_table_column_and_row(data_key: DataKey) -> None:
    sealed = data_key.seal(TITLE, table="ab", column="c", row="d")
    places = [
        ("a", "bc", "d"),
        ("ab", "cd", ""),
        ("abc", "", "d"),
        ("ab", "c", "e"),
        ("b", "c", "d"),
    ]

    assert data_key.unseal(sealed, table="ab", column="c", row="d") == TITLE
    for table, column, row in places:
        with pytest.raises(IntegrityError):
            data_key.unseal(sealed, table=table, column=column, row=row)


def test_changed_or_truncated_sealed_value_raises_integrity_error(data_key: DataKey) -> None:
    sealed = _sealed(data_key)
    changed = [bytes([*sealed[:at], byte ^ 1, *sealed[at + 1 :]]) for at, byte in enumerate(sealed)]

    for text in [*changed, *(sealed[:length] for length in range(len(sealed)))]:
        with pytest.raises(IntegrityError):
            data_key.unseal(text, table="t", column="c", row="r")


def test_sealed_value_does_not_open_with_another_data_key(data_key: DataKey) -> None:
    with pytest.raises(IntegrityError) as refused:
        KEYRING.new_data_key()[0].unseal(_sealed(data_key), table="t", column="c", row="r")

    assert refused.value.code == "keys.unseal"


@given(st.binary(), st.text(max_size=9), st.text(max_size=9), st.text(max_size=9))
def test_unseal_returns_the_sealed_content(
    content: bytes, table: str, column: str, row: str
) -> None:
    data_key = DataKey(bytes(32))

    sealed = data_key.seal(content, table=table, column=column, row=row)

    assert data_key.unseal(sealed, table=table, column=column, row=row) == content


def test_sealing_the_same_value_twice_gives_different_ciphertexts(data_key: DataKey) -> None:
    assert _sealed(data_key) != _sealed(data_key)
    assert TITLE not in _sealed(data_key)


def test_sealed_value_follows_the_written_format_and_derived_field_key() -> None:
    secret = bytes(range(32))
    sealed = DataKey(secret).seal(b"x", table="tbl", column="col", row="é")
    field_key = HKDFExpand(hashes.SHA256(), 32, b"inbox/1 field").derive(secret)
    object_key = HKDFExpand(hashes.SHA256(), 32, b"inbox/1 object").derive(secret)
    place = b"\0\0\0\1\1" + b"\0\0\0\3tbl" + b"\0\0\0\3col" + b"\0\0\0\2\xc3\xa9"

    assert sealed[0] == 1
    assert AESGCM(field_key).decrypt(sealed[1:13], sealed[13:], place) == b"x"
    assert DataKey(secret).object_key() == object_key != field_key


@pytest.mark.parametrize("secret", [KEYRING, DataKey(bytes(32))])
def test_keyring_and_data_key_cannot_be_printed_pickled_or_copied(secret: object) -> None:
    assert repr(secret) in {"<Keyring active=new>", "<DataKey>"}
    assert str(secret) == repr(secret)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.copy(secret)


def test_lookup_hash_matches_only_the_same_value_kind_and_key() -> None:
    found = KEYRING.lookup_hash("case", "2026/1")
    other_key = Keyring(keks={"k": b"o" * 32}, active="k", lookup=b"m" * 32, audit_seed=b"a" * 32)

    assert found == OTHERS.lookup_hash("case", "2026/1")
    assert len(found) == 32
    assert found != KEYRING.lookup_hash("cas", "e2026/1")
    assert found != other_key.lookup_hash("case", "2026/1")
    assert KEYRING.lookup_hash("case", "\ud800")


def test_keyring_signer_signature_verifies_with_its_public_key() -> None:
    public_key = KEYRING.signer().public_key()

    public_key.verify(KEYRING.signer().sign(b"x"), b"x")


def test_key_proof_does_not_hold_for_another_keyring() -> None:
    keks = {"old": b"o" * 32, "new": b"n" * 32}
    others = [
        OTHERS,
        Keyring(keks={"old": b"o" * 32}, active="old", lookup=b"l" * 32, audit_seed=b"a" * 32),
        Keyring(keks=keks, active="new", lookup=b"L" * 32, audit_seed=b"a" * 32),
        Keyring(keks=keks, active="new", lookup=b"l" * 32, audit_seed=b"A" * 32),
    ]

    assert KEYRING.matches_proof(KEYRING.proof())
    assert [other.matches_proof(KEYRING.proof()) for other in others] == [False] * 4


@pytest.mark.parametrize(
    "proof", [b"", b"{", b"[]", b"{}", b'{"kek":"new","wrapped":1}', b"\xff", b"null"]
)
def test_malformed_key_proof_is_rejected(proof: bytes) -> None:
    assert KEYRING.matches_proof(proof) is False


def _sealed(data_key: DataKey) -> bytes:
    return data_key.seal(TITLE, table="t", column="c", row="r")
