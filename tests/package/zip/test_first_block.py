"""The known defect of a garbled first block: put right, reported, and nothing more than it."""

import os
from io import BytesIO

import pytest

from inbox.package.inputs import Limits
from inbox.package.zip.reader import Container, ZipReader
from inbox.simulator.packages.builder import Tamper
from tests.package.zip.zip_writer import Part, zip_bytes
from tests.package_builder import MIMETYPE, genuine, opened, quarantine, refusal

BREV = Part(name="brev.pdf", content=b"%PDF " * 100)


def test_garbled_first_block_is_repaired_and_noted() -> None:
    raw = zip_bytes([MIMETYPE, BREV])

    whole = Container(BytesIO(os.urandom(16) + raw[16:]), Limits())

    assert whole.notes == ("first_block_garbled",)
    assert whole.read("mimetype", 100) == MIMETYPE.content


def test_first_block_overwritten_by_an_integrasjonspunkt_is_noted_as_garbled() -> None:
    raw = zip_bytes([MIMETYPE, BREV])
    patched = bytes.fromhex("504b03040a0000080000d568674c8a21") + raw[16:]

    assert Container(BytesIO(patched), Limits()).notes == ("first_block_garbled",)


@pytest.mark.parametrize("place", range(16))
def test_one_changed_byte_in_the_first_block_is_refused(place: int) -> None:
    raw = bytearray(zip_bytes([MIMETYPE, BREV]))
    raw[place] ^= 0x10

    assert refusal(lambda: Container(BytesIO(raw), Limits())) in {
        "container.local_header",
        "container.flags",
    }


def test_garbled_first_block_of_a_plain_zip_is_refused() -> None:
    garbled = b"\xa5" * 16 + zip_bytes([MIMETYPE, BREV])[16:]

    assert refusal(lambda: ZipReader(BytesIO(garbled), Limits())) == "container.local_header"


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (None, None),
        (Tamper.BROKEN_SIGNATURE, "signature.wrong"),
        (Tamper.CHANGED_DOCUMENT, "manifest.digest"),
        (Tamper.UNSIGNED_FILE, "manifest.uncovered"),
        (Tamper.MISSING_SIGNATURE, "manifest.none"),
        (Tamper.MISSING_ARKIVMELDING, "arkivmelding.absent"),
    ],
)
def test_garbled_first_block_does_not_hide_another_rejection(
    tamper: Tamper | None, expected: str | None
) -> None:
    garbled = os.urandom(16) + genuine(tamper=tamper)[16:]

    verdict = quarantine(garbled).verdict if expected else opened(garbled).verdict

    assert (verdict.code, verdict.notes) == (expected, ("first_block_garbled",))


def test_garbled_first_block_is_repaired_only_for_a_leading_mimetype() -> None:
    raw = zip_bytes([BREV, MIMETYPE])

    def attempt() -> None:
        Container(BytesIO(bytes(16) + raw[16:]), Limits())

    assert refusal(attempt) == "container.local_header"


def test_garbling_beyond_the_first_block_is_refused() -> None:
    raw = zip_bytes([MIMETYPE, BREV])

    def attempt() -> None:
        Container(BytesIO(bytes(20) + raw[20:]), Limits())

    assert refusal(attempt) == "container.local_header"
