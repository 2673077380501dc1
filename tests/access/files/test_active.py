"""The database names the policy that decides and has its files: a process without it denies all."""

from collections.abc import Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest
import sqlalchemy as sa
from sqlmodel import select

from inbox.access import Action, Policy, Role
from inbox.access.files import versions
from inbox.access.files.active import (
    POLICY_KIND,
    ActivePolicies,
    ActiveRules,
    activate_policy,
    is_active_policy,
)
from inbox.access.files.cases import CASES_FILE
from inbox.access.files.folder import digest_of, read_policy_files
from inbox.access.files.versions import (
    DigestRule,
    FilesByName,
    FilesOfVersion,
    keep_first_version,
    pack_files,
    unpack_files,
)
from inbox.access.policy.engine import model_text
from inbox.errors import PolicyError
from inbox.store import Store, Transaction, create_engine
from inbox.tables import PolicyVersion, table_of
from tests.access.town import POLICIES, allow, files_of_vocabulary_1
from tests.databases import SQLITE_SOON

SHIPPED = read_policy_files(POLICIES)
OLDER = files_of_vocabulary_1()
"""A version of before `policy.toml`: only such versions have digests of rule 1."""


def with_comment(text: str) -> FilesByName:
    """Another policy: the same rules, another comment."""
    return {**SHIPPED, "allow.csv": SHIPPED["allow.csv"] + f"# {text}\n".encode()}


def quick(version: FilesOfVersion) -> Policy:
    """Files of one rule each, so that reading them takes no time: the row is the file's text."""
    files = version.files
    rule = allow("A01", "open", "handler", files["allow.csv"].decode())
    return Policy((rule,), facts=("a", "b"), digest=files["digest"].decode())


def version(when: str, digest: str) -> FilesByName:
    return {"allow.csv": when.encode(), "digest": digest.encode()}


def name(
    session: Transaction,
    files: FilesByName,
    digest: str,
    rule: DigestRule = DigestRule.EVERY_FILE,
) -> None:
    keep_first_version(
        session,
        kind=POLICY_KIND,
        digest=digest,
        files=files,
        proposed_by="ada",
        approved_by="bo",
        digest_rule=rule,
    )


def test_active_policy_has_no_rules_when_the_database_names_none(session: Transaction) -> None:
    assert ActivePolicies().current(session).rules == ()


def test_active_policy_is_read_from_the_database_once(
    session: Transaction, the_policy: Policy
) -> None:
    policies = ActivePolicies()
    name(session, SHIPPED, the_policy.digest)

    first = policies.current(session)

    assert first.rules == the_policy.rules
    assert policies.current(session) is first
    assert policies.problem is None


def test_preloaded_policy_is_used_only_if_the_database_names_its_digest(
    session: Transaction, the_policy: Policy
) -> None:
    policies = ActivePolicies(the_policy)
    assert policies.current(session).rules == ()

    name(session, {}, "f" * 64)
    assert policies.current(session).rules == ()

    name(session, {}, the_policy.digest)
    assert policies.current(session) is the_policy


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "policy.files"),
        ({**SHIPPED, "allow.csv": b"# rows: 1\np, A01\n"}, "policy.cells"),
        (
            {**OLDER, "model.conf": model_text().replace("&& !some", "|| some").encode()},
            "policy.model",
        ),
        ({name: raw for name, raw in SHIPPED.items() if name != CASES_FILE}, "policy.files"),
        ({**SHIPPED, "more.csv": b""}, "policy.files"),
        (with_comment("what nobody approved"), "policy.not_active"),
    ],
    ids=["empty", "half a row", "another effect", "no cases", "one too many", "another digest"],
)
def test_policy_files_that_are_invalid_or_have_another_digest_load_no_rules(
    session: Transaction, the_policy: Policy, files: FilesByName, code: str
) -> None:
    policies = ActivePolicies()
    name(session, files, the_policy.digest)

    current = policies.current(session)

    assert (current.rules, current.digest) == ((), the_policy.digest)
    assert policies.problem is not None
    assert policies.problem.code == code


def without_an_invariant() -> FilesByName:
    """The same decisions, and one promise fewer."""
    lines = OLDER["invariants.txt"].decode().replace("# rows: 159", "# rows: 158")
    assert "open implies not conflict\n" in lines
    return {**OLDER, "invariants.txt": lines.replace("open implies not conflict\n", "").encode()}


def test_version_of_digest_rule_1_is_checked_by_that_rule_and_stays_readable(
    session: Transaction,
) -> None:
    digest = digest_of(OLDER, DigestRule.DECIDING_FILES)
    name(session, OLDER, digest, DigestRule.DECIDING_FILES)

    current = ActivePolicies().current(session)

    assert (current.digest, bool(current.rules)) == (digest, True)
    assert digest != digest_of(OLDER)


@pytest.mark.parametrize("file", sorted(SHIPPED))
def test_version_of_digest_rule_2_with_any_other_file_loads_no_rules(
    session: Transaction, file: str
) -> None:
    changed = {**SHIPPED, file: SHIPPED[file] + b"\n"}
    policies = ActivePolicies()
    name(session, changed, digest_of(SHIPPED))

    assert policies.current(session).rules == ()
    assert policies.problem is not None
    assert policies.problem.code == "policy.not_active"


def test_files_of_a_newer_digest_rule_cannot_pass_as_those_of_an_older_one(
    session: Transaction,
) -> None:
    policies = ActivePolicies()
    name(session, without_an_invariant(), digest_of(OLDER))
    session.execute(sa.update(table_of(PolicyVersion)).values(digest_rule=1))

    assert policies.current(session).rules == ()


def test_version_of_an_unknown_digest_rule_loads_no_rules(session: Transaction) -> None:
    policies = ActivePolicies()
    name(session, SHIPPED, digest_of(SHIPPED))
    session.execute(sa.update(table_of(PolicyVersion)).values(digest_rule=3))

    assert policies.current(session).rules == ()
    assert policies.problem is not None
    assert policies.problem.code == "policy.digest_rule"


def test_another_version_of_a_shared_old_digest_is_read_anew(session: Transaction) -> None:
    digest = digest_of(OLDER, DigestRule.DECIDING_FILES)
    name(session, OLDER, digest, DigestRule.DECIDING_FILES)
    policies = ActivePolicies()
    assert policies.current(session).rules != ()
    broken = {**OLDER, "invariants.txt": b"# rows: 1\nopen implies conflict\n"}
    name(session, broken, digest, DigestRule.DECIDING_FILES)

    assert policies.current(session).rules == ()
    assert policies.problem is not None
    assert policies.problem.code == "policy.invariant"


def test_only_exactly_the_active_files_are_active(session: Transaction) -> None:
    digest = digest_of(OLDER, DigestRule.DECIDING_FILES)
    name(session, OLDER, digest, DigestRule.DECIDING_FILES)

    assert is_active_policy(session, OLDER)
    assert not is_active_policy(session, without_an_invariant())


def test_no_files_are_active_where_none_are_kept(session: Transaction) -> None:
    activate_policy(session, digest_of(SHIPPED), "bo")

    assert not is_active_policy(session, SHIPPED)


def test_digest_rules_keep_their_numbers() -> None:
    assert [rule.value for rule in DigestRule] == [1, 2]


def test_files_of_an_altered_active_version_are_not_active(session: Transaction) -> None:
    assert not is_active_policy(session, SHIPPED)
    name(session, SHIPPED, digest_of(SHIPPED))
    assert is_active_policy(session, SHIPPED)
    altered = ({"digest_rule": 1}, {"digest_rule": 3}, {"digest_rule": 2, "digest": "f" * 64})
    for values in altered:
        session.execute(sa.update(table_of(PolicyVersion)).values(**values))
        session.expire_all()
        assert not is_active_policy(session, SHIPPED)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"allow.csv": 1}', b"\xff", b"null", b'"a"'])
def test_damaged_bytes_of_the_active_version_load_no_rules(
    session: Transaction, raw: bytes
) -> None:
    policies = ActivePolicies()
    name(session, SHIPPED, digest_of(SHIPPED))
    session.execute(sa.update(table_of(PolicyVersion)).values(files=raw))

    assert policies.current(session).rules == ()
    assert policies.problem is not None
    assert policies.problem.code in {"policy.damaged", "policy.files"}


def test_active_digest_without_stored_files_loads_no_rules(
    session: Transaction, the_policy: Policy
) -> None:
    policies = ActivePolicies()
    activate_policy(session, the_policy.digest, "bo")

    assert policies.current(session).rules == ()
    assert policies.problem is not None
    assert policies.problem.code == "policy.not_kept"


def test_policy_that_failed_to_load_is_not_read_again_until_another_is_named(
    session: Transaction,
) -> None:
    asked: list[str] = []

    def read(version: FilesOfVersion) -> Policy:
        asked.append(version.files["digest"].decode())
        if version.files["allow.csv"] == b"":
            raise PolicyError("policy.empty")
        return quick(version)

    active = ActiveRules(POLICY_KIND, read)
    name(session, version("", "one"), "one")
    assert [active.current(session) for _ in range(3)] == [("one", None)] * 3
    name(session, version("a", "two"), "two")

    digest, policy = active.current(session)

    assert (digest, policy is not None, asked) == ("two", True, ["one", "two"])
    assert active.problem is None


def test_newly_named_policy_replaces_the_loaded_policy_at_once(
    session: Transaction,
) -> None:
    active = ActiveRules(POLICY_KIND, quick)
    name(session, version("a", "one"), "one")
    _, before = active.current(session)
    name(session, version("b", "two"), "two")

    _, after = active.current(session)

    assert before is not None
    assert after is not None
    assert [rule.when for rule in after.rules] == ["b"]


def test_access_and_routing_rules_have_separate_active_versions(session: Transaction) -> None:
    """Access and routing are named apart: neither is ever taken for the other."""
    one = version("a", "one")
    keep_first_version(
        session, kind="routing", digest="one", files=one, proposed_by="a", approved_by="b"
    )
    assert ActivePolicies().current(session).digest == ""

    name(session, version("a", "two"), "two")

    assert ActiveRules(POLICY_KIND, quick).current(session)[0] == "two"
    assert ActiveRules("routing", quick).current(session)[0] == "one"
    for kind, digest in (("routing", "one"), (POLICY_KIND, "two")):
        version_of_kind = versions.active_version(session, kind)
        assert version_of_kind is not None
        assert (version_of_kind.kind, version_of_kind.digest) == (kind, digest)
        assert [each.digest for each in versions.history(session, kind)] == [digest]
    assert versions.active_version(session, "other") is None
    assert versions.history(session, "other") == ()


def test_packed_policy_files_unpack_byte_for_byte() -> None:
    files = {**SHIPPED, "tests/x.toml": "# æøå, ŋ, \u0301, 🜁\r\n".encode()}

    assert unpack_files(pack_files(files)) == files
    assert pack_files(files) == pack_files(dict(reversed(files.items())))


WHEN = {"one": "a", "two": "b"}


def _ask(store: Store, active: ActiveRules[Policy], asks: int) -> int:
    """How many answers were not those of the policy that the database named."""
    wrong = 0
    for _ in range(asks):
        with store.reading() as tx:
            digest, policy = active.current(tx)
        if policy is None or policy.digest != digest:
            wrong += 1
            continue
        held = {name: WHEN[digest] == name for name in ("a", "b")}
        wrong += not policy.decide(Role.HANDLER, held, Action.OPEN).allowed
        wrong += policy.decide(
            Role.HANDLER, {name: not holds for name, holds in held.items()}, Action.OPEN
        ).allowed
    return wrong


def _ask_in_threads(url: str, threads: int, asks: int) -> int:
    """One process: its threads share what it has loaded."""
    store = Store(create_engine(url), seal=lambda *_: None)
    active = ActiveRules(POLICY_KIND, quick)
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda _: _ask(store, active, asks), range(threads)))
    store.engine.dispose()
    return sum(found)


def _switch_while(store: Store, running: Sequence[Future[int]]) -> int:
    """Name one policy, then the other, until nobody asks any more; how often."""
    switched = 0
    while not all(future.done() for future in running):
        digest = ("one", "two")[switched % 2]
        with store.transaction() as tx:
            row = tx.exec(select(PolicyVersion).where(PolicyVersion.digest == digest)).one()
            versions.activate(tx, digest, "bo", kind=POLICY_KIND, version=row.id)
        switched += 1
    return switched


def _wrong_under_load(url: str, pool: Executor, *, processes: int, asks: int) -> int:
    store = Store(create_engine(url), seal=lambda *_: None)
    with store.transaction() as tx:
        for digest, when in WHEN.items():
            name(tx, version(when, digest), digest)
    with pool:
        running = [pool.submit(_ask_in_threads, url, 4, asks) for _ in range(processes)]
        switched = _switch_while(store, running)
    store.engine.dispose()
    assert switched > 2
    return sum(future.result() for future in running)


@SQLITE_SOON
def test_threads_decide_by_the_named_policy_while_policies_change(database: str) -> None:
    assert _wrong_under_load(database, ThreadPoolExecutor(1), processes=1, asks=400) == 0


@pytest.mark.long
def test_two_processes_of_four_threads_decide_by_the_named_policy_under_load(database: str) -> None:
    pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"))

    assert _wrong_under_load(database, pool, processes=2, asks=12_500) == 0
