"""`inbox package`: a verdict on whatever file is at hand, and packages that are accepted."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from inbox.package.codes.registry import CODES
from inbox.simulator.packages.arkivmelding import arkivmelding_xml
from inbox.simulator.packages.builder import Dialect, Parcel, ParcelDocument, Tamper, package_bytes
from inbox.simulator.packages.certificates import OrgStyle, TestAuthority
from tests.cli.installation import Answer, Installed, program, python
from tests.package.attempts import Opening
from tests.package.refused_packages import EARNED, letter_with_grade
from tests.package.zip.zip_writer import Part, zip_bytes
from tests.package_builder import MIMETYPE, RECEIVER, SENDER, STRANGER, refusal

KEYS = {
    *("verdict", "code", "container", "integrity", "signers", "algorithm_class", "trust"),
    *("documents", "missing"),
}
BREV = b"%PDF-1.7 brev"
NOW = datetime.now(UTC)
OF_THE_FILE = {"container", "manifest", "signature", "arkivmelding", "documents"}
IN_THE_LINE = {
    code: attempt
    for code, attempt in EARNED.items()
    if isinstance(attempt, Opening) and not attempt.terms and code.split(".")[0] in OF_THE_FILE
}
"""Files that earn their code whatever the envelope, the trust and the limits are."""


class Desk:
    """Somebody with a file, and nothing else of ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = TestAuthority()
        self.trust = folder / "trust"
        self.trust.mkdir()

    def ask(self, *words: str | Path) -> Answer:
        """The command in this process; the settings that it is told of are not there."""
        return Installed(self.folder).ask("package", *map(str, words))

    def inspected(self, raw: bytes, *words: str | Path) -> tuple[int, Any]:
        """Exit code and JSON about these bytes."""
        path = self.folder / "pakke.asice"
        path.write_bytes(raw)
        answer = self.ask("inspect", path, "--json", *words)
        return answer.code, answer.value

    def believe(self, *, revoked: bool = False) -> tuple[str, Path]:
        """Trust in the authority; its list revokes what was issued first, or nothing."""
        (self.trust / "root.pem").write_bytes(self.authority.root_pem())
        signers = [self.signer] if revoked else []
        (self.trust / "root.crl").write_bytes(self.authority.crl(NOW, signers))
        return "--trust", self.trust

    def packed(self, **changes: Any) -> bytes:
        """A package as an integrasjonspunkt makes it."""
        self.signer = changes.pop("signer", None) or self.authority.issue(SENDER)
        fields: dict[str, Any] = {
            "sender": SENDER,
            "receiver": RECEIVER,
            "signer": self.signer,
            "documents": (ParcelDocument("brev.pdf", "application/pdf", BREV),),
            "arkivmelding": arkivmelding_xml(),
        }
        return package_bytes(Parcel(**(fields | changes)))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def _short(told: dict[str, Any]) -> tuple[object, ...]:
    return told["verdict"], told["code"], told["integrity"], told["trust"]


def test_package_inspect_accepts_a_genuine_package_without_judging_trust(desk: Desk) -> None:
    code, told = desk.inspected(desk.packed())

    assert code == 0
    assert set(told) == KEYS
    assert _short(told) == ("accepted", None, True, None)
    assert (told["container"], told["algorithm_class"]) == (True, "legacy-sha1")
    assert told["documents"] == [
        {"name": "brev.pdf", "bytes": len(BREV), "sha256": hashlib.sha256(BREV).hexdigest()}
    ]
    (signer,) = told["signers"]
    assert signer["org_number"] == SENDER
    assert set(signer) == {"org_number", "name", "serial", "issuer"}


def test_package_inspect_with_a_trusted_signer_reports_integrity_and_trust(desk: Desk) -> None:
    raw = desk.packed(dialect=Dialect.MODERN)

    code, told = desk.inspected(raw, *desk.believe())

    assert (code, _short(told)) == (0, ("accepted", None, True, True))
    assert told["algorithm_class"] == "modern"


def test_package_inspect_holds_but_lists_an_intact_package_of_an_untrusted_signer(
    desk: Desk,
) -> None:
    code, told = desk.inspected(desk.packed(), "--trust", desk.trust)

    assert (code, _short(told)) == (1, ("held", "trust.unknown_anchor", True, False))
    assert [document["name"] for document in told["documents"]] == ["brev.pdf"]


def test_package_inspect_refuses_a_revoked_signer_but_reports_integrity(desk: Desk) -> None:
    raw = desk.packed()

    code, told = desk.inspected(raw, *desk.believe(revoked=True))

    assert (code, _short(told)) == (1, ("refused", "trust.revoked", True, False))


def test_package_inspect_without_a_revocation_list_holds_the_package(desk: Desk) -> None:
    raw, trust = desk.packed(), desk.believe()
    (desk.trust / "root.crl").unlink()

    code, told = desk.inspected(raw, *trust)

    assert (code, _short(told)) == (1, ("held", "revocation-unknown", True, False))


def test_package_inspect_holds_a_package_signed_with_an_expired_certificate(desk: Desk) -> None:
    raw = desk.packed(signer=desk.authority.expired(SENDER, now=NOW))

    _, told = desk.inspected(raw, *desk.believe())

    assert _short(told) == ("held", "trust.expired", True, False)


@pytest.mark.parametrize(
    ("signed_by", "code"),
    [(STRANGER, "signer.not_sender"), ("9578-4050", "signer.no_org_number")],
)
def test_package_inspect_with_trust_requires_the_signer_to_be_the_named_sender(
    desk: Desk, signed_by: str, code: str
) -> None:
    raw = desk.packed(signer=desk.authority.issue(signed_by))

    _, told = desk.inspected(raw, *desk.believe())
    _, unasked = desk.inspected(raw)

    assert _short(told) == ("held", code, True, True)
    assert _short(unasked) == ("accepted", None, True, None)


def test_package_inspect_skips_the_sender_check_when_no_sender_is_named(desk: Desk) -> None:
    signer = desk.authority.issue(STRANGER, style=OrgStyle.ORGANIZATION_IDENTIFIER)
    raw = desk.packed(signer=signer, dialect=Dialect.MODERN)

    _, told = desk.inspected(raw, *desk.believe())

    assert _short(told) == ("accepted", None, True, True)


def test_package_inspect_accepts_a_supplier_named_beside_the_sender_as_signer(desk: Desk) -> None:
    raw = desk.packed(sender=f"{STRANGER}:{SENDER}", signer=desk.authority.issue(STRANGER))

    _, told = desk.inspected(raw, *desk.believe())

    assert _short(told) == ("accepted", None, True, True)


def test_package_inspect_lists_every_hold_reason_with_the_first_as_code(desk: Desk) -> None:
    raw = desk.packed(tamper=Tamper.MISSING_ARKIVMELDING, documents=())
    path = desk.folder / "held.asice"
    path.write_bytes(raw)

    answer = desk.ask("inspect", path, "--trust", desk.trust)
    _, told = desk.inspected(raw, "--trust", desk.trust)

    assert [line.split(":")[0] for line in answer.out.splitlines()[:4]] == [
        "held",
        "trust.unknown_anchor",
        "arkivmelding.absent",
        "documents.none",
    ]
    assert told["code"] == "trust.unknown_anchor"
    assert answer.code == 1


def test_package_inspect_refuses_a_package_with_any_problem_that_cannot_be_waived(
    desk: Desk,
) -> None:
    raw = desk.packed(arkivmelding=letter_with_grade("Hemmelig"))

    _, told = desk.inspected(raw, "--trust", desk.trust)

    assert _short(told) == ("refused", "arkivmelding.security_grade", True, False)
    assert told["documents"] == []


@pytest.mark.parametrize("code", IN_THE_LINE)
def test_package_inspect_gives_the_same_code_as_the_line(desk: Desk, code: str) -> None:
    attempt = IN_THE_LINE[code]

    _, told = desk.inspected(attempt.raw())

    assert told["code"] == refusal(attempt) == code
    assert told["container"] is not code.startswith("container.")
    assert (told["verdict"] == "held") is CODES[code].waivable
    assert (told["integrity"] is True) is code.startswith(("arkivmelding.", "documents."))


def test_package_inspect_reports_missing_metadata_without_holding_the_package(desk: Desk) -> None:
    bare = arkivmelding_xml().replace(b"<journalstatus>Ekspedert</journalstatus>", b"")

    _, told = desk.inspected(desk.packed(arkivmelding=bare))

    assert told["verdict"] == "accepted"
    assert told["missing"] == ["journalpost/journalstatus"]


def test_package_inspect_container_flag_checks_a_plain_zip_without_signature(desk: Desk) -> None:
    files = {"a.txt": b"a", "mappe/b.txt": b"b" * 5000}
    raw = zip_bytes([MIMETYPE, *(Part(name=n, content=c) for n, c in files.items())])

    code, told = desk.inspected(raw, "--container")
    _, whole = desk.inspected(raw)

    assert (code, _short(told)) == (0, ("accepted", None, None, None))
    assert (told["signers"], told["algorithm_class"]) == ([], None)
    listed = {each["name"]: (each["bytes"], each["sha256"]) for each in told["documents"]}
    expected = files | {"mimetype": MIMETYPE.content}
    assert listed == {n: (len(c), hashlib.sha256(c).hexdigest()) for n, c in expected.items()}
    assert _short(whole) == ("refused", "manifest.none", False, None)


def test_package_inspect_container_flag_detects_a_broken_file(desk: Desk) -> None:
    raw = zip_bytes([MIMETYPE, Part(name="a.txt", content=b"a", crc=1)])

    code, told = desk.inspected(raw, "--container")

    assert (code, _short(told)) == (1, ("refused", "container.crc", None, None))
    assert told["container"] is False


@pytest.mark.parametrize(
    "raw", [b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\0" * 100_000, b"<xml/>"]
)
def test_package_inspect_refuses_arbitrary_bytes_with_a_verdict(desk: Desk, raw: bytes) -> None:
    code, told = desk.inspected(raw)

    assert (code, told["verdict"], told["container"]) == (1, "refused", False)
    assert told["integrity"] is None


@pytest.mark.parametrize(
    "words",
    [
        ["inspect", "nowhere.asice"],
        ["inspect", "."],
        ["inspect", "/proc/self/mem"],
        ["inspect", "pakke.asice", "--trust", "nowhere"],
        ["inspect", "pakke.asice", "--trust", "trust", "--container"],
        ["inspect"],
    ],
)
def test_package_inspect_with_unreadable_paths_or_conflicting_options_exits_2(
    desk: Desk, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.folder)
    (desk.folder / "pakke.asice").write_bytes(b"")

    answer = desk.ask(*words)

    assert (answer.code, answer.out) == (2, "")


def test_package_inspect_with_an_invalid_trust_folder_exits_2(desk: Desk) -> None:
    path = desk.folder / "pakke.asice"
    path.write_bytes(desk.packed())
    (desk.trust / "root.pem").write_text("nonsense")

    answer = desk.ask("inspect", path, "--trust", desk.trust)

    assert answer.code == 2
    assert answer.err.startswith("inbox: trust.certificate")


def test_package_inspect_prints_sentences_in_the_chosen_language(desk: Desk) -> None:
    path = desk.folder / "pakke.asice"
    path.write_bytes(desk.packed())

    answer = desk.ask("inspect", path, *desk.believe(), "--language", "nb")

    lines = answer.out.splitlines()
    assert lines[:2] == [
        "accepted",
        "Pakken er hel: alt i den er slik det var da det ble signert.",
    ]
    assert lines[2].startswith("Signert av ")
    assert lines[2].endswith(" med SHA-1, slik eFormidling gjør i dag.")
    assert [line.split()[0] for line in lines[-3:]] == ["signer", "trust", "document"]
    assert SENDER in lines[-3]


@pytest.mark.parametrize(("words", "shown"), [([], "\\u010d.pdf"), (["--json"], "č.pdf")])
def test_package_inspect_works_when_the_terminal_encoding_lacks_a_letter(
    desk: Desk, words: list[str], shown: str
) -> None:
    path = desk.folder / "pakke.asice"
    path.write_bytes(desk.packed(documents=(ParcelDocument("č.pdf", "application/pdf", BREV),)))

    answer = program("package", "inspect", path, *words, env={"PYTHONIOENCODING": "latin-1"})

    assert (answer.code, answer.err) == (0, "")
    assert shown in answer.out


def test_package_inspect_imports_neither_simulator_nor_database(desk: Desk) -> None:
    path = desk.folder / "pakke.asice"
    path.write_bytes(desk.packed())
    source = (
        "import sys\nfrom inbox.cli import run\n"
        f"assert run(['package', 'inspect', {str(path)!r}]) == 0\n"
        "print([n for n in ('inbox.simulator', 'sqlalchemy', 'fastapi') if n in sys.modules])"
    )

    answer = python(source)

    assert answer.out.splitlines()[-1] == "[]"


def _folder(desk: Desk, **files: bytes) -> Path:
    folder = desk.folder / "inn"
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


NAMES = {
    "Svar på søknad.pdf": BREV,
    "vedlegg/čáhppe đŋŧž.txt": b"1",
    'vedlegg/O\'Hara & "sønner" <100%>.txt': b"",
    "nfd a\u030a.txt": bytes(1000),
}


@pytest.mark.parametrize("dialect", ["genuine", "modern"])
def test_package_make_produces_a_package_that_inspect_accepts(desk: Desk, dialect: str) -> None:
    folder, out = _folder(desk, **NAMES), desk.folder / "ut.asice"

    made = desk.ask("make", folder, out, "--dialect", dialect, "--trust", desk.trust)
    code, told = desk.inspected(out.read_bytes(), "--trust", desk.trust)

    assert (made.code, made.out) == (0, "4 documents\n")
    assert (code, _short(told)) == (0, ("accepted", None, True, True))
    assert {each["name"]: each["bytes"] for each in told["documents"]} == {
        name: len(content) for name, content in NAMES.items()
    }
    assert told["signers"][0]["org_number"] == SENDER
    assert told["missing"] == []
    assert sorted(path.name for path in desk.trust.iterdir()) == ["ut.crl", "ut.pem"]
    assert b"PRIVATE" not in (desk.trust / "ut.pem").read_bytes()


def test_packages_made_one_after_another_are_trusted_by_one_folder(desk: Desk) -> None:
    folder = _folder(desk, **{"a.txt": b"a"})

    words = ("--sender", STRANGER, "--trust", desk.trust)
    desk.ask("make", folder, desk.folder / "en", *words)
    program("package", "make", folder, desk.folder / "to", *words)  # with keys of its own
    told = [
        desk.inspected((desk.folder / name).read_bytes(), "--trust", desk.trust)[1]
        for name in ("en", "to")
    ]

    assert [_short(each) for each in told] == [("accepted", None, True, True)] * 2
    assert told[0]["signers"][0]["org_number"] == STRANGER


def test_package_make_uses_an_arkivmelding_from_the_folder_unchanged(desk: Desk) -> None:
    own = arkivmelding_xml().replace(b"<journalstatus>Ekspedert</journalstatus>", b"")
    out = desk.folder / "ut.asice"

    desk.ask("make", _folder(desk, **{"arkivmelding.xml": own, "brev.pdf": BREV}), out)
    _, told = desk.inspected(out.read_bytes())

    assert told["missing"] == ["journalpost/journalstatus"]


@pytest.mark.parametrize(
    ("files", "words", "said"),
    [
        ({"a.txt": b"a"}, ["--sender", "123"], "inbox: org_number.shape"),
        ({}, [], "inbox: package.contents: it would be refused for documents.none"),
        ({"meta-inf/a": b""}, [], "inbox: package.contents: it would be refused for container"),
        ({"a\x01b": b""}, [], "inbox: package.name"),
        ({"a\udcffb": b""}, [], "inbox: package.name"),
        ({"arkivmelding.xml": b"<", "a\udcffb": b""}, [], "inbox: package.name"),
        ({"arkivmelding.xml": b"<", "a": b""}, [], "inbox: package.contents: it would be refused"),
    ],
)
def test_package_make_refuses_contents_that_would_not_be_accepted(
    desk: Desk, files: dict[str, bytes], words: list[str], said: str
) -> None:
    folder, out = _folder(desk, **files), desk.folder / "ut.asice"
    folder.mkdir(exist_ok=True)

    answer = desk.ask("make", folder, out, "--trust", desk.trust, *words)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(said), answer.err
    assert not out.exists()
    assert list(desk.trust.iterdir()) == []


def test_package_make_with_an_unreadable_document_writes_no_file(desk: Desk) -> None:
    folder, out = _folder(desk, **{"a.txt": b"a"}), desk.folder / "ut.asice"
    (folder / "b.txt").symlink_to("/proc/self/mem")

    answer = desk.ask("make", folder, out)

    assert (answer.code, out.exists()) == (2, False)
    assert answer.err.startswith("inbox: package.file: ")


def test_package_make_never_overwrites_a_file(desk: Desk) -> None:
    out = desk.folder / "ut.asice"
    out.write_bytes(b"mine")

    answer = desk.ask("make", _folder(desk, **{"a.txt": b"a"}), out)

    assert (answer.code, out.read_bytes()) == (2, b"mine")
    assert answer.err == "inbox: package.file: File exists\n"
