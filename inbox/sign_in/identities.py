"""Whose identity it is that signed in: by our own rows, and by nothing else that a token says."""

from inbox.directory.identity_rows import find_identity, identity_hash
from inbox.keys import Keyring
from inbox.sign_in.oidc.id_token import SignedInWord
from inbox.sign_in.oidc.provider_terms import SUBJECT_CLAIMS, ProviderKind, ProviderTerms
from inbox.store import Transaction
from inbox.tables import Identity, Person
from inbox.tables.periods import is_active_on


def subject_text(kind: ProviderKind, subject: tuple[str, ...]) -> str:
    """The subject as the directory writes it: `pid:…`, `oid:<tid>/<oid>` or `sub:…`."""
    return f"{SUBJECT_CLAIMS[kind][-1]}:{'/'.join(subject)}"


def hash_of_word(keyring: Keyring, terms: ProviderTerms, word: SignedInWord) -> str:
    """The keyed hash of who signed in."""
    return identity_hash(keyring, terms.issuer, subject_text(terms.kind, word.subject))


def session_hash(keyring: Keyring, issuer: str, sid: str) -> str:
    """The keyed hash of a provider's session."""
    return keyring.lookup_hash("provider_session", f"{issuer}\n{sid}").hex()


def sub_hash(keyring: Keyring, issuer: str, sub: str) -> str:
    """The keyed hash of a provider's `sub`, by which it names a person when it signs them out."""
    return keyring.lookup_hash("provider_subject", f"{issuer}\n{sub}").hex()


def active_identity(tx: Transaction, issuer: str, subject_hash: str) -> Identity | None:
    """The identity, if it counts now and its person works here."""
    identity = find_identity(tx, issuer, subject_hash)
    if identity is None:
        return None
    person = tx.get(Person, identity.person)
    return identity if person is not None and is_active_on(person, tx.now) else None
