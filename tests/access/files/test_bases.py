"""Legal bases: a file of the folder that rows name by ids, read strictly, and deciding nothing."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest

from inbox.access.files.bases import read_bases
from inbox.access.files.folder import read_draft, read_policy
from inbox.access.files.rule_rows import ALLOW_FILE, read_rules
from inbox.access.files.versions import FilesByName
from inbox.access.policy.legal_basis import LegalBasis
from inbox.access.policy.names import MeaningLanguage, program_vocabulary
from inbox.access.policy.vocabulary import Effect
from inbox.access.review.diff import compare_policies
from inbox.access.review.lint import lint
from inbox.access.review.one_person import why_two_people
from inbox.access.review.text_diff import WrittenChange, changed_bases, changed_rows
from inbox.errors import PolicyError
from inbox.language import TextLanguage
from inbox.strict.refusal import refusal_of
from tests.access.town import allow, policy_files

LAW = "fvl-13, forvaltningsloven, § 13, 1970-01-01, , , forvaltningsloven § 13, Act section 13"
REGULATION = 'foa, forskriften, , , , , "forskriften, hele", The regulation'


def lines(changes: Iterable[WrittenChange]) -> list[str]:
    return [change.line for change in changes]


def a_file(*rows: str) -> bytes:
    return "\n".join([f"# rows: {len(rows)}", "# Hjemler.", "", *rows, ""]).encode()


def test_bases_are_read_with_days_successor_and_both_languages() -> None:
    gone = LAW.replace(", , ,", ", 2027-01-01, foa,")

    law, regulation = read_bases(a_file(gone, REGULATION)).values()

    assert law == LegalBasis(
        id="fvl-13",
        act="forvaltningsloven",
        section="§ 13",
        valid_from=date(1970, 1, 1),
        valid_until=date(2027, 1, 1),
        successor="foa",
        text={
            MeaningLanguage.NB: "forvaltningsloven § 13",
            MeaningLanguage.EN: "Act section 13",
        },
    )
    assert (regulation.section, regulation.valid_from, regulation.valid_until) == ("", None, None)
    assert regulation.text_in(MeaningLanguage.NN) == "forskriften, hele"
    assert regulation.text_in(MeaningLanguage.EN) == "The regulation"


def test_basis_may_be_in_force_for_a_single_day() -> None:
    (law,) = read_bases(a_file(LAW.replace(", , ,", ", 1970-01-01, ,"))).values()

    assert law.valid_from == law.valid_until == date(1970, 1, 1)


def test_file_of_bases_may_have_no_rows() -> None:
    assert read_bases(b"# rows: 0\n") == {}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (LAW.replace("fvl-13,", "FVL-13,"), "policy.basis_id"),
        (LAW.replace("fvl-13,", "fvl 13,"), "policy.basis_id"),
        (LAW.replace("fvl-13,", ","), "policy.cells"),
        (LAW.replace("forvaltningsloven,", ","), "policy.cells"),
        (LAW.replace(", Act section 13", ", "), "policy.cells"),
        (LAW.replace(", Act section 13", ""), "policy.cells"),
        (LAW + ", more", "policy.cells"),
        (LAW.replace(",", ";"), "policy.semicolon"),
        (LAW + ", \u201cmore\u201d", "policy.curly_quote"),
        (LAW.replace("1970-01-01", "1970-13-01"), "policy.day"),
        (LAW.replace("1970-01-01", "01.01.1970"), "policy.day"),
        (LAW.replace("1970-01-01", "19700101"), "policy.day"),
        (LAW.replace(", , ,", ", 1969-12-31, ,"), "policy.basis_period"),
        (LAW.replace(", , ,", ", , fvl-14,"), "policy.basis_period"),
        (LAW.replace(", , ,", ", 2027-01-01, fvl-14,"), "policy.basis_unknown"),
        (LAW.replace(", , ,", ", 2027-01-01, fvl-13,"), "policy.basis_circle"),
        (LAW.replace("Act section 13", '"Act section 13'), "policy.quotes"),
        (f"{LAW}\n{LAW}", "policy.basis_twice"),
        (LAW.replace("§ 13,", "§\t13,"), "policy.character"),
    ],
)
def test_invalid_row_of_bases_is_refused_with_its_line(row: str, code: str) -> None:
    raw = a_file(*row.split("\n"))

    with pytest.raises(PolicyError) as error:
        read_bases(raw)

    assert error.value.code == code
    assert error.value.reason.startswith("bases.csv, line ")


def test_refused_basis_says_why_in_three_languages_with_the_nearest_id() -> None:
    second = LAW.replace("fvl-13,", "fvl-14,").replace(", , ,", ", 2027-01-01, fvl-113,")

    with pytest.raises(PolicyError) as error:
        read_bases(a_file(LAW, second))

    refusal = refusal_of(error.value)
    assert refusal is not None
    assert (refusal.file, refusal.line) == ("bases.csv", 5)
    assert [refusal.sentence(language) for language in TextLanguage] == [
        "leste «fvl-113»; tillatt: en id i denne filen; nærmest: fvl-13",
        "las «fvl-113»; lov: ein id i denne fila; nærast: fvl-13",
        "read «fvl-113»; allowed: an id of this file; nearest: fvl-13",
    ]


def test_file_of_bases_with_another_count_is_refused() -> None:
    with pytest.raises(PolicyError) as error:
        read_bases(a_file(LAW).replace(b"rows: 1", b"rows: 2"))

    assert error.value.code == "policy.rows_differ"


def with_bases(old: str, new: str, file: str = "bases.csv") -> FilesByName:
    """The shipped files with one text changed."""
    files = policy_files()
    text = files[file].decode()
    assert text.count(old) >= 1
    return {**files, file: text.replace(old, new).encode()}


ENDS = with_bases("§ 13 c, , , ,", "§ 13 c, , 2026-12-31, fvl-13,")


def test_basis_of_a_row_decides_nothing() -> None:
    bare = read_policy(with_bases(", allow, fvl-13b-1-3 gdpr-29", ", allow, gdpr-29", "allow.csv"))
    shipped = read_policy(policy_files())

    assert bare.rules != shipped.rules
    assert [replace(r, bases=()) for r in bare.rules] == [
        replace(r, bases=()) for r in shipped.rules
    ]
    assert bare.digest != shipped.digest


def test_row_may_name_every_basis_of_the_file() -> None:
    bases = read_bases(a_file(LAW, REGULATION))
    row = b"# rows: 1\np, A01, open, handler, assigned, none, allow, foa fvl-13\n"

    (rule,) = read_rules(ALLOW_FILE, row, Effect.ALLOW, program_vocabulary(), bases)

    assert rule.bases == ("foa", "fvl-13")


def test_change_of_a_basis_is_in_the_diff_and_takes_no_second_person() -> None:
    shipped, ends = read_draft(policy_files()), read_draft(ENDS)

    found = compare_policies(shipped, ends)

    assert found.bases == (
        "basis fvl-13c: until nothing -> 2026-12-31",
        "basis fvl-13c: successor nothing -> fvl-13",
    )
    assert not found.is_empty
    assert set(found.bases) <= set(found.lines)
    assert why_two_people(shipped, ends) == ()
    other = read_draft(with_bases(", deny, fvl-10-6", ", deny, fvl-13c fvl-10-6", "deny.csv"))
    assert why_two_people(shipped, other) == ()


def test_text_diff_reports_added_and_dropped_bases_and_bases_of_rows() -> None:
    both = read_bases(a_file(LAW, REGULATION))
    one = {"foa": both["foa"]}
    row = allow("A01", "open", "handler", "assigned")

    assert lines(changed_bases(one, both)) == [
        "basis fvl-13 added: forvaltningsloven § 13, from 1970-01-01"
    ]
    assert lines(changed_bases(both, one)) == ["basis fvl-13 dropped: forvaltningsloven § 13"]
    assert lines(changed_rows([row], [replace(row, bases=("foa",))])) == [
        "row A01: basis none -> foa"
    ]
    assert lines(changed_rows([], [replace(row, bases=("foa",))])) == [
        "row A01 added: allow, open, handler, assigned, none, foa"
    ]


def test_lint_notes_expired_unused_and_missing_bases() -> None:
    def notes(files: FilesByName, on: date | None) -> dict[tuple[str, str], str]:
        found = lint(read_draft(files), on=on)
        assert not any(each.is_error for each in found)
        return {
            (e.code, e.about): e.said.text(TextLanguage.EN)
            for e in found
            if e.code.startswith("basis_")
        }

    assert notes(policy_files(), date(2026, 11, 30)) == {}
    assert notes(ENDS, date(2026, 12, 31)) == {}
    assert notes(ENDS, None) == {}
    assert notes(ENDS, date(2027, 1, 1)) == {
        ("basis_expired", "fvl-13c"): (
            "expired after 2026-12-31, and fvl-13 replaces it;"
            " named by A01 A02 A33 A07 A07c A07b A48 A51"
        )
    }
    unnamed = with_bases(", allow, fvl-13b-1-3 fvl-8 arkivlova", ", allow", "allow.csv")
    assert notes(unnamed, None) == {("basis_missing", "A13"): "names no legal basis"}
    unused = with_bases(" fvl-9", "", "deny.csv")
    assert notes(unused, None) == {("basis_unused", "fvl-9"): "no row names it"}
