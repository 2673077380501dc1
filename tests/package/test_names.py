"""Names of files: what people use is kept, what could hurt or be mistaken is refused."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.package.attempts import code, container
from tests.package.zips import Part

BREV = Part(name="brev.pdf", content=b"%PDF " * 100)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../x",
        "a//b",
        "./x",
        "a\\b",
        "C:x",
        "a\x00b",
        "a\nb",
        "x\u202efdp.exe",
        "a/.../d",
        "a/C:d",
        "meta-inf/x",
        "META-INF",
        "x" * 256,
    ],
)
def test_names_that_could_hurt_are_refused(name: str) -> None:
    assert code(replace(BREV, name=name, raw_name=name.encode())) == "container.name"


@pytest.mark.parametrize("raw", [b"\xff.pdf", b"\xc0\xae\xc0\xae/x", "æ.pdf".encode("cp437")])
def test_names_in_another_encoding_are_refused(raw: bytes) -> None:
    assert code(replace(BREV, raw_name=raw)) == "container.name"
    assert code(replace(BREV, raw_name="æ.pdf".encode(), flags=0)) == "container.name"


@pytest.mark.parametrize(
    "name",
    [
        "brev ÆØÅ.pdf",
        unicodedata.normalize("NFD", "brev Å.pdf"),
        "a/b/c/d/e.pdf",
        "Meta-info.pdf",
        "Sak 12:3.pdf",
    ],
)
def test_names_that_people_use_are_kept_as_they_are(name: str) -> None:
    assert container(replace(BREV, name=name)).entries[1].name == name


@pytest.mark.parametrize(
    "names",
    [
        ("brev.pdf", "brev.pdf"),
        ("brev.pdf", "BREV.PDF"),
        ("Å.pdf", unicodedata.normalize("NFD", "å.pdf")),
        ("a", "a/b"),
    ],
)
def test_names_that_some_reader_would_take_for_one_are_refused(names: Sequence[str]) -> None:
    assert code(*(replace(BREV, name=name) for name in names)) == "container.name_collision"


def test_a_folder_is_refused() -> None:
    assert code(Part(name="folder/", stored=True)) == "container.special_file"
