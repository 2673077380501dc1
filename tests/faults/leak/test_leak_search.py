"""The search finds every word in every wrapping, made here by other means than the search's own."""

import base64
import binascii
import gzip
import io
import json
import random
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.faults.leak.canary_messages import CANARY, NATIONAL_ID, WORDS, letter
from tests.faults.leak.leak_search import search, search_folder

Wrap = Callable[[str], bytes]


def _base64(offset: int, text: str) -> bytes:
    return base64.b64encode(b"~" * offset + text.encode() + b"~~")


def _base64url(offset: int, text: str) -> bytes:
    return base64.urlsafe_b64encode(b"~" * offset + text.encode() + b"~~").rstrip(b"=")


ENCODED: dict[str, Wrap] = {
    "utf-8": lambda text: text.encode(),
    "latin-1": lambda text: text.encode("latin-1"),
    "utf-16-le": lambda text: text.encode("utf-16")[2:],
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "hex": lambda text: binascii.hexlify(text.encode()),
    "HEX": lambda text: base64.b16encode(text.encode()),
    "percent": lambda text: urllib.parse.urlencode({"q": text}).encode(),
    "small percent": lambda text: urllib.parse.quote(text).lower().encode(),
    "json": lambda text: json.dumps({"title": text}).encode(),
    "repr": lambda text: repr(text.encode()).encode(),
    "ascii": lambda text: text.encode("ascii", errors="xmlcharrefreplace"),
    **{f"base64 at {offset}": partial(_base64, offset) for offset in range(3)},
    **{f"base64url at {offset}": partial(_base64url, offset) for offset in range(3)},
}


def _zip(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", content * 20)
    return out.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda content: content,
    "zlib": lambda content: zlib.compress(content * 20, 9),
    "zlib, quick": lambda content: zlib.compress(content * 20, 1),
    "gzip": lambda content: gzip.compress(content * 20),
    "zip": _zip,
    "zip in gzip": lambda content: gzip.compress(_zip(content)),
    "cut": lambda content: zlib.compress(content + random.Random(5).randbytes(20_000))[:-9_000],  # noqa: S311
}


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("encoded", ENCODED)
@pytest.mark.parametrize("word", WORDS)
def test_search_finds_a_word_in_every_encoding_and_compression(
    word: str, encoded: str, packed: str
) -> None:
    noise = random.Random(7).randbytes(300)  # noqa: S311 - the same in each run
    planted = PACKED[packed](ENCODED[encoded](f"Om {word}, og mer"))

    hits = search(noise + planted + noise, WORDS, "here")

    assert hits
    assert search(noise, WORDS, "here") == []


def test_search_has_no_hits_for_a_truncated_word_or_zero_bytes() -> None:
    assert search(CANARY[1:].encode(), WORDS, "here") == []
    assert search(b"\0" * 100_000, WORDS, "here") == []


def test_hit_names_its_file_and_shows_the_surrounding_bytes(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.log").write_text(f"before {CANARY}-tittel after")
    (tmp_path / f"{NATIONAL_ID}.pdf").write_bytes(b"")

    hits = search_folder(tmp_path, WORDS)

    assert {hit.where for hit in hits} == {"inner/a.log", f"the name {NATIONAL_ID}.pdf"}
    assert any(b"-tittel" in hit.around for hit in hits)


def test_canary_letter_has_the_canary_in_every_confidential_text() -> None:
    made = letter("Om barnevern")

    plain = {name for name, text in vars(made).items() if CANARY not in str(text)}

    assert plain == {
        *("message_id", "case_year", "case_sequence", "authority", "access_restriction"),
        *("class_id", "at"),
    }
