"""XML is parsed from bytes alone: nothing is opened or fetched, and no DOCTYPE gets through."""

import ctypes
import importlib.metadata
import os
import re
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from inbox.errors import ConfigurationError, PackageRejected
from inbox.package.arkivmelding.reader import NAMESPACE
from inbox.package.arkivmelding.xsd import Schemas
from inbox.package.inputs import Limits
from inbox.package.xml import parse_xml
from tests.package_builder import refusal

IN_OPEN = 0x20
DOCTYPES = [
    "<!DOCTYPE a>",
    '<!DOCTYPE a SYSTEM "{canary}">',
    '<!DOCTYPE a PUBLIC "-//X//Y" "{url}">',
    '<!DOCTYPE a [<!ENTITY % p SYSTEM "{canary}"> %p;]>',
    '<!DOCTYPE a [<!ENTITY e SYSTEM "{canary}">]>',
    '<!DOCTYPE a [<!ENTITY b "b"><!ENTITY c "&b;&b;&b;">]>',
    '<!DOCTYPE\ta [<!NOTATION n SYSTEM "{url}">]>',
]
REFERRING = [
    '<?xml-stylesheet href="{canary}"?><a/>',
    '<a><x:include xmlns:x="http://www.w3.org/2001/XInclude" href="{canary}" parse="text"/></a>',
    '<a xmlns:s="http://www.w3.org/2001/XMLSchema-instance" s:schemaLocation="urn:x {canary}"/>',
    '<a xmlns:s="http://www.w3.org/2001/XMLSchema-instance" s:noNamespaceSchemaLocation="{url}"/>',
    '<a xml:base="{url}" xmlns="{url}"/>',
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp037", "utf-7"]


def parse(raw: bytes) -> etree._Element:
    return parse_xml(raw, area="arkivmelding", max_bytes=5 << 20, limits=Limits())


@pytest.mark.parametrize("doctype", DOCTYPES)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0" encoding="{}"?>'])
def test_a_doctype_is_refused_in_every_encoding(
    doctype: str, encoding: str, declaration: str
) -> None:
    raw = f"{declaration.format(encoding)}{doctype}<a/>".encode(encoding)

    assert refusal(lambda: parse(raw)) in {
        "arkivmelding.unsafe_xml",
        "arkivmelding.encoding",
        "arkivmelding.malformed",
    }
    if encoding in {"utf-8", "utf-8-sig", "utf-16"}:
        plain = f"{doctype}<a/>".encode(encoding)
        assert refusal(lambda: parse(plain)) == "arkivmelding.unsafe_xml"


@pytest.mark.parametrize(
    "text",
    [
        "<a><![CDATA[<!DOCTYPE a>]]></a>",
        "<a><![CDATA[<!doctype html><!ENTITY b 'c'>]]></a>",
        "<a><!-- <!ENTITY b 'c'> --></a>",
        "<!-- <!DOCTYPE a> --><a/>",
        "<?merk <!DOCTYPE a>?><a/>",
        "<a/><!-- <!DOCTYPE a [ -->",
        "<a b='&lt;!DOCTYPE a>'>&lt;!DOCTYPE a></a>",
        "<a>" + "x" * (1 << 17) + "<![CDATA[<!DOCTYPE a>]]></a>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_doctype_letters_in_text_comment_or_cdata_are_read(text: str, encoding: str) -> None:
    assert parse(text.encode(encoding)).tag == "a"


@pytest.mark.parametrize(
    "text",
    [
        "<!-- first --><!DOCTYPE a><a/>",
        "<?first?>\n<!DOCTYPE a><a/>",
        f"<!-- {'x' * (1 << 17)} --><!DOCTYPE a><a/>",
        "<!DOCTYPE a [<!-- <a/> -->]><a/>",
        "<!DOCTYPE a [" + "".join(f"<!ENTITY e{n} 'x'>" for n in range(5000)) + "]><a/>",
        "<!DOCTYPE a [<!ENTITY b 'c'>",
    ],
)
def test_doctype_before_the_root_is_refused_wherever_the_parser_sees_one(text: str) -> None:
    assert refusal(lambda: parse(text.encode())) == "arkivmelding.unsafe_xml"


@pytest.mark.parametrize("text", ["<a/><!DOCTYPE a>", "<a><!DOCTYPE a></a>", "<!doctype a><a/>"])
def test_doctype_where_xml_has_none_is_malformed(text: str) -> None:
    assert refusal(lambda: parse(text.encode())) == "arkivmelding.malformed"


SINGLE_BYTE = [f"ISO-8859-{n}" for n in (*range(1, 12), *range(13, 17))]
SINGLE_BYTE += [f"windows-{n}" for n in range(1250, 1259)]


def declaring(name: str) -> str:
    return f'<?xml version="1.0" encoding="{name}"?>\n'


@pytest.mark.parametrize("name", [*SINGLE_BYTE, "US-ASCII", "ascii", "Latin1", "utf8"])
def test_xml_in_a_declared_character_set_is_read_as_declared(name: str) -> None:
    letters = bytes(range(0xA1, 0x100)).decode(name, errors="ignore")

    root = parse(f"{declaring(name)}<a b='{letters}'>{letters}</a>".encode(name))

    assert (root.text or "", root.get("b")) == (letters, letters)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("UTF-16", "utf-16"),
        ("UTF-16", "utf-16-le"),
        ("utf-16", "utf-16-be"),
        ("UTF-16BE", "utf-16-be"),
        ("UTF-16LE", "utf-16-le"),
        ("UTF-32", "utf-32"),
        ("UTF-32", "utf-32-be"),
        ("UTF-32LE", "utf-32-le"),
        ("ISO-10646-UCS-2", "utf-16"),
        ("UTF-8", "utf-8-sig"),
        ("UTF-8", "utf-8"),
    ],
)
def test_unicode_xml_is_read_with_or_without_mark_and_declaration(name: str, encoding: str) -> None:
    for declaration in (declaring(name), ""):
        assert parse(f"{declaration}<a>Ærlig 😀</a>".encode(encoding)).text == "Ærlig 😀"


@pytest.mark.parametrize(
    "raw",
    [
        (declaring("utf-7") + "<a>+ADw-</a>").encode("ascii"),
        (declaring("utf-8") + "<a/>").encode("utf-16"),
        (declaring("utf-16") + "<a/>").encode(),
        (declaring("utf-16") + "<a/>").encode("utf-8-sig"),
        (declaring("iso-8859-1") + "<a/>").encode("utf-8-sig"),
        (declaring("utf-16be") + "<a/>").encode("utf-16-le"),
        (declaring("us-ascii") + "<a>å</a>").encode("latin-1"),
        (declaring("utf-8") + "<a>å</a>").encode("latin-1"),
        b'<?xml version="1.0" encoding="windows-1252"?><a>\x81</a>',
        (declaring("") + "<a/>").encode(),
        (declaring("unicode_escape") + "<a/>").encode(),
        (declaring("zip") + "<a/>").encode(),
        (declaring("ukjent") + "<a/>").encode(),
        "<a>å</a>".encode("latin-1"),
        b"<a>\0</a>",
        (declaring("cp037") + "<a/>").encode("cp037"),
    ],
)
def test_xml_that_contradicts_itself_about_its_encoding_is_refused(raw: bytes) -> None:
    assert refusal(lambda: parse(raw)) in {"arkivmelding.encoding", "arkivmelding.malformed"}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"<!DOCTYPE a><a/>", "arkivmelding.unsafe_xml"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "arkivmelding.unsafe_xml"),
        (b"<a>" * 257 + b"</a>" * 257, "arkivmelding.too_complex"),
        (b"<a>" + b"<b/>" * 200_001 + b"</a>", "arkivmelding.too_complex"),
        (
            b"<a " + b" ".join(b'b%d=""' % number for number in range(101)) + b"/>",
            "arkivmelding.too_complex",
        ),
        (b"<a>&unknown;</a>", "arkivmelding.malformed"),
        (b"", "arkivmelding.malformed"),
        (b"PK\x03\x04", "arkivmelding.malformed"),
    ],
)
def test_dangerous_or_malformed_xml_is_refused_with_its_code(raw: bytes, code: str) -> None:
    assert refusal(lambda: parse(raw)) == code


@pytest.mark.parametrize(
    ("raw", "ends"),
    [
        (b"<a>" * 250 + b"<b/>" * 199_000 + b"</a>" * 250, "read"),
        (b"<a>" * 9_999 + b"</a>" * 9_999, "arkivmelding.too_complex"),
        (
            b"<a " + b" ".join(b'b%d=""' % number for number in range(200_000)) + b"/>",
            "arkivmelding.too_complex",
        ),
        (
            b"<a " + b" ".join(b'xmlns:b%d="u"' % number for number in range(200_000)) + b"/>",
            "read",
        ),
    ],
)
def test_largest_xml_is_parsed_or_refused_within_a_second(raw: bytes, ends: str) -> None:
    started = time.process_time()

    try:
        parse(raw)
        ended = "read"
    except PackageRejected as error:
        ended = error.code

    assert ended == ends
    assert time.process_time() - started < 1


def test_xml_depth_limit_counts_nested_levels() -> None:
    def attempt(most: int) -> etree._Element:
        raw, limits = b"<a><b><c/></b><b/></a>", Limits(max_depth=most)
        return parse_xml(raw, area="arkivmelding", max_bytes=99, limits=limits)

    assert attempt(3).tag == "a"
    assert refusal(lambda: attempt(2)) == "arkivmelding.too_complex"


def test_lxml_is_installed_required_and_pinned_at_6_1_3_or_newer() -> None:
    """Before 6.1.3 lxml opened external parameter entities although it was told not to."""
    assert etree.LXML_VERSION >= (6, 1, 3, 0)
    required = importlib.metadata.requires("inbox") or []
    assert "lxml>=6.1.3" in required
    root = Path(__file__).parents[2]
    for path in (root / "requirements").glob("*.txt"):
        (pinned,) = re.findall(r"^lxml==([0-9.]+)", path.read_text(), re.MULTILINE)
        assert tuple(map(int, pinned.split("."))) >= (6, 1, 3)


class Watch:
    """What the kernel says was opened in a folder, by whomever: no library can hide it."""

    def __init__(self, folder: Path) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self._fd >= 0
        assert self._libc.inotify_add_watch(self._fd, os.fsencode(folder), IN_OPEN) >= 0

    def opened(self) -> int:
        """How many times since the last look."""
        try:
            raw = os.read(self._fd, 1 << 16)
        except BlockingIOError:
            return 0
        count = place = 0
        while place < len(raw):
            place += 16 + struct.unpack_from("=L", raw, place + 12)[0]
            count += 1
        return count

    def close(self) -> None:
        os.close(self._fd)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    (tmp_path / "canary.dtd").write_text('<!ENTITY e "canary">')
    made = Watch(tmp_path)
    yield made
    made.close()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(0)
        yield made


CHILD = """
import sys
from inbox.errors import ConfigurationError, PackageRejected
from inbox.package.inputs import Limits
from inbox.package.xml import parse_xml

payloads = sys.stdin.buffer.read().split(b"\\0")
parse_xml(b"<a/>", area="a", max_bytes=9, limits=Limits())
seen, armed = [], True
sys.addaudithook(lambda event, args: seen.append(event) if armed else None)
outcomes = []
for payload in payloads:
    try:
        parse_xml(payload, area="a", max_bytes=1 << 20, limits=Limits())
        outcomes.append("read")
    except PackageRejected as error:
        outcomes.append(error.code)
armed = False
outside = ("open", "socket", "os.", "subprocess", "urllib")
events = [each for each in seen if each.startswith(outside)]
print(len(outcomes), outcomes.count("read"), *events)
"""


def test_xml_parser_opens_no_file_and_no_socket(
    tmp_path: Path, watch: Watch, listener: socket.socket
) -> None:
    places = {
        "canary": (tmp_path / "canary.dtd").as_uri(),
        "url": f"http://127.0.0.1:{listener.getsockname()[1]}/x.dtd",
    }
    hostile = [f"{doctype}<a>&e;</a>" for doctype in DOCTYPES]
    payloads = [text.format(**places) for text in [*hostile, *REFERRING]]

    ended = subprocess.run(
        [sys.executable, "-c", CHILD],
        input="\0".join(payloads).encode(),
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert ended.stdout.decode().split() == [str(len(payloads)), str(len(REFERRING))]
    assert watch.opened() == 0
    with pytest.raises(BlockingIOError):
        listener.accept()
    careless = etree.XMLParser(load_dtd=True, resolve_entities=True, no_network=False)
    etree.fromstring(payloads[1].encode(), careless)
    assert watch.opened() == 1, "the watch sees what a careless parser opens"


def test_schema_comparison_opens_no_file(tmp_path: Path, watch: Watch) -> None:
    canary = (tmp_path / "canary.dtd").as_uri()
    schemas = Schemas({"a.xsd": SCHEMA})
    hint = f'xmlns:s="http://www.w3.org/2001/XMLSchema-instance" s:schemaLocation="u {canary}"'

    assert schemas.validate(f'<arkivmelding xmlns="{NAMESPACE}" {hint}/>'.encode()).fits
    with pytest.raises(ConfigurationError):
        Schemas({"a.xsd": SCHEMA.replace(b"<xs:el", IMPORT.format(canary).encode() + b"<xs:el")})
    assert watch.opened() == 0


IMPORT = '<xs:import namespace="urn:x" schemaLocation="{}"/>'
SCHEMA = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{NAMESPACE}">
<xs:element name="arkivmelding"/></xs:schema>""".encode()
