"""What a file changes: periods, names, whole truths, and what widens access."""

from datetime import timedelta

import pytest
from hypothesis import assume, given, settings

from inbox.directory.diff import RowChangeType, digest_of
from inbox.directory.format.rows import Directory, RowKind
from inbox.directory.format.toml_file import directory_text, read_directory
from inbox.directory.snapshot import directory_now, directory_on
from inbox.domain import OrgNumber
from inbox.errors import Invalid
from inbox.line import Line
from tests.directory.directory_strategies import directories
from tests.directory.installation import OURS, at_time, planned, read, take, undone
from tests.municipality import DIRECTORY

BASE = read_directory(DIRECTORY)
OURS_NUMBER = OrgNumber(OURS)
NO_DEADLINE = settings(max_examples=8, deadline=None)


@given(drawn=directories())
@NO_DEADLINE
def test_plan_of_an_already_applied_directory_is_empty(same_line: Line, drawn: Directory) -> None:
    with undone(same_line) as tx:
        take(same_line, tx, drawn)

        assert planned(same_line, tx, drawn) == ()
        assert planned(same_line, at_time(tx, tx.now + timedelta(hours=1)), drawn) == ()


@given(drawn=directories())
@NO_DEADLINE
def test_exported_directory_is_read_back_without_changes(same_line: Line, drawn: Directory) -> None:
    with undone(same_line) as tx:
        take(same_line, tx, drawn)
        text = directory_text(directory_now(tx, OURS_NUMBER))
        whole = text.replace("complete = false", "complete = true")

        assert planned(same_line, tx, read_directory(text.encode())) == ()
        assert planned(same_line, tx, read_directory(whole.encode())) == ()
        assert text.count("[[capacity]]") == len(
            directory_now(tx, OURS_NUMBER).rows[RowKind.CAPACITY]
        )


@given(before=directories(), after=directories())
@NO_DEADLINE
def test_complete_directory_file_ends_rows_missing_from_the_file(
    same_line: Line, before: Directory, after: Directory
) -> None:
    complete = read_directory(directory_text(after).replace("= false", "= true", 1).encode())
    with undone(same_line) as tx:
        take(same_line, tx, before)
        for kind in (RowKind.UNIT, RowKind.PERSON):
            assert complete.rows[kind]
        try:
            take(same_line, at_time(tx, tx.now + timedelta(minutes=1)), complete)
        except Invalid:
            assume(False)  # noqa: FBT003 - as hypothesis has it
        stands = directory_now(at_time(tx, tx.now + timedelta(minutes=1)), OURS_NUMBER)

        assert planned(same_line, tx, complete) == ()
        for kind in (RowKind.CAPACITY, RowKind.CLEARANCE, RowKind.CONFLICT):
            assert set(stands.rows[kind]) <= set(complete.rows[kind])


SAID = {
    "capacity": "[[capacity]]\nperson='ola'\nunit='ppt'\nrole='handler'\n",
    "clearance": "[[clearance]]\nperson='anne'\nshielding='13'\n",
    "conflict": "[[conflict]]\nperson='ola'\nsender='910077473'\n",
    "delegation": "[[delegation]]\nunit='bv'\nabsent='kari'\nsubstitute='ola'\ngiven_by='kari'\n"
    "until=2027-01-01\n",
    "ended": "[[capacity]]\nperson='ola'\nunit='bv'\nrole='handler'\nuntil=2026-11-01\n",
    "earlier end": "[[capacity]]\nperson='ola'\nunit='bv'\nrole='handler'\nuntil=2026-12-24\n",
    "shares": "[[unit]]\nid='ppt'\nname='PPT'\ncase_system='fag'\nshares_unassigned=true\n",
    "shares no more": "[[unit]]\nid='skole'\nname='Skole'\ncase_system='hand'\n",
    "parent": "[[unit]]\nid='ppt'\nname='PPT'\ncase_system='fag'\nparent='skole'\n",
    "other system": "[[unit]]\nid='ppt'\nname='PPT'\ncase_system='hand'\n",
    "no system": "[[unit]]\nid='ppt'\nname='PPT'\n",
    "bare unit": "[[unit]]\nid='ny'\nname='Ny'\n",
    "new person": "[[person]]\nid='ny'\nname='Ny'\n",
    "person renamed": "[[person]]\nid='ola'\nname='Ola'\n",
    "person leaves": "[[person]]\nid='ola'\nname='Ola Saksbehandler'\nuntil=2026-11-01\n",
    "webhook elsewhere": "[[case_system]]\nid='sak'\nname='Sakarkiv'\nmode='webhook'\n"
    "webhook_url='http://127.0.0.1:9/other'\n",
    "reference": "[[reference]]\ncounterparty='910077473'\nreference='2026/1'\nunit='bv'\n",
    "closed with successor": "[[unit]]\nid='ppt'\nname='PPT'\ncase_system='fag'\n"
    "successor='bv'\nuntil=2026-11-01\n",
}


@pytest.mark.parametrize(
    ("said", "widens"),
    [
        ("capacity", True),
        ("clearance", True),
        ("conflict", False),
        ("delegation", True),
        ("ended", False),
        ("earlier end", False),
        ("shares", True),
        ("shares no more", False),
        ("parent", True),
        ("other system", True),
        ("no system", False),
        ("bare unit", False),
        ("new person", False),
        ("person renamed", False),
        ("person leaves", False),
        ("webhook elsewhere", True),
        ("reference", True),
        ("closed with successor", True),
    ],
)
def test_plan_marks_the_directory_changes_that_widen_access(
    same_line: Line, said: str, *, widens: bool
) -> None:
    with undone(same_line) as tx:
        take(same_line, tx, BASE)

        changes = planned(same_line, tx, read(SAID[said]))

        assert changes
        assert any(change.widens for change in changes) is widens


@pytest.mark.parametrize("said", ["conflict", "capacity", "clearance"])
def test_ending_a_conflict_widens_access_and_ending_other_rows_does_not(
    same_line: Line, said: str
) -> None:
    ended = SAID[said] + "until=2026-11-01\n"
    with undone(same_line) as tx:
        take(same_line, tx, BASE)
        take(same_line, tx, read(SAID[said]))

        (change,) = planned(same_line, tx, read(ended))

        assert change.change_type is RowChangeType.ENDED
        assert change.widens is (said == "conflict")


@pytest.mark.parametrize(
    ("first", "then", "widens"),
    [
        ("until=2026-12-01", "until=2026-12-24", True),
        ("until=2026-12-24", "until=2026-12-01", False),
        ("until=2026-12-24", "", True),
        ("from=2026-12-24", "from=2026-12-01", True),
        ("from=2026-12-01", "from=2026-12-24", False),
        ("from=2026-12-24", "from=2026-11-01", True),
    ],
)
@pytest.mark.parametrize("kind", ["capacity", "conflict"])
def test_longer_period_widens_access_except_for_a_conflict_of_interest(
    same_line: Line, first: str, then: str, kind: str, *, widens: bool
) -> None:
    with undone(same_line) as tx:
        take(same_line, tx, BASE)
        take(same_line, tx, read(SAID[kind] + first))

        (change,) = planned(same_line, tx, read(SAID[kind] + then))

        assert change.change_type is RowChangeType.CHANGED
        assert change.widens is (widens if kind == "capacity" else not widens)


def test_return_of_a_person_who_left_is_planned_as_widening_access(same_line: Line) -> None:
    back = "[[person]]\nid='ola'\nname='Ola Saksbehandler'\n"
    with undone(same_line) as tx:
        take(same_line, tx, BASE)
        take(same_line, tx, read(SAID["person leaves"]))
        (change,) = planned(same_line, tx, read(back))

        assert change.widens
        assert planned(same_line, tx, read(SAID["ended"])) == ()


def test_end_of_a_person_also_ends_their_capacities_and_clearances(same_line: Line) -> None:
    with undone(same_line) as tx:
        take(same_line, tx, BASE)

        changes = planned(same_line, tx, read(SAID["person leaves"]))

        assert {(change.kind, change.change_type) for change in changes} == {
            (RowKind.PERSON, RowChangeType.ENDED),
            (RowKind.CAPACITY, RowChangeType.ENDED),
            (RowKind.CLEARANCE, RowChangeType.ENDED),
        }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[[capacity]]\nperson='ingen'\nunit='bv'\nrole='leader'\n", "directory.reference"),
        ("[[capacity]]\nperson='ola'\nunit='ingen'\nrole='leader'\n", "directory.reference"),
        ("[[unit]]\nid='ny'\nname='N'\nparent='ingen'\n", "directory.reference"),
        ("[[unit]]\nid='bv'\nname='B'\nparent='bv'\n", "directory.cycle"),
        (
            "[[unit]]\nid='bv'\nname='B'\nparent='ppt'\n[[unit]]\nid='ppt'\nname='P'\nparent='bv'\n",
            "directory.cycle",
        ),
        ("[[unit]]\nid='bv'\nname='B'\nuntil=2026-11-01\n", "unit.needs_successor"),
        ("[[unit]]\nid='bv'\nname='B'\nuntil=2027-11-01\n", "unit.needs_successor"),
        ("[[unit]]\nid='desk'\nname='D'\nuntil=2026-11-01\n", "unit.needs_successor"),
        (
            "[[unit]]\nid='bv'\nname='B'\nuntil=2027-11-01\nsuccessor='bv'\n",
            "unit.needs_successor",
        ),
        (
            (
                "[[unit]]\nid='bv'\nname='B'\nuntil=2027-11-01\nsuccessor='ppt'\n"
                "[[unit]]\nid='ppt'\nname='P'\nuntil=2027-01-01\nsuccessor='bv'\n"
            ),
            "directory.successor",
        ),
        ("[[person]]\nid='ola'\nname='O'\nfrom=2027-01-01\n", "directory.begun"),
        ("[[conflict]]\nperson='ola'\nmessage='" + "ab" * 16 + "'\n", "directory.reference"),
        ("complete=true\n[[unit]]\nid='desk'\nname='D'\n", "unit.needs_successor"),
    ],
)
def test_plan_refuses_unknown_references_cycles_and_units_closed_without_successor(
    same_line: Line, text: str, code: str
) -> None:
    with undone(same_line) as tx:
        take(same_line, tx, BASE)

        with pytest.raises(Invalid) as told:
            planned(same_line, tx, read(text))

        assert told.value.code == code
        assert "Saksbehandler" not in str(told.value)


def test_directory_import_leaves_units_and_people_of_other_organisations_alone(
    same_line: Line,
) -> None:
    theirs = (
        b"organisation='910077473'\n[[unit]]\nid='x'\nname='X'\n[[person]]\nid='xen'\nname='Xen'\n"
        b"[[capacity]]\nperson='xen'\nunit='x'\nrole='handler'\n"
        b"[[clearance]]\nperson='xen'\nshielding='13'\n"
        b"[[capacity]]\nperson='kari'\nunit='x'\nrole='handler'\n"
    )
    with undone(same_line) as tx:
        take(same_line, tx, BASE)
        take(same_line, tx, read_directory(theirs))
        whole = "complete=true\n" + "person=[]\nclearance=[]\nconflict=[]\n"
        ended = planned(same_line, tx, read(whole))

        assert {change.after.key[0] for change in ended if change.kind is RowKind.PERSON} == {
            "anne",
            "bjorn",
            "ola",
        }
        assert not [c for c in ended if {"xen", "kari"} & set(c.after.key)]
        for text, code in (
            ("[[unit]]\nid='x'\nname='Y'\n", "directory.other_organisation"),
            ("[[capacity]]\nperson='ola'\nunit='x'\nrole='leader'\n", "directory.other"),
            ("[[person]]\nid='xen'\nname='Y'\n", "directory.shared_person"),
            ("[[clearance]]\nperson='xen'\nshielding='26'\n", "directory.other_organisation"),
        ):
            with pytest.raises(Invalid, match=code):
                planned(same_line, tx, read(text))


def test_directory_snapshot_of_a_past_day_has_the_rows_of_that_day(same_line: Line) -> None:
    with undone(same_line) as tx:
        take(same_line, tx, BASE)
        take(same_line, tx, read(SAID["parent"]))
        between = tx.now + timedelta(days=20)
        later, latest = tx.now + timedelta(days=40), tx.now + timedelta(days=80)
        take(same_line, at_time(tx, later), read("[[unit]]\nid='ppt'\nname='PPT'\nparent='bv'\n"))
        take(same_line, tx, read(SAID["person leaves"]))

        then = directory_on(at_time(tx, latest), OURS_NUMBER, between)
        today = directory_on(tx, OURS_NUMBER, latest)

        assert then.rows[RowKind.UNIT]["ppt",].cells["parent"] == "skole"
        assert today.rows[RowKind.UNIT]["ppt",].cells["parent"] == "bv"
        assert ("ola", "bv", "handler") in then.rows[RowKind.CAPACITY]
        assert ("ola", "bv", "handler") not in today.rows[RowKind.CAPACITY]


def test_digest_of_a_directory_change_differs_by_changes_and_salt(same_line: Line) -> None:
    with undone(same_line) as tx:
        take(same_line, tx, BASE)
        digests = {
            digest_of(planned(same_line, tx, read(text)), salt=salt)
            for text in SAID.values()
            for salt in ("one", "two")
        }

        assert len(digests) == 2 * len(SAID)
