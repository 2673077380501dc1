"""What gains anything takes two; what narrows takes one, with fences: decided by the difference."""

import re
from collections.abc import Iterable

import pytest

from inbox.access.files.folder import PolicyDraft, read_draft
from inbox.access.files.switch_off import with_row_off
from inbox.access.files.versions import FilesByName
from inbox.access.policy.vocabulary import Action, Effect
from inbox.access.review.one_person import CONTROL_ACTIONS, why_two_people
from inbox.errors import PolicyError
from inbox.language import TextLanguage
from inbox.strict.phrases import Phrase
from tests.access.town import policy_files

QUICK = (
    *("A07c", "A08b", "A14b", "A46", "A46b"),
    *("A47", "A47b"),
)
"""A sample of rows that one editor may switch off."""


def edited(file: str, old: str, new: str, rows: int = 0) -> FilesByName:
    """The shipped files with one thing changed, and the row count with it."""
    files = policy_files()
    text = files[file].decode()
    assert old in text
    text = text.replace(old, new, 1)
    count = re.search(r"# rows: (\d+)", text)
    if count is not None:
        text = text.replace(count[0], f"# rows: {int(count[1]) + rows}", 1)
    return {**files, file: text.encode()}


@pytest.fixture(scope="module")
def shipped() -> PolicyDraft:
    return read_draft(policy_files())


def english(reasons: Iterable[Phrase]) -> tuple[str, ...]:
    return tuple(reason.text(TextLanguage.EN) for reason in reasons)


def test_equal_policies_take_one_person(shipped: PolicyDraft) -> None:
    assert why_two_people(shipped, shipped) == ()


@pytest.mark.parametrize(
    ("file", "old", "new", "rows", "why"),
    [
        ("allow.csv", "assigned and cleared and readable, log", "assigned and readable, log", 0,
         r"it gains: case handler may .*\(open\)$"),
        ("allow.csv", "and readable, log review, allow", "and readable, log, allow", 0,
         r"it gains: .*\(open\) with another duty\. It was: .*\(review\)\. It becomes: .*\(log\)$"),
        ("deny.csv", "p, D05b, delegate, *, target_is_self, none, deny, ", "# ", -1,
         r"it gains: .*\(delegate\)$"),
        ("deny.csv", "p, D05b, delegate,", "p, D05c, delegate,", 0,
         "it changes the deny row D05b"),
        ("allow.csv", "p, A40, route_edit, archivist, strong_auth",
         "p, A40, route_edit, archivist, strong_auth and reason_given", 0,
         r"it changes who may .*\(route_edit\)$"),
        ("invariants.txt", "open implies not conflict\n", "", -1,
         "it drops an invariant: open implies not conflict"),
        ("invariants.txt", "open implies not conflict\n",
         "open implies not conflict\nassume covers implies assigned\n", 1,
         "it assumes more: assume covers implies assigned"),
        ("policy.toml", ', "involved"', "", 0,
         r"no rule need be able to stop for this any more: .*\(involved\)$"),
    ],
)  # fmt: skip
def test_policy_change_that_gains_or_drops_a_fence_takes_two(
    shipped: PolicyDraft, file: str, old: str, new: str, rows: int, why: str
) -> None:
    wider = read_draft(edited(file, old, new, rows))

    assert any(re.match(why, each) for each in english(why_two_people(shipped, wider)))


def test_a_clearance_that_changes_takes_two(shipped: PolicyDraft) -> None:
    files = policy_files()
    text = re.search(r"^code = .*$", files["shielding.toml"].decode(), re.MULTILINE)
    assert text is not None
    other = files["shielding.toml"].decode().replace(text[0], 'code = "XYZ"', 1)

    found = why_two_people(shipped, read_draft({**files, "shielding.toml": other.encode()}))

    assert any(each.startswith("it changes a clearance: ") for each in english(found))


def test_added_fences_and_narrower_rows_take_one(shipped: PolicyDraft) -> None:
    narrower = edited(
        "allow.csv", "p, A16, list, leader, leads, none", "p, A16, list, leader, leads, log"
    )
    fenced = edited(
        "invariants.txt",
        "open implies not conflict\n",
        "open implies not conflict\nopen implies not (conflict and quarantined)\n",
        1,
    )

    for files in (narrower, fenced):
        assert why_two_people(shipped, read_draft(files)) == ()
        back = why_two_people(read_draft(files), shipped)
        assert back != ()


def test_each_row_is_switched_off_by_one_person_unless_the_difference_forbids_it(
    shipped: PolicyDraft,
) -> None:
    """Every allow row of the shipped policy, by what is said of switching it off."""
    said: dict[str, tuple[str, ...]] = {}
    for rule in shipped.policy.rules:
        if rule.effect is Effect.ALLOW:
            off = read_draft(with_row_off(policy_files(), rule.id))
            said[rule.id] = english(why_two_people(shipped, off))

    quick = {row for row, why in said.items() if not why}
    assert set(QUICK) <= quick
    assert quick.isdisjoint({"A23", "A24", "A37", "A40", "A41", "A42", "A43"})
    for rule in shipped.policy.rules:
        others = [
            one
            for one in shipped.policy.rules
            if one.effect is Effect.ALLOW and one.actions == rule.actions and one is not rule
        ]
        if rule.effect is Effect.ALLOW and not others:
            lost = rf"nobody could .*\({rule.actions}\) any more"
            assert any(re.fullmatch(lost, each) for each in said[rule.id])


def test_switching_off_in_two_steps_never_leaves_an_action_to_nobody(shipped: PolicyDraft) -> None:
    one = with_row_off(policy_files(), "A46")
    both = with_row_off(one, "A46b")

    assert why_two_people(shipped, read_draft(one)) == ()
    (why,) = english(why_two_people(read_draft(one), read_draft(both)))
    assert re.fullmatch(r"nobody could .*\(hold\) any more", why)


def test_action_that_nobody_could_do_before_is_not_lost_by_a_narrowing() -> None:
    nobody = with_row_off(with_row_off(policy_files(), "A46"), "A46b")

    assert why_two_people(read_draft(nobody), read_draft(with_row_off(nobody, "A47"))) == ()


def test_actions_of_control_are_those_by_which_rules_directory_and_tasks_are_kept() -> None:
    assert set(CONTROL_ACTIONS) == {
        *(Action.POLICY_EDIT, Action.POLICY_APPROVE, Action.ROUTE_EDIT, Action.ROUTE_APPROVE),
        *(Action.DIRECTORY_EDIT, Action.DIRECTORY_APPROVE, Action.CLOSE_TASK),
    }


def test_dropped_assumption_takes_one(shipped: PolicyDraft) -> None:
    fewer = edited("invariants.txt", "assume in_parent_unit implies not in_unit\n", "", -1)

    assert why_two_people(shipped, read_draft(fewer)) == ()


def test_on_again_takes_two(shipped: PolicyDraft) -> None:
    off = read_draft(with_row_off(policy_files(), "A12"))

    assert any(
        re.match(r"it gains: .*\(take\)", each) for each in english(why_two_people(off, shipped))
    )


def test_switching_off_what_an_invariant_needs_is_refused() -> None:
    """Who may open must be able to list: the row that lists is not the first that goes."""
    with pytest.raises(PolicyError, match=r"open implies list"):
        read_draft(with_row_off(policy_files(), "A08")).verified_policy()
