"""The rows that are proposed for an action that a policy is too old to know."""

from dataclasses import replace

from inbox.access import Action, Policy
from inbox.access.facts.registry import FACTS
from inbox.access.files.folder import read_draft, read_policy
from inbox.access.policy.names import LaterNames, program_vocabulary
from inbox.access.review.new_actions import rows_to_propose
from tests.access.kept_policies import files_of_fewer_names
from tests.access.town import allow, deny, policy_files

LATER = LaterNames(names=(program_vocabulary().names["note"],), denied=(Action.NOTE,))

ARCHIVE = (
    "p, A47, note, archivist, mailbox and unopened and (unrouted or returned or quarantined),"
    " log, allow"
)
UNIT = (
    "p, A47b, note, handler leader, cleared and ((in_unit and assigned) or leads) and readable,"
    " log, allow"
)
NEWER = (*(Action.ASK_ACCESS, Action.DECLARE_CONFLICT, Action.END_CONFLICT, Action.FIGURES),)
FENCE = "p, D03c, note, *, conflict, none, deny"


def shipped() -> Policy:
    return read_draft(policy_files()).policy


def test_rows_to_propose_are_those_of_the_shipped_policy_for_the_action() -> None:
    older = read_policy(files_of_fewer_names())

    found = rows_to_propose(older, shipped())

    assert found.keys() == {Action.NOTE, *NEWER}
    assert found[Action.NOTE] == (ARCHIVE, UNIT, FENCE)


def test_proposed_rows_make_the_older_folder_decide_as_the_shipped_one() -> None:
    files = files_of_fewer_names()
    rows = rows_to_propose(read_draft(files).policy, shipped())[Action.NOTE]
    texts = {name: raw.decode() for name, raw in files.items()}
    for row in rows:
        name = "deny.csv" if row.endswith("deny") else "allow.csv"
        count = int(texts[name].splitlines()[0].removeprefix("# rows: "))
        texts[name] = texts[name].replace(f"# rows: {count}", f"# rows: {count + 1}", 1)
        texts[name] += f"{row}\n"

    policy = read_draft({name: text.encode() for name, text in texts.items()}).policy

    assert policy.later.denied == NEWER
    decided = {(r.roles, r.when, r.duties) for r in policy.rules if r.actions == "note"}
    expected = {(r.roles, r.when, r.duties) for r in shipped().rules if r.actions == "note"}
    assert decided >= expected


def test_proposed_rows_have_free_ids_and_only_bases_that_the_policy_has() -> None:
    known = shipped().bases["fvl-8"]
    policy = Policy(
        [allow("A47", "open", "handler", "in_unit"), deny("D03", "open", "*", "conflict")],
        facts=FACTS,
        digest="d",
        later=LATER,
        bases={"fvl-8": known},
    )
    row = replace(allow("A47", "note", "handler", "in_unit"), bases=("fvl-9", "fvl-8"))
    other = replace(row, id="A47b")
    twice = Policy([row, other], facts=FACTS, digest="d")

    assert rows_to_propose(policy, twice) == {
        Action.NOTE: (
            "p, A47b, note, handler, in_unit, none, allow, fvl-8",
            "p, A47c, note, handler, in_unit, none, allow, fvl-8",
        )
    }


def test_policy_that_decides_every_action_is_proposed_no_rows() -> None:
    assert rows_to_propose(shipped(), shipped()) == {}
