"""Tables of who signs in: identities at providers, codes that bind them, sessions, drafts."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field

from inbox.tables.columns import CODE_LENGTH, ID_LENGTH, Row, UtcDateTime

ISSUER_LENGTH = 300


class Identity(Row, table=True):
    """Who a person is at an identity provider; one identity is one person at any time."""

    __table_args__ = (
        Index(
            "uq_identity_open",
            "issuer",
            "subject_hash",
            unique=True,
            sqlite_where=text("active_until IS NULL"),
            postgresql_where=text("active_until IS NULL"),
        ),
        Index("ix_identity_subject", "subject_hash"),
        Index("ix_identity_person", "person"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    person: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    issuer: str = Field(max_length=ISSUER_LENGTH)
    subject_hash: str = Field(max_length=64)
    """Keyed hash of what names somebody at the provider: never an e-mail address or a name.

    A national id gives the same hash at every provider that tells it.
    """
    bound_by: str = Field(max_length=CODE_LENGTH)
    """How it was bound: `import`, or `code:` and the id of the code that two people issued."""
    active_from: datetime = Field(sa_type=UtcDateTime)
    active_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class BindingCode(Row, table=True):
    """A code that two people issued to a person, to be typed once after the first sign-in."""

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    person: str = Field(max_length=ID_LENGTH, foreign_key="person.id", index=True)
    code_hash: str = Field(max_length=64, unique=True)
    """Keyed hash of the code, which has 80 random bits."""
    issued_by: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    approved_by: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    issued_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When it was used, or another one was issued in its place."""
    identity: str | None = Field(default=None, max_length=ID_LENGTH, foreign_key="identity.id")
    """What it bound."""


class SessionRow(Row, table=True):
    """A person who is signed in in one browser; kept for half an hour past its end."""

    __table_args__ = (
        Index("ix_session_person", "person", "ended_at"),
        Index("ix_session_provider", "issuer", "provider_session"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    token_hash: str = Field(max_length=64, unique=True)
    """SHA-256 of the 32 random bytes in the cookie; replaced after a step-up."""
    person: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    capacity: str | None = Field(default=None, max_length=ID_LENGTH, foreign_key="capacity.id")
    """The one that the person acts in now; none before a choice."""
    identity: str | None = Field(default=None, max_length=ID_LENGTH, foreign_key="identity.id")
    """None where a personal code was the proof."""
    provider: str | None = Field(default=None, max_length=40)
    issuer: str | None = Field(default=None, max_length=ISSUER_LENGTH)
    provider_session: str | None = Field(default=None, max_length=64)
    """Keyed hash of the provider's `sid`, by which it ends the session."""
    provider_subject: str | None = Field(default=None, max_length=64)
    """Keyed hash of the provider's `sub`, for a provider that names no session."""
    began_at: datetime = Field(sa_type=UtcDateTime)
    last_seen_at: datetime = Field(sa_type=UtcDateTime)
    """To the minute."""
    vouched_at: datetime = Field(sa_type=UtcDateTime)
    """When the provider last said that this person is signed in there."""
    ask_at: datetime = Field(sa_type=UtcDateTime)
    """When the provider is asked again."""
    strong_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    """The end that no use puts off."""
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_for: str | None = Field(default=None, max_length=CODE_LENGTH)


class SignInRow(Row, table=True):
    """A sign-in under way: what only the browser that began it can finish, for ten minutes."""

    id: str = Field(primary_key=True, max_length=64)
    """SHA-256 of `state`, or of a random id where the provider has answered already."""
    browser: str = Field(max_length=64)
    """SHA-256 of the cookie of the browser that began it."""
    sealed: bytes
    """Nonce, verifier, return address: sealed under a key that is derived from that cookie."""
    tries: int = 0
    """How often a binding code was wrong."""
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class Draft(Row, table=True):
    """What somebody had typed into a form that could not be taken: kept for half an hour."""

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    session: str = Field(max_length=ID_LENGTH, foreign_key="session.id", index=True)
    """Whose key it is sealed under; the key goes with the session's row."""
    person: str = Field(max_length=ID_LENGTH, foreign_key="person.id")
    capacity: str | None = Field(default=None, max_length=ID_LENGTH, foreign_key="capacity.id")
    form: str = Field(max_length=200)
    """The address of the form, which has ids only."""
    sealed_fields: bytes
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class UsedLogoutToken(Row, table=True):
    """A logout token that was taken, so that it is not taken again."""

    id: str = Field(primary_key=True, max_length=64)
    """Keyed hash of issuer and `jti`."""
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
