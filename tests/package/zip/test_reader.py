"""The strict zip reader: genuine dialects pass, every small lie is found."""

import struct
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from inbox.errors import PackageRejected
from inbox.package.inputs import Limits
from inbox.package.zip.reader import Container, ZipReader, has_complete_end
from tests.package.attempts import code, container
from tests.package.zip.zip_writer import Part, descriptor, zip_bytes
from tests.package_builder import MIMETYPE, refusal

BREV = Part(name="brev.pdf", content=b"%PDF " * 100)
SENTINEL = 0xFFFF_FFFF


def wide(*numbers: int) -> bytes:
    return struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers)


@pytest.mark.parametrize("flags", [0, 0x800, 0x8, 0x808, 0x802, 0x806])
def test_zip_flags_of_genuine_senders_are_read(flags: int) -> None:
    part = replace(BREV, flags=flags)
    after = descriptor(part) if flags & 8 else b""

    assert container(replace(part, after=after)).read("brev.pdf", 1000) == BREV.content


@pytest.mark.parametrize("wide_form", [False, True])
@pytest.mark.parametrize("signature", [b"", b"PK\x07\x08"])
def test_zip_data_descriptors_are_read_in_all_forms(*, wide_form: bool, signature: bytes) -> None:
    version = {"version": 45 if wide_form else 20}
    local = version | {"crc": 0, "packed": 0, "size": 0}
    part = replace(BREV, flags=0x808, local=local, central=version)
    after = descriptor(part, wide=wide_form, signature=signature)

    assert container(replace(part, after=after)).read("brev.pdf", 1000) == BREV.content


@pytest.mark.parametrize(
    "comment",
    [
        b"",
        b"mimetype=application/vnd.etsi.asic-e+zip",
        b"application/vnd.etsi.asic-e+zip",
        b"LIB DigiDoc4j/1.0.8 format: x",
        b"LIB_DIGIDOCPP/3.14.0 format: x",
    ],
)
def test_zip_comments_of_genuine_writers_are_accepted(comment: bytes) -> None:
    assert container(replace(BREV, comment=comment), comment=comment).entries[1].size == 500


@pytest.mark.parametrize("comment", [b"qdigidoc4/4.2", b"EDOC/2.0", b"LIB DigiDoc4j", b"\xff" * 99])
def test_unknown_zip_comment_is_noted(comment: bytes) -> None:
    assert container(replace(BREV, comment=comment)).notes == ("comment",)
    assert container(BREV, comment=comment).notes == ("comment",)


def test_consistent_zip64_records_are_read() -> None:
    sizes = wide(500, len(BREV.body))
    numbers = {"packed": SENTINEL, "size": SENTINEL}
    part = replace(BREV, local=numbers, central=numbers, local_extra=sizes, central_extra=sizes)
    narrow = {"here": 0xFFFF, "entries": 0xFFFF, "size": SENTINEL, "offset": SENTINEL}

    assert container(part, wide_end={}, end=narrow).read("brev.pdf", 1000) == BREV.content
    assert container(part, wide_end={}).read("brev.pdf", 1000) == BREV.content


@pytest.mark.parametrize(
    "lie",
    [
        {"central": {"size": SENTINEL}},
        {"central_extra": wide(500)},
        {"central": {"size": SENTINEL}, "central_extra": wide(500, 7)},
        {"local": {"size": SENTINEL, "packed": SENTINEL}},
        {"local_extra": wide(500, 500)},
        {"local": {"size": SENTINEL}, "local_extra": wide(500)},
        {"local_extra": wide(500)},
        {"central": {"disk": 0xFFFF}, "central_extra": wide(0)},
    ],
)
def test_zip64_extra_field_that_disagrees_with_its_header_is_refused(lie: dict[str, Any]) -> None:
    assert code(replace(BREV, **lie)) == "container.zip64"


@pytest.mark.parametrize(
    "records",
    [{"entries": 3}, {"size": 1}, {"offset": 1}, {"position": 0}, {"here": 1}, {"length": 45}],
)
def test_zip64_end_records_that_disagree_are_refused(records: dict[str, int]) -> None:
    assert code(BREV, wide_end=records) == "container.zip64"


@pytest.mark.parametrize(
    ("lie", "expected"),
    [
        ({"local_name": b"other.pd"}, "container.local_header"),
        ({"local": {"flags": 0}}, "container.local_header"),
        ({"local": {"method": 0}}, "container.local_header"),
        ({"local": {"size": 1}}, "container.local_header"),
        ({"local": {"packed": 1}}, "container.local_header"),
        ({"local": {"crc": 0}}, "container.local_header"),
        ({"flags": 0x808, "local": {"size": 1}, "after": bytes(16)}, "container.local_header"),
        ({"version": 63}, "container.method"),
        ({"local": {"version": 63}, "central": {"version": 45}}, "container.local_header"),
        ({"central": {"disk": 1}}, "container.directory"),
        ({"central": {"attributes": 8}}, "container.special_file"),
        ({"after": b"hidden"}, "container.gap"),
        ({"flags": 0x808}, "container.gap"),
        ({"flags": 0x808, "after": bytes(13)}, "container.gap"),
        ({"central": {"offset": 0}}, "container.gap"),
        ({"central": {"packed": 10}, "local": {"packed": 10}}, "container.gap"),
        ({"crc": 5, "flags": 0x808, "after": bytes(16)}, "container.descriptor"),
        ({"flags": 0x808, "stored": True, "after": bytes(16)}, "container.descriptor"),
        ({"central": {"size": SENTINEL}, "central_extra": 2 * wide(500)}, "container.extra_field"),
        ({"flags": 0x840}, "container.encrypted"),
        ({"flags": 0x820}, "container.flags"),
        ({"central": {"attributes": 0x10}}, "container.special_file"),
        ({"central": {"attributes": 0x6000 << 16}}, "container.special_file"),
        ({"comment": b"PK\x05\x06"}, "container.comment"),
        ({"central_extra": b"\x01\x99\x00\x00"}, "container.extra_field"),
        ({"local_extra": b"\x55\x54\x09\x00\x01"}, "container.extra_field"),
        ({"local_extra": b"\x55\x54"}, "container.extra_field"),
        ({"central_extra": b"\x55\x54\xff\x01" + bytes(511)}, "container.extra_field"),
    ],
)
def test_zip_entry_with_a_wrong_or_forbidden_header_field_is_refused(
    lie: dict[str, Any], expected: str
) -> None:
    assert code(replace(BREV, **lie)) == expected


def test_zip_entry_missing_from_the_central_directory_is_refused() -> None:
    shown = zip_bytes([MIMETYPE, BREV])
    hidden = zip_bytes([BREV])[: 38 + len(BREV.body)]
    start = shown.rfind(b"PK\x01\x02", 0, shown.rfind(b"PK\x01\x02"))
    moved = shown[:start] + hidden + shown[start:]
    end = moved.rfind(b"PK\x05\x06")
    offset = struct.pack("<L", start + len(hidden))

    raw = moved[: end + 16] + offset + moved[end + 20 :]

    assert refusal(lambda: Container(BytesIO(raw), Limits())) == "container.gap"


@pytest.mark.parametrize("count", [{"here": 1}, {"here": 9, "entries": 9}])
def test_zip_end_record_with_a_wrong_entry_count_is_refused(count: dict[str, int]) -> None:
    assert code(BREV, end=count) == "container.directory"


def test_zip_entry_running_past_the_end_of_the_central_directory_is_refused() -> None:
    raw = bytearray(zip_bytes([MIMETYPE, BREV]))
    raw[raw.rfind(b"PK\x01\x02") + 32] = 50

    assert refusal(lambda: Container(BytesIO(raw), Limits())) == "container.directory"


def test_bytes_between_central_directory_and_end_record_are_refused() -> None:
    raw = zip_bytes([MIMETYPE, BREV])
    end = raw.rfind(b"PK\x05\x06")

    hiding = raw[:end] + b"hidden" + raw[end:]

    assert refusal(lambda: Container(BytesIO(hiding), Limits())) == "container.gap"


def test_empty_zip_is_read_but_refused_as_a_package_without_mimetype() -> None:
    raw = zip_bytes([])

    assert ZipReader(BytesIO(raw), Limits()).entries == ()
    assert refusal(lambda: Container(BytesIO(raw), Limits())) == "container.mimetype_missing"


def test_plain_zip_is_read_without_mimetype_and_its_crc_is_checked() -> None:
    whole = zip_bytes([BREV, Part(name="tom/", stored=True)])
    broken = zip_bytes([replace(BREV, crc=1)])

    archive = ZipReader(BytesIO(whole), Limits())
    archive.check()

    assert (archive.read("brev.pdf", 1000), archive.folders) == (BREV.content, ("tom/",))
    assert refusal(ZipReader(BytesIO(broken), Limits()).check) == "container.crc"


@pytest.mark.parametrize("field", ["version", "time", "date"])
def test_local_header_version_time_and_date_must_match_the_central_directory(field: str) -> None:
    assert code(replace(BREV, local={field: 7})) == "container.local_header"


def test_zip64_sizes_beside_ordinary_sizes_must_repeat_the_same_numbers() -> None:
    both = replace(BREV, local_extra=wide(500, len(BREV.body)))

    assert container(both).read("brev.pdf", 1000) == BREV.content
    assert code(replace(BREV, local_extra=wide(500, 501))) == "container.zip64"


def test_second_zip_end_record_with_a_matching_comment_length_is_refused() -> None:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, 0, 0, 22)
    short = end[:-2] + b"\x15\x00"
    field = struct.pack("<HH", 0x7875, 22)
    at_the_end = replace(BREV, central_extra=field + end)

    assert code(at_the_end) == "container.directory"
    assert container(replace(BREV, central_extra=field + short)).entries[1].size == 500


def test_stored_zip_entry_with_a_data_descriptor_may_not_contain_a_zip_signature() -> None:
    def later(content: bytes) -> Part:
        part = Part(name="a.zip", content=content, stored=True, flags=0x808)
        return replace(part, after=descriptor(part), local={"crc": 0, "packed": 0, "size": 0})

    across = bytes((1 << 18) - 2) + b"PK\x07\x08"

    assert container(later(b"PK\x01")).read("a.zip", 100) == b"PK\x01"
    assert code(later(b"x" + b"PK\x03\x04")) == "container.flags"
    assert code(later(across)) == "container.flags"
    unsigned = replace(later(b"x"), after=descriptor(later(b"x"), signature=b""))
    assert code(unsigned) == "container.gap"


def test_mimetype_that_is_not_first_in_the_container_is_noted() -> None:
    assert Container(BytesIO(zip_bytes([BREV, MIMETYPE])), Limits()).notes == (
        "mimetype_not_first",
    )


def test_a_deflated_mimetype_is_refused() -> None:
    raw = zip_bytes([replace(MIMETYPE, stored=False)])

    assert refusal(lambda: Container(BytesIO(raw), Limits())) == "container.mimetype_wrong"


def test_looks_whole_is_false_for_every_truncation_of_a_package() -> None:
    raw = zip_bytes([MIMETYPE, BREV], comment=b"mimetype=application/vnd.etsi.asic-e+zip")

    assert has_complete_end(BytesIO(raw))
    assert [n for n in range(len(raw)) if has_complete_end(BytesIO(raw[:n]))] == []


@pytest.mark.parametrize("writing", [{"before": b"x" * 5, "end": {"offset": 0}}, {"wide_end": {}}])
def test_looks_whole_accepts_zip64_and_rejects_a_wrong_directory_offset(
    writing: dict[str, Any],
) -> None:
    assert has_complete_end(BytesIO(zip_bytes([MIMETYPE], **writing))) is ("wide_end" in writing)


class Counted(BytesIO):
    """A file that counts how often it is read."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        return super().read(size)


def test_zip_reader_of_one_entry_reads_no_header_of_another() -> None:
    parts = [replace(BREV, name=f"{number}.pdf") for number in range(50)]
    packed = zip_bytes(parts)
    whole, one = Counted(packed), Counted(packed)

    ZipReader(whole, Limits())
    reader = ZipReader(one, Limits(), only="7.pdf")

    assert [entry.name for entry in reader.entries] == ["7.pdf"]
    assert b"".join(reader.stream("7.pdf")) == BREV.content
    assert one.reads < whole.reads / 5


def test_zip_reader_of_one_entry_finds_that_it_has_changed() -> None:
    packed = bytearray(zip_bytes([BREV]))
    packed[packed.index(b"brev.pdf") + len(b"brev.pdf") + 5] ^= 1

    with pytest.raises(PackageRejected, match=r"container\.(crc|deflate|size)"):
        list(ZipReader(BytesIO(bytes(packed)), Limits(), only="brev.pdf").stream("brev.pdf"))
