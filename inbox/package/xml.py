"""The one XML parser: bytes only, no DOCTYPE, no entities, no network, limits while it reads."""

import re
from functools import cache

from lxml import etree
from lxml.etree import _Element as Element

from inbox.errors import PackageRejected
from inbox.package import character_sets
from inbox.package.inputs import Limits

__all__ = ["Element", "decode_xml", "local_name", "parse_xml", "safe_parser"]

_DECLARED = re.compile(r"""\A(\s*<\?xml\b[^>]*?)\s+encoding\s*=\s*(?:"[^">]*"|'[^'>]*')""")
_START = re.compile(r"<[^/!?]")
_TOO_WIDE = etree.XPath("boolean(//*[count(@*) > $most])")
_CHUNK = 1 << 16


def parse_xml(raw: bytes, *, area: str, max_bytes: int, limits: Limits) -> Element:
    """Parse and return the root element.

    Comments and processing instructions are removed, so that text is contiguous.

    Raises `PackageRejected` with one of `{area}.too_large`, `.encoding`, `.unsafe_xml`,
    `.too_complex` and `.malformed`.
    """
    if len(raw) > max_bytes:
        raise PackageRejected(f"{area}.too_large", f"{len(raw)} bytes")
    text = decode_xml(raw, area)
    if sum(1 for _ in _START.finditer(text)) > limits.max_elements:
        raise PackageRejected(f"{area}.too_complex", "elements")
    try:
        return _parse(text, area, limits)
    except etree.XMLSyntaxError as error:
        too_much = getattr(error, "code", None) == etree.ErrorTypes.ERR_RESOURCE_LIMIT
        kind = "too_complex" if too_much else "malformed"
        # The parser's own text quotes the document, and a traceback would show it.
        raise PackageRejected(f"{area}.{kind}", f"line {error.lineno}") from None


def local_name(element: Element) -> str:
    """The name of an element without its namespace."""
    return etree.QName(element).localname


def decode_xml(raw: bytes, area: str) -> str:
    """The text, with a declaration that names no encoding: the parser is given UTF-8.

    Raises `PackageRejected` (`{area}.encoding`) if the bytes contradict themselves.
    """
    decoded = character_sets.decode_xml(raw)
    if decoded is None:
        raise PackageRejected(f"{area}.encoding", "contradicts itself, or is not supported")
    return _DECLARED.sub(r"\1", decoded.text, count=1)


def safe_parser(
    schema: etree.XMLSchema | None = None, target: "_PrologTarget | None" = None
) -> etree.XMLParser:
    """The one lxml parser factory; it sets every option, since lxml's defaults have changed."""
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
        schema=schema,
        target=target,  # type: ignore[arg-type] # the stubs ask for methods that are optional
    )


def _parse(text: str, area: str, limits: Limits) -> Element:
    parser = safe_parser()
    raw = text.encode()
    if _has_doctype(raw):
        raise PackageRejected(f"{area}.unsafe_xml", "DOCTYPE")
    for start in range(0, len(raw), _CHUNK):
        parser.feed(raw[start : start + _CHUNK])
    root = parser.close()
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise PackageRejected(f"{area}.unsafe_xml", "DOCTYPE")
    if _TOO_WIDE(root, most=limits.max_attributes) or _deeper_than(limits.max_depth)(root):
        raise PackageRejected(f"{area}.too_complex", "depth or attributes")
    return root


class _FirstMarkup(Exception):
    """The parser came upon the first thing that is neither comment nor declaration."""

    def __init__(self, *, is_doctype: bool) -> None:
        super().__init__()
        self.is_doctype = is_doctype


class _PrologTarget:
    """Ends the parsing at a DOCTYPE, before anything in it is read, and else at the root."""

    def doctype(self, name: str, public_id: str | None, system_id: str | None) -> None:
        del name, public_id, system_id
        raise _FirstMarkup(is_doctype=True)

    def start(self, tag: str, attributes: object) -> None:
        del tag, attributes
        raise _FirstMarkup(is_doctype=False)

    def close(self) -> None:
        """The document had neither; the second parsing says what is wrong with it."""


def _has_doctype(utf8: bytes) -> bool:
    """Whether the parser itself sees a DOCTYPE: the same letters in a text or comment do not count.

    One can stand only before the root, so nothing after it is parsed here.
    """
    parser = safe_parser(target=_PrologTarget())
    try:
        for start in range(0, len(utf8), _CHUNK):
            parser.feed(utf8[start : start + _CHUNK])
        parser.close()
    except _FirstMarkup as found:
        return found.is_doctype
    except etree.XMLSyntaxError:
        return False
    return False


@cache
def _deeper_than(most: int) -> etree.XPath:
    """Looks one level further at each step: counting ancestors would take as long as all levels."""
    return etree.XPath("boolean(" + "/*" * (most + 1) + ")")
