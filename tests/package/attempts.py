"""Attempts to read or open something that is wrong in one way."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

from inbox.package import Package
from inbox.package.envelope import read_envelope
from inbox.package.inputs import Limits
from inbox.package.zip.reader import Container
from inbox.simulator.packages.envelopes import sbd_json
from tests.package.signature.signatures import making
from tests.package.zip.zip_writer import Part, zip_bytes
from tests.package_builder import MIMETYPE, opened, pack, plus, refusal, with_part


class Opening:
    """An attempt to open one package under some terms; more terms can be given when it is made."""

    def __init__(self, raw: Callable[[], bytes], terms: dict[str, Any]) -> None:
        self.raw = raw
        self.terms = terms

    def __call__(self, **more: Any) -> Package:
        terms = {name: made_now(term) for name, term in self.terms.items()}
        return opened(self.raw(), **(terms | more))


def opening(raw: Callable[[], bytes] = pack, **terms: Any) -> Opening:
    return Opening(raw, terms)


def packed(**changes: Any) -> Opening:
    return opening(lambda: pack(**{name: made_now(change) for name, change in changes.items()}))


class Later:
    """What is made when the test runs, not when it is collected."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


def made_now(value: Any) -> Any:
    return value.make() if isinstance(value, Later) else value


def limited(**limits: int) -> Opening:
    return opening(limits=Limits(**limits))


def brev(**changes: Any) -> Opening:
    return packed(parts=with_part("brev.pdf", **changes))


def adding(*parts: Part) -> Opening:
    return packed(parts=plus(*parts))


def listing(change: Callable[[str], str]) -> Opening:
    return packed(manifest=change)


def signing(**faults: Any) -> Opening:
    return packed(signature=Later(lambda: making(**{n: made_now(v) for n, v in faults.items()})))


def reading(change: Callable[[dict[str, Any]], object]) -> Callable[[], object]:
    """The envelope, changed; what `change` returns is read in its place if it is bytes."""

    def attempt() -> object:
        sbd: dict[str, Any] = sbd_json()
        raw = change(sbd)
        return read_envelope(raw if isinstance(raw, bytes) else json.dumps(sbd).encode())

    return attempt


def telling(xml: bytes) -> Opening:
    return packed(files={"arkivmelding.xml": xml, "brev.pdf": b"%PDF"})


def container(*parts: Part, limits: Limits | None = None, **writing: Any) -> Container:
    """A container with these files after its mimetype."""
    return Container(BytesIO(zip_bytes([MIMETYPE, *parts], **writing)), limits or Limits())


def code(*parts: Part, limits: Limits | None = None, **writing: Any) -> str:
    """The code with which opening it and reading everything in it is refused."""

    def read_all() -> None:
        whole = container(*parts, limits=limits, **writing)
        for entry in whole.entries:
            for _ in whole.stream(entry.name):
                pass

    return refusal(read_all)
