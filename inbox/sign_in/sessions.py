"""Sessions of people: begun after a sign-in, read in every request, ended by those who may.

A cookie is a random value; all that it stands for is a row, read anew each time together with the
person, the capacity and the identity. Whatever of these has ended has ended at the next request.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from inbox import audit
from inbox.access.facts.capacities import active_capacities_of
from inbox.access.policy.vocabulary import Role
from inbox.access.question import Capacity
from inbox.domain import OrgNumber, PersonId, UnitId, new_id
from inbox.errors import NotFound
from inbox.language import TextLanguage
from inbox.line.upkeep.session_ends import end_sessions
from inbox.sign_in.tokens import is_token, new_token, token_digest
from inbox.store import Transaction
from inbox.tables import CapacityRow, Identity, Person, SessionRow, Unit, table_of
from inbox.tables.periods import active_on

IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=10)
STRONG_FOR: Final = timedelta(minutes=15)
ASK_EVERY: Final = timedelta(hours=1)
"""How long the word of a provider is enough."""
ASK_GRACE: Final = timedelta(minutes=15)
"""So much later nothing is taken either, unless the provider is known to be away."""
ASK_AGAIN: Final = timedelta(minutes=5)
"""A provider that was away is asked again then."""
KEPT_AFTER_END: Final = timedelta(minutes=30)
_SEEN_EVERY: Final = timedelta(minutes=1)
_SESSIONS: Final = table_of(SessionRow)


@dataclass(frozen=True, kw_only=True)
class ProviderWord:
    """Where a provider said who somebody is, with what names the end of it."""

    provider: str
    issuer: str
    identity: str
    session_hash: str | None = None
    subject_hash: str | None = None


@dataclass(frozen=True, kw_only=True)
class LiveSession:
    """A session that counts now, with what its rows say now."""

    id: str
    person: PersonId
    name: str
    language: TextLanguage | None
    capacity: Capacity | None
    unit_name: str
    provider: str | None
    identity: str | None
    strong: bool
    is_question_due: bool
    """The provider has to be asked whether the person is still signed in there."""
    is_word_stale: bool
    """It should have been asked long ago: nothing is taken until it was."""
    is_seen_lately: bool = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ListedSession:
    """A session in the list that a person sees of the own ones."""

    id: str
    began_at: datetime
    last_seen_at: datetime
    provider: str | None


@dataclass(frozen=True, kw_only=True)
class CapacityChoice:
    """One of the capacities that a person can choose."""

    id: str
    role: str
    unit_name: str


@dataclass(frozen=True, kw_only=True)
class DraftOwner:
    """Whose a draft is, and under which session's key it is sealed."""

    session: str
    person: str
    capacity: str | None


def begin_session(
    tx: Transaction,
    person: str,
    *,
    word: ProviderWord | None,
    strong: bool,
    in_place_of: str | None = None,
) -> str:
    """Begin a session after a sign-in; returns the value of its cookie, which stands nowhere.

    It never takes over a cookie that a browser brought. `in_place_of` is the id of the session that
    the browser had: that one ends. A person with one capacity acts in it at once.
    """
    if in_place_of is not None:
        end_session(tx, in_place_of, why="replaced")
    token, session_id = new_token(), new_id()
    capacities = active_capacities_of(tx, tx.now, person)
    tx.add(
        SessionRow(
            id=session_id,
            token_hash=token_digest(token),
            person=person,
            capacity=capacities[0].id if len(capacities) == 1 else None,
            identity=None if word is None else word.identity,
            provider=None if word is None else word.provider,
            issuer=None if word is None else word.issuer,
            provider_session=None if word is None else word.session_hash,
            provider_subject=None if word is None else word.subject_hash,
            began_at=tx.now,
            last_seen_at=tx.now,
            vouched_at=tx.now,
            ask_at=tx.now + (LONGEST if word is None else ASK_EVERY),
            strong_until=tx.now + STRONG_FOR if strong else None,
            expires_at=tx.now + LONGEST,
        )
    )
    _note(tx, "session:began", person, session_id, "strong" if strong else None)
    return token


def read_session(session: Session, now: datetime, token: str) -> LiveSession | None:
    """The session of a cookie, if it counts now: one statement."""
    if not is_token(token):
        return None
    found = session.execute(_LIVE, {"token_hash": token_digest(token), "on": now}).one_or_none()
    return None if found is None else _live_session(found, now)


def _live_select() -> sa.Select[tuple[object, ...]]:
    on: sa.BindParameter[datetime] = sa.bindparam("on", type_=SessionRow.__table__.c.began_at.type)  # type: ignore[attr-defined] # SQLModel hides the table
    identity_counts = sa.or_(_SESSIONS.c.identity.is_(None), col(Identity.id).is_not(None))
    return (
        sa.select(
            _SESSIONS,
            col(Person.name).label("person_name"),
            col(Person.language).label("person_language"),
            col(CapacityRow.id).label("capacity_id"),
            col(CapacityRow.role).label("role"),
            col(Unit.id).label("unit_id"),
            col(Unit.organisation).label("organisation"),
            col(Unit.name).label("unit_name"),
        )
        .select_from(_SESSIONS)
        .join(Person, sa.and_(col(Person.id) == _SESSIONS.c.person, active_on(Person, on)))
        .outerjoin(
            Identity,
            sa.and_(
                col(Identity.id) == _SESSIONS.c.identity,
                col(Identity.person) == _SESSIONS.c.person,
                active_on(Identity, on),
            ),
        )
        .outerjoin(
            CapacityRow,
            sa.and_(
                col(CapacityRow.id) == _SESSIONS.c.capacity,
                col(CapacityRow.person) == _SESSIONS.c.person,
                active_on(CapacityRow, on),
            ),
        )
        .outerjoin(Unit, sa.and_(col(Unit.id) == col(CapacityRow.unit), active_on(Unit, on)))
        .where(
            _SESSIONS.c.token_hash == sa.bindparam("token_hash"),
            _SESSIONS.c.ended_at.is_(None),
            _SESSIONS.c.expires_at > on,
            identity_counts,
        )
    )


_LIVE: Final = _live_select()


def _live_session(row: sa.Row[tuple[object, ...]], now: datetime) -> LiveSession | None:
    if now >= row.last_seen_at + IDLE:
        return None
    person = PersonId(row.person)
    strong = row.strong_until is not None and now < row.strong_until
    capacity = None
    if row.unit_id is not None:
        capacity = Capacity(
            id=row.capacity_id,
            role=Role(row.role),
            organisation=OrgNumber(row.organisation),
            person=person,
            unit=UnitId(row.unit_id),
            strong_auth=strong,
        )
    return LiveSession(
        id=row.id,
        person=person,
        name=row.person_name,
        language=row.person_language,
        capacity=capacity,
        unit_name=row.unit_name or "",
        provider=row.provider,
        identity=row.identity,
        strong=strong,
        is_question_due=now >= row.ask_at,
        is_word_stale=now >= max(row.ask_at, row.vouched_at + ASK_EVERY) + ASK_GRACE,
        is_seen_lately=now < row.last_seen_at + _SEEN_EVERY,
    )


def note_seen(tx: Transaction, session_id: str) -> None:
    """Put the idle end off; written once a minute at most. It never revives what has ended."""
    tx.execute(
        sa.update(_SESSIONS)
        .where(_SESSIONS.c.id == session_id, _SESSIONS.c.last_seen_at > tx.now - IDLE)
        .values(last_seen_at=tx.now)
    )


def renew_word(tx: Transaction, session_id: str) -> None:
    """The provider said that this person is still signed in there."""
    tx.execute(
        sa.update(_SESSIONS)
        .where(_SESSIONS.c.id == session_id)
        .values(vouched_at=tx.now, ask_at=tx.now + ASK_EVERY)
    )
    _note(tx, "session:vouched", _person_of(tx, session_id), session_id)


def put_off_question(tx: Transaction, session_id: str) -> None:
    """The provider is away: the session goes on, and it is asked again soon."""
    tx.execute(
        sa.update(_SESSIONS).where(_SESSIONS.c.id == session_id).values(ask_at=tx.now + ASK_AGAIN)
    )


def strengthen(tx: Transaction, session_id: str) -> str:
    """After a step-up: strong for a while, under a new cookie, whose value is returned."""
    token = new_token()
    tx.execute(
        sa.update(_SESSIONS)
        .where(_SESSIONS.c.id == session_id, _SESSIONS.c.ended_at.is_(None))
        .values(
            token_hash=token_digest(token),
            strong_until=tx.now + STRONG_FOR,
            vouched_at=tx.now,
            ask_at=sa.case(
                (_SESSIONS.c.provider.is_(None), _SESSIONS.c.ask_at), else_=tx.now + ASK_EVERY
            ),
        )
    )
    _note(tx, "session:strengthened", _person_of(tx, session_id), session_id)
    return token


def choose_capacity(tx: Transaction, session_id: str, person: str, capacity_id: str) -> None:
    """Act in this capacity from now on. Raises `NotFound` unless it is one of the person's now."""
    own = {each.id for each in active_capacities_of(tx, tx.now, person)}
    if capacity_id not in own:
        raise NotFound
    tx.execute(
        sa.update(_SESSIONS)
        .where(_SESSIONS.c.id == session_id, _SESSIONS.c.person == person)
        .values(capacity=capacity_id)
    )
    _note(tx, "session:capacity_chosen", person, session_id)


def capacities_of(session: Session, now: datetime, person: str) -> list[CapacityChoice]:
    """What the person can act in now, in the order of the names of units."""
    found = {each.id: each for each in active_capacities_of(session, now, person)}
    units = session.execute(
        sa.select(col(Unit.id), col(Unit.name)).where(
            col(Unit.id).in_({each.unit for each in found.values()})
        )
    )
    names = {row.id: row.name for row in units}
    choices = [
        CapacityChoice(id=each.id, role=each.role.value, unit_name=names[str(each.unit)])
        for each in found.values()
    ]
    return sorted(choices, key=lambda each: (each.unit_name, each.role, each.id))


def set_language(tx: Transaction, person: str, language: TextLanguage) -> None:
    """Keep the language that the person reads pages in."""
    people = table_of(Person)
    tx.execute(sa.update(people).where(people.c.id == person).values(language=language))


def sessions_of(session: Session, now: datetime, person: str) -> list[ListedSession]:
    """The person's sessions that count now, the latest first."""
    rows = session.exec(
        select(SessionRow)
        .where(
            col(SessionRow.person) == person,
            col(SessionRow.ended_at).is_(None),
            col(SessionRow.expires_at) > now,
            col(SessionRow.last_seen_at) > now - IDLE,
        )
        .order_by(col(SessionRow.began_at).desc(), col(SessionRow.id))
    )
    return [
        ListedSession(
            id=row.id,
            began_at=row.began_at,
            last_seen_at=row.last_seen_at,
            provider=row.provider,
        )
        for row in rows
    ]


def end_own_session(tx: Transaction, person: str, session_id: str) -> None:
    """End a session of this person. Raises `NotFound` if it is not theirs, or has ended."""
    if not end_sessions(
        tx, "signed_out", col(SessionRow.id) == session_id, col(SessionRow.person) == person
    ):
        raise NotFound


def end_session(tx: Transaction, session_id: str, *, why: str) -> None:
    """End a session; one that has ended stays as it ended."""
    end_sessions(tx, why, col(SessionRow.id) == session_id)


def end_sessions_at_provider(
    tx: Transaction, issuer: str, *, session_hash: str | None, subject_hash: str | None
) -> int:
    """End what the provider says has ended: that session of it, or all of that person.

    Where both are named both must fit, so one session ends and no other.
    """
    named = [col(SessionRow.issuer) == issuer]
    if session_hash is not None:
        named.append(col(SessionRow.provider_session) == session_hash)
    if subject_hash is not None:
        named.append(col(SessionRow.provider_subject) == subject_hash)
    if session_hash is None and subject_hash is None:
        return 0
    return end_sessions(tx, "provider", *named)


def has_session_at_provider(session: Session, issuer: str, session_hash: str) -> bool:
    """Whether a session stands that this provider's session began."""
    found = select(SessionRow.id).where(
        col(SessionRow.issuer) == issuer,
        col(SessionRow.provider_session) == session_hash,
        col(SessionRow.ended_at).is_(None),
    )
    return session.exec(found).first() is not None


def person_of_ended_session(session: Session, now: datetime, token: str) -> DraftOwner | None:
    """Whose session a cookie was, also for a while after its end; only for keeping a draft."""
    if not is_token(token):
        return None
    row = session.exec(
        select(SessionRow).where(col(SessionRow.token_hash) == token_digest(token))
    ).first()
    if row is None:
        return None
    ends = min(row.ended_at or row.expires_at, row.expires_at, row.last_seen_at + IDLE)
    if now >= ends + KEPT_AFTER_END:
        return None
    return DraftOwner(session=row.id, person=row.person, capacity=row.capacity)


def _person_of(session: Session, session_id: str) -> str:
    return session.get_one(SessionRow, session_id).person


def _note(
    tx: Transaction, event: str, person: str, session_id: str, code: str | None = None
) -> None:
    audit.record(tx, audit.Entry(event=event, who=person, subject=session_id, code=code))
