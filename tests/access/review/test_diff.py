"""A diff of two policies: exact, few words, and a digest of what was read."""

import random
import re

import pytest

from inbox.access import Action, Policy, Role
from inbox.access.files.folder import PolicyDraft, load_draft, read_draft
from inbox.access.policy.conditions import names_in, read_condition
from inbox.access.review.diff import ChangeKind, PolicyDiff, compare_policies
from inbox.errors import PolicyError
from tests.access.town import POLICIES, policy_files

A08 = b"list, handler, in_unit and cleared and (assigned or (unassigned and unit_shares)), none"
A09 = b"open, handler, in_unit and assigned and cleared and readable, log"


@pytest.fixture(scope="module")
def draft() -> PolicyDraft:
    return load_draft(POLICIES)


def edited(*edits: tuple[str, bytes, bytes]) -> PolicyDraft:
    files = policy_files()
    for file, old, new in edits:
        assert old in files[file]
        files[file] = files[file].replace(old, new, 1)
    return read_draft(files)


def changes(diff: PolicyDiff) -> list[str]:
    return [line for change in diff.changes for line in change.lines()]


def test_diff_of_a_policy_with_itself_is_empty(draft: PolicyDraft) -> None:
    diff = compare_policies(draft, draft)

    assert (diff.is_empty, diff.widens_access, diff.common_literals) == (True, False, ())
    assert diff.lines == (
        f"from {draft.policy.digest}",
        f"to   {draft.policy.digest}",
        "the same decisions",
    )


def test_diff_reports_changed_decisions_rows_shieldings_and_invariants(draft: PolicyDraft) -> None:
    wider = compare_policies(draft, edited(("allow.csv", A09, A09.replace(b"in_unit and ", b""))))
    renamed = compare_policies(draft, edited(("allow.csv", b"p, A09,", b"p, A99,")))
    shielded = compare_policies(
        draft, edited(("shielding.toml", '"§ 24"'.encode(), '"§ 2"'.encode()))
    )
    claimed = compare_policies(
        draft, edited(("invariants.txt", b"open implies not conflict", b"open implies always"))
    )

    assert [bool(each) for each in (wider.changes, wider.rows)] == [True, True]
    assert [bool(each) for each in (renamed.changes, renamed.rows)] == [False, True]
    assert [bool(each) for each in (shielded.shieldings, shielded.rows)] == [True, False]
    assert [bool(each) for each in (claimed.invariants, claimed.rows)] == [True, False]
    assert (claimed.shieldings, claimed.bases, claimed.header) == ((), (), ())
    assert (shielded.invariants, shielded.bases, shielded.header) == ((), (), ())
    assert not any(each.is_empty for each in (wider, renamed, shielded, claimed))


def test_diff_of_a_changed_comment_is_empty_but_the_policy_digests_differ(
    draft: PolicyDraft,
) -> None:
    diff = compare_policies(draft, edited(("allow.csv", b"# rows", b"# A word.\n# rows")))

    assert diff.is_empty
    assert diff.old != diff.new


def test_diff_of_a_wider_row_says_exactly_who_gains_access(draft: PolicyDraft) -> None:
    diff = compare_policies(draft, edited(("allow.csv", A09, A09.replace(b"in_unit and ", b""))))

    assert diff.widens_access
    gained = next(change for change in diff.changes if change.kind is ChangeKind.GAINED)
    assert gained.widens
    assert set(changes(diff)) <= set(diff.lines)
    assert "the same decisions" not in diff.lines
    assert "not in_unit" in gained.terms[0]
    assert "assigned" in gained.terms[0]
    assert all(line.startswith("open by handler: ") for line in changes(diff))
    assert (
        "row A09: when in_unit and assigned and cleared and readable"
        " -> assigned and cleared and readable"
    ) in diff.rows


def test_diff_of_a_narrower_row_reports_losses_and_no_gain(draft: PolicyDraft) -> None:
    diff = compare_policies(
        draft,
        edited(
            ("allow.csv", b"A16, list, leader, leads,", b"A16, list, leader, leads and cleared,")
        ),
    )

    assert {change.kind for change in diff.changes} == {ChangeKind.LOST, ChangeKind.DUTIES}
    assert not diff.widens_access


def test_diff_joins_roles_with_the_same_change_in_one_line(draft: PolicyDraft) -> None:
    roles = b"archivist leader handler security_reviewer operator records_manager"
    old = b"A37, close_task, " + roles + b", own_task,"
    diff = compare_policies(
        draft, edited(("allow.csv", old, old.replace(b"own_task,", b"late_word,")))
    )

    assert changes(diff) == [
        (
            "close_task by archivist handler leader security_reviewer operator records_manager:"
            " lost when always"
        )
    ]
    assert {"own_task", "not late_word"} <= set(diff.common_literals)


def test_diff_reports_changed_duties_and_counts_fewer_duties_as_a_gain(draft: PolicyDraft) -> None:
    diff = compare_policies(draft, edited(("allow.csv", A09 + b",", A09 + b" reason,")))

    assert {change.kind for change in diff.changes} == {ChangeKind.DUTIES}
    assert any(change.duties == "log -> log reason" for change in diff.changes)
    assert not diff.widens_access
    assert diff.rows == ("row A09: duty log -> log reason",)
    fewer = compare_policies(
        draft, edited(("allow.csv", A09 + b",", A09.replace(b", log", b", none,")))
    )
    assert fewer.widens_access
    assert any(change.duties == "log -> none" for change in fewer.changes)


def test_diff_of_a_renamed_row_reports_the_same_decisions(draft: PolicyDraft) -> None:
    diff = compare_policies(draft, edited(("allow.csv", b"p, A09,", b"p, A99,")))

    assert diff.changes == ()
    assert diff.lines[2:] == ("the same decisions, other rows", "row A09 is A99 now")


def test_diff_reports_a_dropped_row_and_an_added_role(draft: PolicyDraft) -> None:
    files = policy_files()
    stated = re.search(rb"# rows: (\d+)", files["deny.csv"])
    assert stated is not None
    fewer_rows = b"# rows: %d" % (int(stated[1]) - 1)
    rows = files["deny.csv"].replace(stated[0], fewer_rows)
    start = rows.index(b"p, D07")
    without = rows[:start] + rows[rows.index(b"\n", start) + 1 :]
    fewer = compare_policies(draft, read_draft(files | {"deny.csv": without}))
    role = compare_policies(
        draft,
        edited(
            (
                "allow.csv",
                b"A07, withdraw, archivist leader,",
                b"A07, withdraw, archivist leader handler,",
            )
        ),
    )

    assert fewer.changes == ()
    assert fewer.rows[0].startswith("row D07 dropped: deny, open, operator policy_editor")
    assert role.rows == ("row A07: role archivist leader -> archivist leader handler",)


def test_diff_counts_a_changed_shielding_code_as_a_gain(draft: PolicyDraft) -> None:
    diff = compare_policies(draft, edited(("shielding.toml", '"§ 24"'.encode(), '"§ 2"'.encode())))
    order = compare_policies(
        draft,
        edited(
            ("shielding.toml", b'code = "6"', b'code = "0"'),
            ("shielding.toml", b'code = "7"', b'code = "6"'),
            ("shielding.toml", b'code = "0"', b'code = "7"'),
        ),
    )

    assert diff.shieldings == ("shielding '§2': ? -> 24", "shielding '§24': 24 -> ?")
    assert diff.widens_access
    assert order.shieldings[-1].startswith("shielding, strictest first: 6 7 13")


def test_diff_reports_changed_invariants_and_a_new_assumption_hides_no_gain(
    draft: PolicyDraft,
) -> None:
    narrow = b"assume leads implies in_unit"
    diff = compare_policies(
        draft,
        edited(
            ("invariants.txt", narrow, b"assume conflict implies quarantined"),
            ("invariants.txt", b"open implies not conflict", b"open implies always"),
            (
                "deny.csv",
                b"breakglass, *, conflict, none",
                b"breakglass, *, conflict and quarantined, none",
            ),
        ),
    )

    assert diff.invariants == (
        "assumption dropped: assume leads implies in_unit",
        "invariant dropped: open implies not conflict",
        "assumption added: assume conflict implies quarantined",
        "invariant added: open implies always",
    )
    assert any(line.startswith("open by handler: gained") for line in changes(diff))


def test_diff_digest_changes_with_the_lines_of_the_diff(draft: PolicyDraft) -> None:
    one = compare_policies(draft, edited(("allow.csv", b"p, A09,", b"p, A99,")))
    other = compare_policies(draft, edited(("allow.csv", b"p, A09,", b"p, A98,")))

    assert (
        one.digest == compare_policies(draft, edited(("allow.csv", b"p, A09,", b"p, A99,"))).digest
    )
    assert len({one.digest, other.digest, compare_policies(draft, draft).digest}) == 3


def test_policy_with_an_unknown_fact_is_refused_with_its_line_before_a_diff() -> None:
    with pytest.raises(PolicyError, match=r"deny\.csv, line \d+"):
        edited(("deny.csv", b"conflict, none", b"conflicts, none"))


ASKED = (
    "in_unit",
    "assigned",
    "cleared",
    "conflict",
    "covers",
    "has_grant",
    "leads",
    "strong_auth",
)


def random_rows(chance: random.Random, rows: bytes) -> bytes:
    """Some rows with another condition: a fact dropped, negated, or another."""
    lines = rows.decode().split("\n")
    at = [n for n, line in enumerate(lines) if line.startswith("p, ") and " open, " in line]
    for n in chance.sample(at, 2):
        cells = lines[n].split(", ")
        cells[4] = " and ".join(
            chance.choice(["", "not "]) + name for name in chance.sample(ASKED, 3)
        )
        lines[n] = ", ".join(cells)
    return "\n".join(lines).encode()


def holds(policy: Policy, term: str, facts: dict[str, bool]) -> bool:
    wanted = {
        word: f"not {word}" not in term for word in names_in(read_condition(term, policy.facts))
    }
    return all(facts[name] is value for name, value in wanted.items())


def test_diff_terms_match_the_decisions_that_casbin_gains_and_loses(draft: PolicyDraft) -> None:
    """Random changes of rows, and random facts that the assumptions allow."""
    chance, seen = random.Random(3), 0  # noqa: S311 - a test
    for _ in range(5):
        files = policy_files()
        files["allow.csv"] = random_rows(chance, files["allow.csv"])
        new = read_draft(files)
        diff = compare_policies(draft, new)
        gained, lost = (
            [
                " and ".join([*([] if term == "always" else [term]), *diff.common_literals])
                or "always"
                for change in diff.changes
                if (change.action, change.kind) == (Action.OPEN, kind)
                and Role.HANDLER in change.roles
                for term in change.terms
            ]
            for kind in (ChangeKind.GAINED, ChangeKind.LOST)
        )
        for _ in range(100):
            facts = likely(chance, draft)
            before, after = (
                each.policy.decide(Role.HANDLER, facts, Action.OPEN).allowed
                for each in (draft, new)
            )
            assert any(holds(new.policy, term, facts) for term in gained) == (after and not before)
            assert any(holds(new.policy, term, facts) for term in lost) == (before and not after)
            seen += after is not before

    assert seen > 20


def likely(chance: random.Random, draft: PolicyDraft) -> dict[str, bool]:
    """Facts of a handler that can be, with what every yes needs."""
    always = {"own_organisation", "active_capacity", "active_person"}
    never = {"leads", "mailbox", "in_parent_unit", "quarantined", "involved"}
    facts = {name: name in always for name in draft.policy.facts}
    facts |= {name: chance.random() < 0.5 for name in ASKED}
    facts |= dict.fromkeys(never, False)
    facts["has_breakglass"] = chance.random() < 0.3
    facts["in_unit"] |= facts["covers"]
    return facts
