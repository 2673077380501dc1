"""Sessions: what a cookie stands for at each request, and what ends it."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from inbox.access.facts.capacities import active_capacities_of
from inbox.errors import NotFound
from inbox.sign_in import sessions
from inbox.sign_in.sessions import LiveSession, ProviderWord
from inbox.tables import CapacityRow, Identity, Person, SessionRow, table_of
from tests.worlds import World

ISSUER = "https://login.example"


def begin(
    world: World, person: str = "anne", *, strong: bool = False, provider: bool = True
) -> str:
    with world.line.store.transaction() as tx:
        word = None
        if provider:
            identity = Identity(
                id=f"identity-{person}",
                person=person,
                issuer=ISSUER,
                subject_hash=person,
                bound_by="import",
                active_from=tx.now,
            )
            tx.merge(identity)
            tx.flush()
            word = ProviderWord(
                provider="p",
                issuer=ISSUER,
                identity=identity.id,
                session_hash=f"sid-{person}",
                subject_hash=f"sub-{person}",
            )
        return sessions.begin_session(tx, person, word=word, strong=strong)


def read(world: World, token: str) -> LiveSession | None:
    with world.line.store.reading() as tx:
        return sessions.read_session(tx, tx.now, token)


def live(world: World, token: str) -> LiveSession:
    found = read(world, token)
    assert found is not None
    return found


def use(world: World, token: str) -> None:
    with world.line.store.transaction() as tx:
        sessions.note_seen(tx, live(world, token).id)


def test_session_of_a_person_with_one_capacity_acts_in_it(world: World) -> None:
    found = live(world, begin(world))

    assert found.person == "anne"
    assert found.capacity is not None
    assert (found.capacity.role.value, found.unit_name) == ("archivist", "Dokumentsenteret")
    assert not found.capacity.strong_auth


def test_session_of_a_person_with_two_capacities_acts_in_none_before_a_choice(
    world: World,
) -> None:
    token = begin(world, "kari")
    assert live(world, token).capacity is None

    with world.line.store.transaction() as tx:
        skole = next(c for c in active_capacities_of(tx, tx.now, "kari") if c.unit == "skole")
        sessions.choose_capacity(tx, live(world, token).id, "kari", skole.id)

    capacity = live(world, token).capacity
    assert capacity is not None
    assert capacity.unit == "skole"


def test_capacity_of_another_person_cannot_be_chosen(world: World) -> None:
    token = begin(world)
    with world.line.store.reading() as tx:
        (others,) = active_capacities_of(tx, tx.now, "bjorn")

    with pytest.raises(NotFound), world.line.store.transaction() as tx:
        sessions.choose_capacity(tx, live(world, token).id, "anne", others.id)

    capacity = live(world, token).capacity
    assert capacity is not None
    assert capacity.id != others.id


def test_database_has_no_cookie_value(small_world: World) -> None:
    token = begin(small_world)

    with small_world.line.store.reading() as tx:
        row = tx.exec(select(SessionRow)).one()
    assert token not in repr(row)


def test_session_ends_after_half_an_hour_without_use(world: World) -> None:
    token = begin(world)
    world.clock.advance(timedelta(minutes=29))
    use(world, token)
    world.clock.advance(timedelta(minutes=29))
    assert read(world, token) is not None

    world.clock.advance(timedelta(minutes=1))

    assert read(world, token) is None


def test_session_ends_after_ten_hours_however_much_it_is_used(world: World) -> None:
    token = begin(world)
    for _ in range(30):
        world.clock.advance(timedelta(minutes=20))
        found = read(world, token)
        if found is None:
            break
        use(world, token)

    assert world.clock.now - timedelta(hours=10) >= _began_at(world)
    world.clock.advance(timedelta(minutes=-1))
    assert read(world, token) is not None


def _began_at(world: World) -> datetime:
    with world.line.store.reading() as tx:
        return tx.exec(select(SessionRow.began_at)).one()


def test_idle_session_is_not_revived_by_use(world: World) -> None:
    token = begin(world)
    session_id = live(world, token).id
    world.clock.advance(timedelta(minutes=31))

    with world.line.store.transaction() as tx:
        sessions.note_seen(tx, session_id)

    assert read(world, token) is None


@pytest.mark.parametrize("kind", [Person, Identity])
def test_session_ends_at_once_when_the_person_or_the_identity_ends(
    world: World, kind: type[Person] | type[Identity]
) -> None:
    token = begin(world)

    with world.line.store.transaction() as tx:
        named = col(Person.id) == "anne" if kind is Person else col(Identity.person) == "anne"
        tx.execute(sa.update(table_of(kind)).where(named).values(active_until=tx.now))

    assert read(world, token) is None


def test_session_acts_in_no_capacity_once_that_has_ended(world: World) -> None:
    token = begin(world)

    with world.line.store.transaction() as tx:
        tx.execute(
            sa.update(table_of(CapacityRow))
            .where(col(CapacityRow.person) == "anne")
            .values(active_until=tx.now)
        )

    assert live(world, token).capacity is None


def test_strong_sign_in_counts_for_a_quarter_of_an_hour(world: World) -> None:
    token = begin(world, strong=True)
    world.clock.advance(timedelta(minutes=14))
    capacity = live(world, token).capacity
    assert capacity is not None
    assert capacity.strong_auth

    world.clock.advance(timedelta(minutes=1))

    capacity = live(world, token).capacity
    assert capacity is not None
    assert not capacity.strong_auth


def test_step_up_gives_a_new_cookie_and_the_old_one_is_worth_nothing(world: World) -> None:
    token = begin(world)
    before = live(world, token)

    with world.line.store.transaction() as tx:
        strong = sessions.strengthen(tx, before.id)

    assert read(world, token) is None
    assert (live(world, strong).id, live(world, strong).strong) == (before.id, True)


def test_sign_in_ends_the_session_that_the_browser_had(world: World) -> None:
    old = begin(world)

    with world.line.store.transaction() as tx:
        sessions.begin_session(tx, "anne", word=None, strong=False, in_place_of=live(world, old).id)

    assert read(world, old) is None


def test_person_lists_and_ends_own_sessions_and_no_others(world: World) -> None:
    mine, other, his = begin(world), begin(world), begin(world, "bjorn")
    with world.line.store.reading() as tx:
        listed = {each.id for each in sessions.sessions_of(tx, tx.now, "anne")}
    assert listed == {live(world, mine).id, live(world, other).id}

    with world.line.store.transaction() as tx:
        sessions.end_own_session(tx, "anne", live(world, other).id)
    with pytest.raises(NotFound), world.line.store.transaction() as tx:
        sessions.end_own_session(tx, "anne", live(world, his).id)

    assert read(world, other) is None
    assert read(world, mine) is not None
    assert read(world, his) is not None


def test_provider_ends_the_session_that_it_names_and_no_other(world: World) -> None:
    anne, bjorn = begin(world), begin(world, "bjorn")

    with world.line.store.transaction() as tx:
        for issuer, sid, ended in (
            ("https://evil.example", "sid-anne", 0),
            (ISSUER, "sid-nobody", 0),
            (ISSUER, "sid-anne", 1),
        ):
            assert (
                sessions.end_sessions_at_provider(tx, issuer, session_hash=sid, subject_hash=None)
                == ended
            )

    assert read(world, anne) is None
    assert read(world, bjorn) is not None


def test_provider_is_asked_again_after_an_hour_and_soon_after_it_was_away(world: World) -> None:
    token = begin(world)
    for _ in range(3):
        world.clock.advance(timedelta(minutes=20))
        assert read(world, token) is not None
        use(world, token)
    assert live(world, token).is_question_due

    with world.line.store.transaction() as tx:
        sessions.put_off_question(tx, live(world, token).id)

    assert not live(world, token).is_question_due
    world.clock.advance(timedelta(minutes=5))
    assert live(world, token).is_question_due
    assert not live(world, token).is_word_stale
    world.clock.advance(timedelta(minutes=15))
    assert live(world, token).is_word_stale


def test_session_by_a_personal_code_asks_no_provider(world: World) -> None:
    token = begin(world, provider=False)
    for _ in range(6):
        world.clock.advance(timedelta(minutes=20))
        use(world, token)

    assert not live(world, token).is_question_due
