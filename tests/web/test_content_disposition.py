"""The name of a download keeps the sender's letters and can do no harm on any system."""

import re
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.web.content_disposition import content_disposition, distinct_safe_names, safe_name

DEVICE = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)")


@pytest.mark.parametrize(
    "name",
    [
        "brev.pdf",
        "Brev om Ærlig Øre, Ås (kopi 2) – §13 & 100%.pdf",
        "Čáhcesuolu ŋŧž reive.docx",
        "письмо 信 رسالة.pdf",
        "con brio.pdf",
        "a.tar.gz",
        "~$utkast.docx",
        "com10.txt",
    ],
)
def test_safe_name_keeps_letters_of_every_language(name: str) -> None:
    assert safe_name(name, 1) == name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("mappe/under/brev.pdf", "mappe_under_brev.pdf"),
        ("..\\..\\brev.pdf", "___.._brev.pdf"),
        ("C:brev.pdf", "C_brev.pdf"),
        ("brev.pdf:skjult", "brev.pdf_skjult"),
        ("brev.pdf. . .", "brev.pdf"),
        ("  brev.pdf  ", "brev.pdf"),
        (".htaccess", "_htaccess"),
        ("...", "document-3"),
        (". .", "document-3"),
        ("\u202e\u200b", "document-3"),
        ("///", "document-3"),
        ("", "document-3"),
        ("NUL", "NUL_"),
        ("con.pdf", "con_.pdf"),
        ("Aux .tar.gz", "Aux_.tar.gz"),
        ("COM1.txt", "COM1_.txt"),
        ("lpt².txt", "lpt²_.txt"),
        ("fdp\u202egnp.exe", "fdp_gnp.exe"),
        ("a\u2028b\u00adc\u200dd.txt", "a_b_c_d.txt"),
        ("a\u00a0b\u3000c.txt", "a b c.txt"),
        ("A\u030as.pdf", "Ås.pdf"),
        ("a\ud800b.pdf", "a_b.pdf"),
        ("å" * 300 + ".pdf", "å" * 98 + ".pdf"),
        ("a" * 300, "a" * 200),
        ("a" * 195 + " . . " + "b" * 50 + ".pdf", "a" * 195 + ".pdf"),
    ],
)
def test_safe_name_makes_hostile_names_harmless(name: str, safe: str) -> None:
    assert safe_name(name, 3) == safe


def test_content_disposition_has_an_ascii_and_a_utf8_file_name() -> None:
    assert content_disposition("brev å.pdf ", 3) == (
        "attachment; filename=\"document-3.pdf\"; filename*=UTF-8''brev%20%C3%A5.pdf"
    )
    assert content_disposition("...", 3) == (
        "attachment; filename=\"document-3\"; filename*=UTF-8''document-3"
    )


@given(
    st.text(max_size=40)
    | st.text(alphabet="./\\ :conaux1²\u202e\u200fÅå", max_size=12)
    | st.text(alphabet="å. ", min_size=90, max_size=300)
)
def test_safe_name_and_header_are_harmless_for_any_input(name: str) -> None:
    safe = safe_name(name, 3)

    assert 0 < len(safe.encode()) <= 200
    assert safe == safe_name(safe, 3)
    assert not set(safe) & set('/\\:*?"<>|')
    assert not {unicodedata.category(each) for each in safe} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not safe.startswith((".", " "))
    assert not safe.endswith((".", " "))
    assert not DEVICE.match(safe)
    header = content_disposition(name, 3)
    assert header.isascii()
    assert header.count('"') == 2
    assert unquote(header.rpartition("''")[2]) == safe


@pytest.mark.parametrize(
    "names",
    [
        ["brev.pdf", "BREV.pdf", "brev.pdf "],
        ["a/b.pdf", "a\\b.pdf", "a:b.pdf", "a_b.pdf"],
        ["Å.pdf", "A\u030a.pdf", "å.pdf"],
        ["\u202e", "\u200e", "..."],
        ["b (2).pdf", "b.pdf", "B.pdf", "b (3).pdf", "b (2).pdf "],
        ["x" * 300 + ".pdf", "x" * 301 + ".pdf"],
    ],
)
def test_distinct_safe_names_never_overwrite_each_other(names: list[str]) -> None:
    safe = distinct_safe_names(names)

    assert len({each.casefold() for each in safe}) == len(names)
    assert [safe_name(each, 1) for each in safe] == list(safe)


def test_distinct_safe_names_keep_names_that_differ_already() -> None:
    assert distinct_safe_names(["brev.pdf", "vedlegg.pdf"]) == ("brev.pdf", "vedlegg.pdf")
