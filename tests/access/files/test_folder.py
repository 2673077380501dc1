"""The strict reader: every slip is refused with its own code, and none widens access."""

import hashlib
import re
import struct
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from inbox.access import Action, Duty, Policy, Role
from inbox.access.facts.registry import FACTS
from inbox.access.files.folder import (
    ALL_FILES,
    DECIDING_FILES,
    OLDER_FILES,
    POLICY_FILES,
    digest_of,
    load_policy,
    read_draft,
    read_policy,
    read_policy_version,
)
from inbox.access.files.versions import DigestRule, FilesOfVersion
from inbox.access.policy.conditions import ALWAYS
from inbox.access.policy.names import program_vocabulary
from inbox.errors import PolicyError
from tests.access.town import POLICIES, files_of_vocabulary_1, policy_files

WAYS = b"(in_unit or assigned) and " * 7
"""Two to the seventh."""
A09 = b"p, A09, open, handler, in_unit and assigned and cleared and readable, log, allow"
D03 = b"p, D03, list open take assign grant register breakglass, *, conflict, none, deny"
BASES = b", fvl-10-6 fvl-8"


def refused(file: str, old: bytes, new: bytes, *, rows: int = 0) -> PolicyError:
    """What the reader says when one thing is changed, and the row count with it."""
    files = policy_files()
    assert files[file].count(old) >= 1
    changed = files[file].replace(old, new, 1)
    stated = re.search(rb"# rows: (\d+)", changed)
    files[file] = changed
    if stated is not None:
        count = int(stated.group(1)) + rows
        files[file] = changed.replace(stated.group(0), b"# rows: %d" % count, 1)
    with pytest.raises(PolicyError) as error:
        read_policy(files)
    return error.value


@pytest.mark.parametrize(
    ("file", "old", "new", "code"),
    [
        ("deny.csv", D03, D03 + b" # habilitet", "policy.sign"),
        ("deny.csv", D03, D03 + b"; x", "policy.semicolon"),
        ("deny.csv", D03, D03.replace(b"deny", b'"deny"'), "policy.sign"),
        ("deny.csv", D03, D03.replace(b", deny", b", Deny"), "policy.effect"),
        ("deny.csv", D03, D03.replace(b", deny", b", allow"), "policy.effect"),
        ("deny.csv", D03, D03.replace(b", none", b""), "policy.effect"),
        ("deny.csv", D03 + BASES, D03.replace(b", none", b""), "policy.cells"),
        ("deny.csv", D03, D03.replace(b"none", b""), "policy.cells"),
        ("deny.csv", D03 + b", ", D03 + b", , ", "policy.cells"),
        ("deny.csv", D03 + b", ", D03 + b", fvl-8, ", "policy.cells"),
        ("deny.csv", D03 + b", ", D03 + b", fvl-7 ", "policy.basis"),
        ("deny.csv", D03 + b", ", D03 + b", fvl-8 ", "policy.basis"),
        ("deny.csv", D03 + b", ", D03 + b", fvl-9  ", "policy.basis"),
        ("deny.csv", D03, D03.replace(b"p,", b"P,"), "policy.kind"),
        ("deny.csv", D03, D03.replace(b"p,", b"p2,"), "policy.kind"),
        ("deny.csv", D03, D03.replace(b"p,", b"g,"), "policy.kind"),
        ("deny.csv", D03, D03.replace(b"D03", b"D02"), "policy.rule_id_twice"),
        ("deny.csv", D03, D03.replace(b"D03", b"A03"), "policy.id"),
        ("deny.csv", D03, D03.replace(b"list open", b"list  open"), "policy.word"),
        ("deny.csv", D03, D03.replace(b"list open", b"list list"), "policy.word"),
        ("deny.csv", D03, D03.replace(b"list open", b"lst open"), "policy.word"),
        ("deny.csv", D03, D03.replace(b"list open", b"* open"), "policy.word"),
        ("deny.csv", D03, D03.replace(b"*", b"handlers"), "policy.word"),
        ("deny.csv", D03, D03.replace(b"conflict", b"conflicts"), "policy.condition_name"),
        ("deny.csv", D03, D03.replace(b"conflict", b"conflict(("), "policy.condition"),
        ("deny.csv", D03, D03.replace(b"conflict", "c\u00f6nflict".encode()), "policy.not_ascii"),
        (
            "deny.csv",
            D03,
            D03.replace(b", conflict", b",\xc2\xa0conflict"),
            "policy.no_break_space",
        ),
        ("deny.csv", D03, D03.replace(b", conflict", b",\tconflict"), "policy.character"),
        ("deny.csv", D03, D03.replace(b"none", b"log  reason"), "policy.word"),
        ("deny.csv", D03, b"# " + D03, "policy.rows_differ"),
        ("deny.csv", D03 + BASES + b"\n", D03 + BASES + b"\r\n", "policy.line_end"),
        ("deny.csv", b"# rows", b"\xef\xbb\xbf# rows", "policy.byte_order_mark"),
        ("deny.csv", D03, D03 + b"\xff", "policy.encoding"),
        ("deny.csv", D03, D03 + b" " * 300_000, "policy.too_large"),
        ("allow.csv", A09, A09.replace(b"open", b"*"), "policy.word"),
        ("allow.csv", A09, A09.replace(b"open", b"open list"), "policy.action"),
        ("allow.csv", A09, A09.replace(b"handler", b"*"), "policy.word"),
        ("allow.csv", A09, A09.replace(b"and cleared", b"or cleared"), "policy.condition_mixed"),
        ("allow.csv", A09, A09.replace(b"and cleared", b"and (cleared"), "policy.condition"),
        (
            "allow.csv",
            A09,
            A09.replace(b"in_unit", WAYS + b"in_unit"),
            "policy.condition_ways",
        ),
        ("allow.csv", A09, A09.replace(b"log", b"Log"), "policy.word"),
        ("allow.csv", A09, A09.replace(b" and cleared", b""), "policy.invariant"),
        ("allow.csv", A09, A09.replace(b"handler", b"handler archivist"), "policy.invariant"),
        ("policy.toml", b"vocabulary = ", b"vocabularies = ", "policy.keys"),
        ("policy.toml", b"vocabulary = 3", b"vocabulary = 0", "policy.number"),
        ("policy.toml", b"vocabulary = 3", b"vocabulary = true", "policy.number"),
        ("policy.toml", b"vocabulary = 3", b'vocabulary = "3"', "policy.number"),
        ("policy.toml", b'["conflict", ', b'["cleared", ', "policy.overridden"),
        ("policy.toml", b'["conflict", ', b'["conflicts", ', "policy.fact"),
        ("policy.toml", b'["conflict", ', b'["conflict", "conflict", ', "policy.twice"),
        ("shielding.toml", b'code = "13"', b'code = "?"', "policy.code"),
        ("shielding.toml", b'code = "7"', b'code = "6"', "policy.twice"),
        ("shielding.toml", b'"kode 7"', b'"kode 7, eller"', "policy.shielding"),
        ("shielding.toml", b'code = "7"', b"code = 7", "policy.text"),
        ("shielding.toml", b'"kode 7"', b'"kode 8"', "policy.case"),
        ("tests/shielding.toml", b'"kode 7"', b'"kode 8"', "policy.case"),
        ("tests/access.toml", b'"allow A08"', b'"allow A09"', "policy.case"),
        ("tests/access.toml", b'base = ["own', b'base = ["wn', "policy.fact"),
        (
            "invariants.txt",
            b"open implies list",
            b"open implies always_list",
            "policy.condition_name",
        ),
        ("invariants.txt", b"open implies list", b"open implies route", "policy.invariant"),
        ("invariants.txt", b"open implies list", b"open entails list", "policy.claim"),
        (
            "invariants.txt",
            b"open implies list",
            b"assume open implies list",
            "policy.condition_name",
        ),
    ],
)
def test_policy_files_with_one_invalid_edit_are_refused_with_a_code(
    file: str, old: bytes, new: bytes, code: str
) -> None:
    assert refused(file, old, new).code == code


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("deny.csv", D03, D03.replace(b"list open", b"lst open"), ": read «lst open"),
        ("deny.csv", D03, D03 + b"\xff", ": read byte"),
        ("allow.csv", A09, A09 + b"\n" + A09, ": read «A09»"),
        ("policy.toml", b"\nvocabulary = 3", b"\nvocabulary = 0", ", vocabulary: read «0»"),
        ("policy.toml", b'\nnever_overridden = ["conflict', b'\nnever_overridden = ["con', ""),
        ("shielding.toml", b'\ncode = "24"', b'\ncode = ""', ", shielding.code: read «»"),
        ("shielding.toml", b'\ncode = "24"', b'\ncode = "7"', ", shielding.code: read «7»"),
        ("invariants.txt", b"\nopen implies list", b"\nopen implies lst", ": read «lst»"),
        ("invariants.txt", b"\nopen implies list", b"\nopen implies route", ": read «handler"),
        ("tests/access.toml", b'\nname = "karantene', b'\nnome = "karantene', ", case.nome"),
    ],
)
def test_policy_refusal_names_file_and_line_and_read_and_allowed_text(
    file: str, old: bytes, new: bytes, said: str
) -> None:
    before, _, _ = policy_files()[file].partition(old)
    line = before.count(b"\n") + 1 + old.startswith(b"\n") + new.count(b"\n", 1)

    reason = refused(file, old, new, rows=new.count(b"\n", 1)).reason

    assert reason.startswith(f"{file}, line {line}{said}"), reason
    assert "; allowed: " in reason


@pytest.mark.parametrize(
    ("old", "new", "odd"),
    [
        (b"refetch, archivist, mailbox and missed", b"refetch, archivist, mailbox and unrouted", 1),
        (b"policy_edit, policy_editor, strong", b"policy_edit, policy_editor, leads and strong", 1),
        (b"end_access, leader, leads", b"end_access, leader, leads and in_unit", 0),
    ],
)
def test_allow_row_may_only_use_facts_known_of_its_subject(
    old: bytes, new: bytes, odd: int
) -> None:
    if odd:
        assert refused("allow.csv", old, new).code == "policy.fact_unknown"
    else:
        files = policy_files()
        read_draft(files | {"allow.csv": files["allow.csv"].replace(old, new)})


def test_deny_row_with_a_fact_unknown_of_its_subject_is_refused() -> None:
    old = b"D05b, delegate, *, target_is_self"

    assert refused("deny.csv", old, b"D05b, delegate, *, conflict").code == "policy.fact_unknown"


def test_row_count_that_differs_or_is_missing_is_refused() -> None:
    extra = b"\np, A99, operate, operator, always, none, allow"
    assert refused("allow.csv", A09, A09 + extra).code == "policy.rows_differ"
    assert refused("allow.csv", A09, A09, rows=1).code == "policy.rows_differ"
    assert refused("allow.csv", b"# rows:", b"# lines: 3 # rows:").code == "policy.rows_unstated"


def test_policy_file_without_rows_is_refused() -> None:
    for file in ("allow.csv", "deny.csv", "invariants.txt"):
        files = policy_files() | {file: b"# rows: 0\n"}
        with pytest.raises(PolicyError) as error:
            read_policy(files)
        assert error.value.code == "policy.empty"
        assert error.value.reason.startswith(f"{file}, line 1: ")


@pytest.mark.parametrize("file", ALL_FILES)
def test_policy_with_a_missing_file_is_refused(file: str) -> None:
    files = policy_files()
    del files[file]

    with pytest.raises(PolicyError) as error:
        read_policy(files)

    assert error.value.code == "policy.files"
    assert error.value.reason.endswith(f"allowed: exactly {', '.join(ALL_FILES)}")


def test_policy_digest_changes_with_every_file() -> None:
    files = policy_files()
    digests = {digest_of(files)}
    for file in ALL_FILES:
        digests.add(digest_of(files | {file: files[file] + b"\n"}))

    assert len(digests) == 1 + len(ALL_FILES)
    assert read_policy(files).digest == digest_of(files)


def test_policy_digest_of_rule_1_changes_with_every_deciding_file_and_no_other() -> None:
    files = files_of_vocabulary_1()
    old = DigestRule.DECIDING_FILES
    digests = {digest_of(files, old)}
    for file in DECIDING_FILES:
        digests.add(digest_of(files | {file: files[file] + b"\n"}, old))

    assert len(digests) == 1 + len(DECIDING_FILES)
    assert digest_of(files | {"invariants.txt": b""}, old) in digests
    version = FilesOfVersion(files=files, digest_rule=old)
    assert read_policy_version(version).digest == digest_of(files, old)


def folder(tmp_path: Path) -> Path:
    return Path(copytree(POLICIES, tmp_path / "policies"))


def test_shipped_policy_folder_loads_with_the_digest_of_its_files(the_policy: Policy) -> None:
    assert the_policy.digest == digest_of(policy_files())


def test_policy_folder_with_a_stray_file_is_refused(tmp_path: Path) -> None:
    path = folder(tmp_path)
    (path / "deny2.csv").write_text("# rows: 0\n")

    with pytest.raises(PolicyError) as error:
        load_policy(path)

    assert error.value.code == "policy.stray_file"
    assert error.value.reason.endswith(f"allowed: only {', '.join(POLICY_FILES)}")


def test_policy_folder_with_a_file_of_meanings_left_over_says_to_remove_it(
    tmp_path: Path,
) -> None:
    path = folder(tmp_path)
    (path / "facts.toml").write_bytes(files_of_vocabulary_1()["facts.toml"])

    with pytest.raises(PolicyError, match=r"facts.toml, line 1: .* so remove this file") as error:
        load_policy(path)

    assert error.value.code == "policy.stray_file"


def test_files_without_a_digest_by_rule_1_are_refused() -> None:
    with pytest.raises(PolicyError, match="facts.toml") as error:
        digest_of(policy_files(), DigestRule.DECIDING_FILES)

    assert error.value.code == "policy.digest_rule"


def test_missing_policy_folder_is_refused_as_unreadable(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as error:
        load_policy(tmp_path / "none")

    assert error.value.code == "policy.unreadable"


@pytest.mark.parametrize("file", ["deny.csv", "tests/access.toml"])
def test_unreadable_policy_file_is_named_in_the_refusal(tmp_path: Path, file: str) -> None:
    path = folder(tmp_path)
    (path / file).unlink()
    with pytest.raises(PolicyError) as gone:
        load_policy(path)
    (path / file).mkdir()
    with pytest.raises(PolicyError) as no_file:
        load_policy(path)

    name = Path(file).name
    assert gone.value.reason == f"FileNotFoundError at {name} in the folder"
    assert no_file.value.reason == f"IsADirectoryError at {name} in the folder"


def test_policy_digest_is_sha256_over_length_prefixed_names_and_files() -> None:
    """SHA-256; before each name and each file its length, in eight bytes."""
    covered = (
        (policy_files(), DigestRule.EVERY_FILE, ALL_FILES),
        (files_of_vocabulary_1(), DigestRule.EVERY_FILE, OLDER_FILES),
        (files_of_vocabulary_1(), DigestRule.DECIDING_FILES, DECIDING_FILES),
    )
    for files, rule, names in covered:
        parts = [part for name in sorted(names) for part in (name.encode(), files[name])]
        whole = b"".join(struct.pack(">Q", len(part)) + part for part in parts)
        assert digest_of(files, rule) == hashlib.sha256(whole).hexdigest()


A12 = (
    b"p, A12, take, handler, in_unit and unassigned and cleared and unit_shares"
    b" and (routed or released or offered or returned), log, allow"
)


def test_row_that_is_switched_off_decides_nothing_and_keeps_its_place_and_its_cases() -> None:
    files = policy_files()
    files["allow.csv"] = files["allow.csv"].replace(A12, A12.replace(b", allow", b", off"))

    draft = read_draft(files)

    assert "A12" not in {rule.id for rule in draft.policy.rules}
    assert draft.rows == read_draft(policy_files()).policy.rules
    assert draft.case_failures() == ()
    facts = {name: name != "conflict" for name in draft.policy.facts}
    assert not draft.verified_policy().decide(Role.HANDLER, facts, Action.TAKE).allowed


def test_file_in_which_every_row_is_switched_off_is_refused() -> None:
    files = policy_files()
    files["allow.csv"] = files["allow.csv"].replace(b", allow,", b", off,")

    with pytest.raises(PolicyError) as error:
        read_draft(files)

    assert error.value.code == "policy.empty"


def test_deny_row_cannot_be_switched_off() -> None:
    error = refused("deny.csv", D03, D03.replace(b", deny", b", off"))

    assert error.code == "policy.effect"


def test_policy_with_a_failing_case_is_refused(tmp_path: Path) -> None:
    path = folder(tmp_path)
    allow = path / "allow.csv"
    allow.write_bytes(
        allow.read_bytes().replace(b"list, leader, leads", b"list, leader, leads and cleared")
    )
    load_policy(path)
    allow.write_bytes(allow.read_bytes().replace(b"A12, take", b"A92, take"))

    with pytest.raises(PolicyError) as error:
        load_policy(path)

    assert error.value.code == "policy.case"


def test_files_are_read_with_the_vocabulary_that_is_asked_for() -> None:
    program = program_vocabulary()
    names = {name: known for name, known in program.names.items() if name != "covers"}
    fewer = replace(program, names=names)
    files = files_of_vocabulary_1()

    read_policy_version(FilesOfVersion(files=files))
    for read in (
        lambda: read_policy_version(FilesOfVersion(files=files), fewer),
        lambda: read_draft(files, vocabulary=fewer),
    ):
        with pytest.raises(PolicyError, match="read «covers»"):
            read()


def test_facts_actions_roles_and_duties_have_distinct_names() -> None:
    words = [ALWAYS, *FACTS, *Action, *Role, *Duty]

    assert len(words) == len(set(words))
