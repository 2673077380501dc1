"""The style sheets: compressed, kept for a year, and small; pages are never compressed."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest

from inbox.errors import ConfigurationError
from inbox.web.people.edge import static_files
from tests.web.people.conftest import Pages


def _sheets(pages: Pages) -> list[str]:
    return re.findall(r'<link rel="stylesheet" href="([^"]+)"', pages.get("/hjelp").text)


def test_style_sheet_is_sent_compressed_and_kept_under_its_digest(pages: Pages) -> None:
    for address in _sheets(pages):
        packed = pages.get(address, **{"accept-encoding": "gzip, br"})
        plain = pages.get(address, **{"accept-encoding": "identity"})

        digest = hashlib.sha256(plain.content).hexdigest()[:16]
        assert address.endswith(f"-{digest}.css")
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert packed.content == plain.content
        assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert packed.headers["vary"] == "accept-encoding"
        assert packed.headers["content-type"] == "text/css; charset=utf-8"


def test_our_own_sheet_comes_first_because_it_orders_the_layers(pages: Pages) -> None:
    first, second = _sheets(pages)

    assert pages.get(first).text.partition("@layer")[2].startswith(" reset, ds, site;")
    assert second.startswith("/static/designsystemet-")


@pytest.mark.parametrize("name", ["none.css", "..%2fapp.py", "inbox.css", "LICENSE"])
def test_only_the_named_files_are_served(pages: Pages, name: str) -> None:
    assert pages.get(f"/static/{name}").status_code == 404


def test_page_is_not_compressed_whatever_the_browser_accepts(pages: Pages) -> None:
    answer = pages.get("/hjelp", **{"accept-encoding": "gzip, br, zstd"})

    assert "content-encoding" not in answer.headers


def test_first_page_is_at_most_60_kb_over_the_wire_and_later_ones_15(pages: Pages) -> None:
    accepted = {"accept-encoding": "gzip"}
    wire = [int(pages.get(each, **accepted).headers["content-length"]) for each in _sheets(pages)]
    later = {path: len(pages.get(path).content) for path in ("/hjelp", "/tilgjengelighet", "/ikke")}

    assert len(wire) == 2
    assert max(later.values()) <= 15_000
    assert sum(wire) + 15_000 <= 60_000


def test_compressed_copy_of_an_older_sheet_is_not_used(tmp_path: Path) -> None:
    built = static_files.VENDOR / "inbox.css.gz"

    assert gzip.decompress(built.read_bytes())
    assert gzip.decompress(static_files.compressed(tmp_path / "inbox.css", b"a{}")) == b"a{}"


def test_missing_style_sheet_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="make setup"):
        static_files.read_static_file(tmp_path / "none.css")
