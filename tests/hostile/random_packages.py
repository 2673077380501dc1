"""Draws signed packages of all lawful kinds: names, sizes, letters, dialects and writers."""

import random
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO

from inbox.simulator.packages.arkivmelding import (
    ArkivmeldingLetter,
    arkivmelding_xml,
    minimal_arkivmelding_xml,
)
from inbox.simulator.packages.builder import Dialect, Namespace, ParcelDocument
from tests.hostile.genuine_writers import SHAPES, File, Layout, files_of
from tests.package_builder import genuine

_STEMS = (
    "brev",
    "Bekymringsmelding æøå ÆØÅ",
    "Čáhcesuopma đŋšŧž",
    "Guovdageainnu suohkan – áššebábir",
    "vedlegg (1) & kart + tegning",
    "Sak 12:3",
    "Meta-informasjon",
    "100 % ferdig #2",
    "naïve Ærfugl [kopi]",
    "Åseral.signert.v2",
)
_ENDINGS = (".pdf", ".PDF", ".docx", ".xml", ".txt", "", ".zip", ".tar.gz")
_FOLDERS = ("", "", "", "vedlegg/", "a/b/c/d/")


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One signed package, before any tool has written it."""

    files: tuple[File, ...]
    shape: str

    def layout(self) -> Layout:
        return SHAPES[self.shape](self.files)


def draw(rng: random.Random, *, shape: str | None = None) -> Drawn:
    """A package that must be accepted whatever shape it is written in."""
    documents = _documents(rng)
    letter = _letter(rng, [document.name for document in documents])
    signed = genuine(
        documents=tuple(documents),
        arkivmelding=_arkivmelding(rng, letter),
        dialect=rng.choice(list(Dialect)),
        namespace=rng.choice(list(Namespace)),
    )
    chosen = shape or rng.choice(sorted(SHAPES))
    return Drawn(files=tuple(_files(rng, signed)), shape=chosen)


def _documents(rng: random.Random) -> list[ParcelDocument]:
    names: dict[str, str] = {}
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        name = rng.choice(_FOLDERS) + rng.choice(_STEMS) + rng.choice(_ENDINGS)
        composed = unicodedata.normalize("NFC", name)
        decomposed = unicodedata.normalize("NFD", name)
        names.setdefault(name.casefold(), rng.choice((composed, decomposed)))
    return [ParcelDocument(name, "application/pdf", _content(rng)) for name in names.values()]


def _content(rng: random.Random) -> bytes:
    size = rng.choice((1, 2, 100, 5_000, 70_000, rng.randrange(1, 300_000)))
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(size)
    if kind == 1:
        return b"Hei, " * (size // 5) + b"\n"
    if kind == 2:
        return bytes(size)
    return _inner(rng)


def _inner(rng: random.Random) -> bytes:
    """An ordinary zip as an attachment: a .docx, say."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as made:
        made.writestr("word/document.xml", b"<w:document/>" * rng.randrange(1, 500))
    return out.getvalue()


def _letter(rng: random.Random, names: Sequence[str]) -> ArkivmeldingLetter:
    """From all that can be said to what must be."""
    letter = ArkivmeldingLetter(file_names=tuple(names))
    bare = {
        "public_title": None,
        "case_public_title": None,
        "receiver_unit": None,
        "authority": None,
        "class_id": None,
    }
    kept = rng.choice((0, 2, len(bare)))
    left_out = dict(rng.sample(sorted(bare.items()), len(bare) - kept))
    return replace(letter, **left_out, receiver_person="Ánne Njálla" if kept else None)  # type: ignore[arg-type]


def _arkivmelding(rng: random.Random, letter: ArkivmeldingLetter) -> bytes:
    """In both dialects: `basisregistrering` and `registrering`; in full and as SvarInn makes it."""
    raw = rng.choice((arkivmelding_xml, minimal_arkivmelding_xml))(letter)
    if rng.random() < 0.5:
        return raw
    return raw.replace(b"<basisregistrering", b"<registrering").replace(
        b"</basisregistrering", b"</registrering"
    )


def _files(rng: random.Random, signed: bytes) -> list[File]:
    """What the signed package has in it; who can choose stores some of it, where that is clear."""
    files = files_of(signed, stored=("mimetype",))
    return [
        replace(file, squeeze=file.squeeze and (b"PK" in file.content or rng.random() < 0.8))
        for file in files
    ]
