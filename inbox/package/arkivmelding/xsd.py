"""Compares arkivmelding.xml with the published schemas; never required (reference §5.2, §5.6)."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from lxml import etree

from inbox.errors import ConfigurationError, PackageRejected
from inbox.package.arkivmelding.reader import NAMESPACE
from inbox.package.inputs import Limits
from inbox.package.xml import Element, decode_xml, parse_xml, safe_parser

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"
_NAMED: Final = re.compile(r"Element '\{[^}']*\}([^']+)'")
_CHUNK: Final = 1 << 14
_MOST_PLACES: Final = 20
_MOST_ERRORS: Final = 200
_MAX_BYTES: Final = 5 << 20


@dataclass(frozen=True, kw_only=True)
class SchemaResult:
    """Whether the document is valid, and which elements are not."""

    fits: bool
    places: tuple[str, ...] = ()
    """Names of elements that the schema knows, each once; never a word of the sender's own."""


class Schemas:
    """The published schemas of arkivmelding; a document is valid if it is valid by one of them.

    Made of the bytes of files by their names, which may import each other by these names; files
    that have nothing to do with it may lie beside them. Opens nothing. Raises
    `ConfigurationError` where there is none, or one that cannot be used.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        roots = {
            name: root
            for name in sorted(files)
            if (root := _parse_or_none(files[name])) is not None
        }
        mains = [name for name, root in roots.items() if _is_main(root)]
        if not mains:
            raise ConfigurationError("schemas.none", "no file in the folder has arkivmelding")
        self._words = frozenset(
            str(element.get("name")) for root in roots.values() for element in _elements(root)
        )
        safe = {name: files[name] for name in roots}
        self._compiled = tuple(_compile(name, safe) for name in mains)

    def validate(self, raw: bytes) -> SchemaResult:
        """Validate the bytes of an arkivmelding that `parse_arkivmelding` has accepted.

        Time and memory are bounded by the size that was allowed then, and by a number of errors
        after which no more are looked for.
        """
        utf8 = decode_xml(raw, "arkivmelding").encode()
        fits = [_validate(schema, utf8, self._words) for schema in self._compiled]
        return max(fits, key=lambda fit: (fit.fits, -len(fit.places)))


def _validate(schema: etree.XMLSchema, utf8: bytes, words: Collection[str]) -> SchemaResult:
    parser = safe_parser(schema)
    try:
        for start in range(0, len(utf8), _CHUNK):
            parser.feed(utf8[start : start + _CHUNK])
            if len(parser.feed_error_log) > _MOST_ERRORS:
                break
        else:
            parser.close()
            return SchemaResult(fits=True)
    except etree.XMLSyntaxError:
        pass  # What does not fit is in the log of errors.
    named = (found[1] for e in parser.feed_error_log if (found := _NAMED.match(e.message)))
    places = dict.fromkeys(name for name in named if name in words)
    return SchemaResult(fits=False, places=tuple(places)[:_MOST_PLACES])


class _LocalResolver(etree.Resolver):
    """Finds what a schema imports among the files at hand, and nothing anywhere else."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def resolve(self, system_url: str, public_id: str, context: object = None) -> object:
        del public_id
        name = PurePosixPath(system_url).name
        if name not in self._files:
            raise LookupError(name)  # Otherwise it would be looked for outside.
        return self.resolve_string(self._files[name], context, base_url=name)


def _parse_or_none(raw: bytes) -> Element | None:
    try:
        return parse_xml(raw, area="schema", max_bytes=_MAX_BYTES, limits=Limits())
    except PackageRejected:
        return None


def _elements(root: Element) -> list[Element]:
    return root.findall(f".//{_XS}element[@name]")


def _is_main(root: Element) -> bool:
    if root.get("targetNamespace") != NAMESPACE:
        return False
    return root.find(f"{_XS}element[@name='arkivmelding']") is not None


def _compile(name: str, files: Mapping[str, bytes]) -> etree.XMLSchema:
    parser = safe_parser()
    parser.resolvers.add(_LocalResolver(files))
    try:
        return etree.XMLSchema(etree.fromstring(files[name], parser))
    except etree.XMLSchemaParseError as error:
        raise ConfigurationError(
            "schemas.broken", f"{name} is no schema, or one that it imports is not beside it"
        ) from error
