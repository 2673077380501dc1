"""The strict reader of routing rules."""

import hashlib
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inbox.errors import PolicyError
from inbox.routing.conditions import ConditionField
from inbox.routing.diff import diff_rule_books
from inbox.routing.diff_text import render_diff
from inbox.routing.lint import lint
from inbox.routing.rule_book import SAME_UNIT, Release
from inbox.routing.rule_reader import read_rules, read_unchecked_rules
from tests.routing.rule_books import HEAD, NAME, POLICIES, a_book, a_file, rule

POLICE = rule("politi", '{ sender = "group:politi" }')


def refused(raw: bytes | str, name: str = NAME) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        read_rules(name, raw.encode() if isinstance(raw, str) else raw)
    return caught.value


def test_read_rules_reads_all_fields_of_a_rule() -> None:
    book = a_book(
        rule(
            "en",
            '{ sender = ["group:politi", "312103419"], public_title_has = "Barnevern-" }',
            more='except = { service = "DPF" }\nurgent = true\nfrom = 2026-01-01\n'
            'until = 2026-12-31\nbefore = ["to"]',
        ),
        rule("to", '{ sender = "group:skoler" }', to="ppt", release="at once"),
    )

    one, two = book.rules
    assert {c.field: c.values for c in one.when} == {
        ConditionField.SENDER: frozenset({"312100010", "312101718", "312103419"}),
        ConditionField.PUBLIC_TITLE_HAS: frozenset({"barnevern-"}),
    }
    assert [(c.field, c.written) for c in one.except_] == [(ConditionField.SERVICE, ("DPF",))]
    assert (one.to, one.release, one.urgent, one.before) == (
        "bv",
        Release.BY_A_PERSON,
        True,
        ("to",),
    )
    assert (one.from_, one.until) == (date(2026, 1, 1), date(2026, 12, 31))
    assert (two.to, two.release, two.urgent) == ("ppt", Release.AT_ONCE, False)


def test_read_rules_reads_organisation_units_desk_and_digest() -> None:
    raw = a_file(POLICE)

    book = read_rules(NAME, raw)

    assert book.organisation == "910075918"
    assert book.desk == "desk"
    assert {key: (u.name, u.aliases) for key, u in book.units.items()} == {
        "bv": ("Barneverntjenesten", ("Barnevern",)),
        "ppt": ("PPT", ()),
        "desk": ("Dokumentsenteret", ()),
    }
    assert book.digest == hashlib.sha256(raw).hexdigest()


def test_file_without_rules_is_read_where_the_desk_takes_all() -> None:
    raw = "# rows: 0\n" + HEAD.replace('unit = "desk"', 'unit = "desk"\ntakes_all = true')

    book = read_rules(NAME, raw.encode())

    assert (book.desk, book.rules) == ("desk", ())
    changed = diff_rule_books(book, a_book(POLICE))
    assert "politi" in render_diff(changed)
    found = lint(book, on=date(2026, 11, 24), units=book.units, at_desk=2)
    assert [finding for finding in found if finding.is_error] == []


def test_same_unit_is_read_as_a_marker_and_not_as_a_unit() -> None:
    book = a_book(rule("svar", "{ known_reference = true }", to="same unit", release="at once"))

    assert book.rules[0].to is SAME_UNIT


@pytest.mark.parametrize(
    ("code", "raw"),
    [
        ("toml", HEAD + "[[rule"),
        ("toml", "a = " + "[" * 5000),
        ("toml", "a = " + "9" * 5000),
        ("byte_order_mark", b"\xef\xbb\xbf" + a_file(POLICE)),
        ("encoding", a_file(POLICE) + b"# \xe6"),
        ("too_large", a_file(POLICE) + b"#" * 300_000),
        ("unknown_field", a_file(POLICE) + b"[more]\na = 1"),
        ("missing_field", ""),
        ("missing_field", HEAD.partition("[desk]")[0] + POLICE),
        ("missing_field", HEAD),
        ("rule_count", "rule = []\n" + HEAD),
        ("missing_field", HEAD.replace('unit = "desk"', 'unit = "desk"\ntakes_all = false')),
        ("takes_all", HEAD.replace('unit = "desk"', 'unit = "desk"\ntakes_all = true') + POLICE),
        ("wrong_type", HEAD.replace('unit = "desk"', 'unit = "desk"\ntakes_all = 1')),
        ("rule_count", HEAD + "".join(rule(f"r{n}", '{ channel = "a" }') for n in range(201))),
        ("wrong_type", 'desk = "desk"' + HEAD.partition("[desk]")[0] + POLICE),
        ("wrong_type", "rule = 1\n" + HEAD),
        ("wrong_type", "rule = [1]\n" + HEAD),
        ("empty", "rule = [{}]\n" + HEAD),
        ("unknown_unit", HEAD.replace('unit = "desk"', 'unit = "arkivet"') + POLICE),
        ("org_number", HEAD.replace("312101718", "312101719") + POLICE),
        ("org_number", HEAD.replace("312101718", "0192:312101718") + POLICE),
        ("empty", HEAD.replace('["312103419"]', "[]") + POLICE),
        ("duplicate", HEAD.replace('["312103419"]', '["312103419", "312103419"]') + POLICE),
        ("wrong_type", HEAD.replace('["312103419"]', '"312103419"') + POLICE),
        ("short_name", HEAD.replace("skoler =", '"alle skoler" =') + POLICE),
        ("duplicate", HEAD.replace('ppt = "PPT"', 'ppt = " BARNEVERN "') + POLICE),
        ("unknown_field", HEAD.replace("called", "alias") + POLICE),
        ("empty", HEAD.replace('ppt = "PPT"', 'ppt = " "') + POLICE),
        ("short_name", HEAD.replace("ppt =", '"same unit" =') + POLICE),
    ],
)
def test_read_rules_refuses_an_invalid_file_with_its_code(code: str, raw: bytes | str) -> None:
    error = refused(raw)

    assert error.code == f"routing.{code}"
    assert error.reason.startswith(NAME)
    assert "read " in error.reason
    assert "; allowed: " in error.reason


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("missing_field", POLICE.replace('because = "Fordi"', "")),
        ("empty", POLICE.replace('"Fordi"', '" "')),
        ("missing_field", POLICE.replace('release = "by a person"', "")),
        ("release", POLICE.replace("by a person", "later")),
        ("unknown_field", POLICE + "note = 1"),
        ("unknown_unit", POLICE.replace('"bv"', '"bup"')),
        ("unknown_group", POLICE.replace("group:politi", "group:legevakt")),
        ("wrong_type", POLICE + "urgent = 1"),
        ("wrong_type", POLICE + 'from = "2026-01-01"'),
        ("wrong_type", POLICE + "from = 2026-01-01T00:00:00"),
        ("period", POLICE + "from = 2026-01-02\nuntil = 2026-01-01"),
        ("empty", POLICE + "before = []"),
        ("wrong_type", POLICE + 'before = "to"'),
        ("empty", POLICE + "except = {}"),
        ("empty", rule("en", "{}")),
        ("wrong_type", rule("en", "[]")),
        ("unknown_field", rule("en", '{ title = "navn" }')),
        ("unknown_field", rule("en", '{ content = "navn" }')),
        ("empty", rule("en", "{ sender = [] }")),
        ("org_number", rule("en", '{ sender = "*" }')),
        ("org_number", rule("en", '{ signer = "912345678" }')),
        ("wrong_type", rule("en", "{ sender = 312100010 }")),
        ("wrong_type", rule("en", '{ sender_known = "true" }')),
        ("unknown_word", rule("en", '{ service = "dpo" }')),
        ("unknown_word", rule("en", '{ process = "taushetsbelagt" }')),
        ("unknown_word", rule("en", '{ document_type = "arkivmelding_kvittering" }')),
        ("short_name", rule("en", '{ channel = "Altinn 3" }')),
        ("unknown_unit", rule("en", '{ administrative_unit = "Barnevern" }')),
        ("pattern", rule("en", '{ access_restriction = "13*" }')),
        ("pattern", rule("en", '{ screening_authority = "Offl. § ?" }')),
        ("title_word", rule("en", '{ public_title_has = "to ord" }')),
        ("title_word", rule("en", '{ public_title_has = "-" }')),
        ("title_word", rule("en", '{ public_title_has = "ba-" }')),
        ("title_word", rule("en", '{ public_title_has = "01010112345" }')),
        ("title_word", rule("en", '{ public_title_has = "barn*" }')),
        ("duplicate", rule("en", '{ public_title_has = ["barn", "barn"] }')),
        ("same_unit", rule("en", "{ known_reference = false }", to="same unit")),
        ("same_unit", rule("en", "{ sender_known = true }", to="same unit")),
    ],
)
def test_read_rules_refuses_an_invalid_rule_by_its_id(code: str, text: str) -> None:
    error = refused(a_file(text))

    assert error.code == f"routing.{code}"
    assert "rule «en»" in error.reason or "rule «politi»" in error.reason


def test_read_rules_refuses_a_duplicate_rule_id() -> None:
    error = refused(a_file(POLICE, POLICE))

    assert error.code == "routing.duplicate"
    assert "[[rule]] no. 2" in error.reason


@pytest.mark.parametrize("id_", ["", "To ord", "STORE"])
def test_rule_id_must_be_a_short_name(id_: str) -> None:
    assert refused(a_file(rule(id_, '{ channel = "a" }'))).code in {
        "routing.short_name",
        "routing.empty",
    }


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("910075918.json", "file_name"),
        ("910075918", "file_name"),
        ("910075919.toml", "org_number"),
        ("vestrefjord.toml", "org_number"),
        ("routing/910075918.toml", "org_number"),
        ("", "file_name"),
    ],
)
def test_rule_file_must_be_named_by_its_organisation_number(name: str, code: str) -> None:
    assert refused(a_file(POLICE), name=name).code == f"routing.{code}"


def test_read_rules_refuses_invalid_toml_with_its_line() -> None:
    assert "line 2" in refused("a = 1\nb = x").reason


def test_read_rules_quotes_a_long_refused_value_only_in_part() -> None:
    assert len(refused(a_file(POLICE.replace('"bv"', f'"{"x" * 9000}"'))).reason) < 300


def test_read_rules_reports_all_lint_errors_at_once() -> None:
    error = refused(
        a_file(
            rule("en", '{ sender = "group:politi" }'),
            rule("to", '{ sender = "312100010" }', to="ppt"),
            rule("tre", '{ channel = "altinn" }', to="desk"),
        )
    )

    assert error.code == "routing.dead"
    assert "«to» is dead" in error.reason
    assert "«en» (to bv) and «tre» (to desk)" in error.reason


def test_read_rules_reports_only_the_first_of_very_many_lint_errors() -> None:
    rules = [
        rule(f"r{n}", f'{{ sender = "group:politi", channel = "k{n}" }}', to="ppt")
        for n in range(30)
    ]

    error = refused(a_file(rule("alle", "{ sender_known = true }"), *rules))

    assert error.code == "routing.overlap"
    assert error.reason.endswith("; and 10 more")


def test_read_draft_accepts_rules_with_lint_errors() -> None:
    draft = read_unchecked_rules(
        NAME, a_file(POLICE, rule("to", '{ sender = "group:politi" }', to="ppt"))
    )

    assert [r.id for r in draft.rules] == ["politi", "to"]


THE_FILE = (POLICIES / "routing" / NAME).read_bytes()


@given(
    at=st.integers(min_value=0, max_value=len(THE_FILE)),
    gone=st.integers(min_value=0, max_value=200),
    new=st.one_of(
        st.binary(max_size=8),
        st.sampled_from(
            [b"[", b"]", b"{}", b"[]", b'""', b"true", b"1", b"2026-01-01", b"\n", b"= ", b"nan"]
        ),
    ),
)
@example(at=0, gone=len(THE_FILE), new=b"")
def test_mutated_rule_file_is_either_read_or_refused(at: int, gone: int, new: bytes) -> None:
    mutated = THE_FILE[:at] + new + THE_FILE[at + gone :]

    try:
        book = read_rules(NAME, mutated)
    except PolicyError as error:
        assert error.code.startswith("routing.")  # noqa: PT017 - either outcome is right
    else:
        assert book.rules
