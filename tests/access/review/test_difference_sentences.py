"""The difference of two policies as sentences: its terms, its rows before and now, and the rest."""

from dataclasses import replace

import pytest

from inbox.access import Action, Role
from inbox.access.files.folder import PolicyDraft, load_draft, read_draft
from inbox.access.review.diff import ChangeKind, DecisionChange, PolicyDiff, compare_policies
from inbox.access.review.difference_sentences import difference_sentences
from inbox.access.review.text_diff import WrittenChange, WrittenKind
from inbox.language import TextLanguage
from tests.access.town import POLICIES, policy_files

NOTHING = PolicyDiff(
    old="a", new="b", common_literals=(), changes=(), written_rows=(), written_elsewhere=()
)
HEAD = ["from a", "to   b"]
ASSIGNED = "- the message is assigned to the person (assigned)"
LEADS = "- leads the unit that the message is with (leads)"
NOT_LEADS = LEADS.replace("- ", "- not: ")
BASIS = "fvl-8, forvaltningsloven, § 8, , , , forvaltningsloven § 8,"


@pytest.fixture(scope="module")
def draft() -> PolicyDraft:
    return load_draft(POLICIES)


def sentences(draft: PolicyDraft, found: PolicyDiff, new: PolicyDraft | None = None) -> list[str]:
    return [*difference_sentences(found, draft, new or draft, TextLanguage.EN)]


def gained(*terms: str) -> PolicyDiff:
    change = DecisionChange(
        action=Action.OPEN, roles=(Role.HANDLER,), kind=ChangeKind.GAINED, terms=terms
    )
    return replace(NOTHING, changes=(change,))


@pytest.mark.parametrize(
    ("terms", "lines"),
    [
        (["always"], ["always"]),
        (["leads"], ["when this holds:", LEADS]),
        (["not leads"], ["when this holds:", NOT_LEADS]),
        (["not leads and assigned"], ["when all of this holds:", ASSIGNED, NOT_LEADS]),
        (
            ["assigned", "not leads"],
            ["when at least one of these holds:", ASSIGNED, NOT_LEADS],
        ),
    ],
)
def test_gain_is_said_with_its_terms_and_what_must_hold_first(
    draft: PolicyDraft, terms: list[str], lines: list[str]
) -> None:
    headline = "New: case handler may read the content (open)"

    assert sentences(draft, gained(*terms)) == [*HEAD, headline, *(f"  {each}" for each in lines)]


def test_text_says_once_before_all_changes_what_each_needs(draft: PolicyDraft) -> None:
    said = sentences(draft, replace(gained("always"), common_literals=("not leads", "assigned")))

    assert said[2:5] == ["In everything below, this holds as well:", ASSIGNED, NOT_LEADS]
    assert len(said) == 7


def test_difference_without_changes_says_whether_the_rows_are_others(draft: PolicyDraft) -> None:
    renamed = WrittenChange(kind=WrittenKind.ROW_RENAMED, parts=("A09", "A99"))

    assert sentences(draft, NOTHING) == [*HEAD, "The same decisions."]
    assert sentences(draft, replace(NOTHING, written_rows=(renamed,))) == [
        *HEAD,
        "The same decisions, but the rows are written differently.",
        "Row A09 is now named A99.",
    ]


def test_row_is_said_as_it_was_and_as_it_is_now_where_it_is_there(draft: PolicyDraft) -> None:
    row = b"p, A13, hand_back, handler leader, "
    files = policy_files()
    assert row in files["allow.csv"]
    files["allow.csv"] = files["allow.csv"].replace(row, b"p, A13, hand_back, leader, ")
    new = read_draft(files)
    parts = ("A13", "role", "handler leader", "leader")
    changed = WrittenChange(kind=WrittenKind.ROW_CHANGED, parts=parts)
    before = "    A13: case handler or unit leader may hand back to be distributed (hand_back)"
    now = "    A13: unit leader may hand back to be distributed (hand_back)"

    def rows(*changes: WrittenChange) -> list[str]:
        said = sentences(draft, replace(NOTHING, written_rows=changes), new)
        shown = ("Row", "Before", "Now", "A13")
        return [line for line in said if line.lstrip().startswith(shown)]

    headline = "Row A13 is changed: the role."
    assert rows(changed) == [headline, "  Before:", before, "  Now:", now]
    added = WrittenChange(kind=WrittenKind.ROW_ADDED, parts=("A13", "cells"))
    assert rows(added) == ["Row A13 is new.", "  Now:", now]
    dropped = WrittenChange(kind=WrittenKind.ROW_DROPPED, parts=("A13", "cells"))
    assert rows(dropped) == ["Row A13 is dropped.", "  Before:", before]


def test_basis_that_comes_or_goes_is_said_in_full(draft: PolicyDraft) -> None:
    files = policy_files()
    line = next(each for each in files["bases.csv"].decode().splitlines() if each.startswith(BASIS))
    one_more = line.replace("fvl-8,", "fvl-88,").replace(", , , ,", ", , 2027-01-01, fvl-8,")
    raw = files["bases.csv"].decode()
    count = next(each for each in raw.splitlines() if each.startswith("# rows: "))
    stated = f"# rows: {int(count.removeprefix('# rows: ')) + 1}"
    raw = raw.replace(count, stated).replace(line, f"{line}\n{one_more}")
    more = read_draft({**files, "bases.csv": raw.encode()})

    added = sentences(draft, compare_policies(draft, more), more)[-1]
    dropped = sentences(more, compare_policies(more, draft), draft)[-1]

    text = "Public Administration Act section 8 (fvl-88), until 2027-01-01, replaced by fvl-8"
    assert added == f"The legal basis fvl-88 is new: {text}."
    assert dropped == f"The legal basis fvl-88 is dropped: {text}."


def test_header_is_said_by_the_version_and_the_meaning_of_facts(draft: PolicyDraft) -> None:
    older = replace(draft, header=replace(draft.header, written_for=None))
    changes = (
        WrittenChange(kind=WrittenKind.WRITTEN_FOR, parts=("x", "y")),
        WrittenChange(kind=WrittenKind.OVERRIDDEN_ADDED, parts=("leads",)),
        WrittenChange(kind=WrittenKind.OVERRIDDEN_DROPPED, parts=("assigned",)),
    )

    said = sentences(older, replace(NOTHING, written_elsewhere=changes), draft)

    version = f"version {draft.header.written_for} of the vocabulary"
    assert said[3:] == [
        f"The policy is written for {version}; before, for the names that the folder lists.",
        f"A rule must always be able to stop for this: {LEADS.removeprefix('- ')}.",
        f"No rule need be able to stop for this any more: {ASSIGNED.removeprefix('- ')}.",
    ]
