"""Names of files: what people use is kept, what could hurt or be mistaken is refused."""

import struct
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from inbox.package.zip.names import shown_name
from tests.package.attempts import code, container
from tests.package.zip.zip_writer import Part

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
        "..\\x",
        "a\\..\\x",
        "\\\\tjener\\del",
        "C:\\x",
        "C:/x",
        "a\x00b",
        "a/.../d",
        "a/.\u200b./d",
        "a/.. /d",
        "meta-inf/x",
        "META-INF\\x",
        "META-INF",
        "x" * 1025,
    ],
)
def test_dangerous_file_names_in_a_container_are_refused(name: str) -> None:
    assert code(replace(BREV, name=name, raw_name=name.encode())) == "container.name"


@pytest.mark.parametrize("raw", [b"\xff.pdf", b"\xc0\xae\xc0\xae/x", "æ.pdf".encode("cp437")])
def test_file_names_not_declared_and_encoded_as_utf_8_are_refused(raw: bytes) -> None:
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
def test_ordinary_file_names_in_a_container_are_kept_unchanged(name: str) -> None:
    assert container(replace(BREV, name=name)).entries[1].name == name


@pytest.mark.parametrize(
    "name",
    [
        "A: notat.pdf",
        "C:x",
        "a/C:d",
        "a\\b.pdf",
        "a\nb",
        "\u00c3\u0085rsmelding.pdf",
        "sist endret \u200e24.11.2026.pdf",
        "x\u202efdp.exe",
        "x" * 256,
    ],
)
def test_odd_file_names_in_a_container_are_kept_and_noted(name: str) -> None:
    whole = container(replace(BREV, name=name))

    assert (whole.entries[1].name, whole.notes) == (name, ("odd_name",))
    assert whole.read(name, 1000) == BREV.content


@pytest.mark.parametrize(
    "names",
    [
        ("brev.pdf", "BREV.PDF"),
        ("Å.pdf", unicodedata.normalize("NFD", "å.pdf")),
        ("Å.pdf", unicodedata.normalize("NFD", "Å.pdf")),
        ("a", "a/b"),
        ("brev.pdf", "brev.pdf."),
        ("a/x", "a /x"),
        ("brev", "br\u200bev"),
        ("mimetype ", "Mimetype"),
    ],
)
def test_file_names_that_some_reader_would_confuse_are_kept_apart_and_noted(
    names: Sequence[str],
) -> None:
    parts = [replace(BREV, name=name, content=name.encode()) for name in names]

    whole = container(*parts)

    assert whole.notes == ("alike_names",)
    assert [whole.read(name, 99) for name in names] == [name.encode() for name in names]


def test_exactly_the_same_file_name_twice_is_refused() -> None:
    assert code(BREV, BREV) == "container.name_collision"


def test_control_characters_are_escaped_in_a_shown_file_name() -> None:
    assert shown_name("\u00c3\u0085r\u202e \\ ø.pdf") == "\u00c3\\u0085r\\u202e \\ ø.pdf"


@pytest.mark.parametrize("maker", [3, 19])
def test_file_names_zipped_on_unix_are_read_as_utf_8_without_the_flag(maker: int) -> None:
    made = {"made_by": maker << 8}

    assert container(replace(BREV, name="æ.pdf", flags=0, central=made)).entries[1].name == "æ.pdf"
    assert code(replace(BREV, raw_name=b"\xe6.pdf", flags=0, central=made)) == "container.name"


def test_unicode_path_extra_field_must_repeat_the_same_file_name() -> None:
    def said(name: str) -> bytes:
        raw = name.encode()
        return struct.pack("<HHBL", 0x7075, 5 + len(raw), 1, zlib.crc32(raw)) + raw

    twice = replace(BREV, name="æ.pdf", flags=0, local_extra=said("æ.pdf"))

    assert container(replace(twice, central_extra=said("æ.pdf"))).entries[1].name == "æ.pdf"
    assert code(replace(twice, central_extra=said("å.pdf"))) == "container.extra_field"
    assert code(replace(BREV, local_extra=said("æ.pdf"))) == "container.extra_field"


def test_folder_entry_is_noted_without_files_inside_and_refused_with_its_name_twice() -> None:
    folder = Part(name="a/", stored=True)
    inside = replace(BREV, name="a/brev.pdf")

    assert container(folder, inside).folders == ("a/",)
    assert [entry.name for entry in container(folder, inside).entries] == ["mimetype", "a/brev.pdf"]
    assert container(folder).notes == ("empty_folder",)
    assert container(folder, inside).notes == ()
    assert code(folder, folder, inside) == "container.name_collision"


@pytest.mark.parametrize(
    "changes",
    [
        {"content": b"skjult"},
        {"stored": False, "packed": b"\0\0\0\xff\xff\x03\0"},
        {"stored": False, "packed": b"\x02\0"},
        {"crc": 1},
        {"central": {"attributes": 0o100644 << 16}},
    ],
)
def test_folder_entry_with_content_crc_or_file_attributes_is_refused(
    changes: dict[str, Any],
) -> None:
    folder = replace(Part(name="a/", stored=True), **changes)

    assert code(folder, replace(BREV, name="a/brev.pdf")) == "container.special_file"
