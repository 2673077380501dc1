"""Finds a grade (gradering) in arkivmelding.xml, wherever it stands, whether it parses or not."""

import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from inbox.package.character_sets import possible_texts
from inbox.package.codes.registry import GRADE_UNREADABLE, SECURITY_GRADE
from inbox.package.xml import Element, local_name

_PROTECTIVE_GRADE: Final = "arkivmelding.protective_grade"
_PROTECTIVE: Final = frozenset(
    {
        "fortrolig (beskyttelsesgrad)",
        "strengt fortrolig (beskyttelsesgrad)",
        "fortrolig",
        "strengt fortrolig",
        "f",
        "sf",
    }
)
_UNGRADED: Final = frozenset({"ugradert", "u"})
_GRADINGS: Final = frozenset(
    {"gradering", "sikkerhetsgradering", "sikkerhetsgrad", "beskyttelsesgrad"}
)
"""Names, in lower case, of elements and attributes that hold a grade wherever they stand."""
_GRADES: Final = _GRADINGS | {"grad"}
"""Where the grade stands in a gradering: the ordinary word, and the newer."""
_GRADE_WORDS: Final = frozenset({"kode", "beskrivelse"})
"""How the newer shapes write a value of a list."""
_BESIDE: Final = frozenset({"graderingsdato", "gradertav", "nedgraderingsdato", "nedgradertav"})
_KNOWN: Final = _GRADES | _GRADE_WORDS | _BESIDE
_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_XML: Final = "{http://www.w3.org/XML/1998/namespace}"
_OF_XML: Final = frozenset(
    {f"{_XSI}{name}" for name in ("nil", "type", "schemaLocation", "noNamespaceSchemaLocation")}
    | {f"{_XML}{name}" for name in ("lang", "space", "base", "id")}
)
"""Attributes of XML itself say nothing about a grade; another name beside them can."""
_WITH_A_GRADE: Final = etree.XPath(
    "//*[contains(translate(local-name(), 'GRADE', 'grade'), 'grad')]"
    " | //*[@*[contains(translate(local-name(), 'GRADE', 'grade'), 'grad')]]"
)
_MARKUP: Final = re.compile(r"<[^<>]*")
_MENTION: Final = re.compile(
    r"(?:<|:|\s)(?:gradering|sikkerhetsgradering|sikkerhetsgrad|beskyttelsesgrad)(?:[\s/]|=|\Z)",
    re.IGNORECASE,
)
_DECLARES_ENTITIES: Final = re.compile(
    r"<!ENTITY|<!DOCTYPE\s+[^\s<>]+\s+(?:SYSTEM|PUBLIC)", re.IGNORECASE
)
"""An entity can bring an element that stands nowhere in the text."""


def grading_of(root: Element) -> str | None:
    """The code of the highest grading anywhere in the document, in any namespace.

    It may be an element or an attribute, in letters of any case. Returns None if there is none.

    A grade we do not know, and a grading without a grade, count as a security grade.
    """
    found = _WITH_A_GRADE(root)
    elements = (
        [each for each in found if isinstance(each, Element)] if isinstance(found, list) else []
    )
    codes = {code for element in elements for code in _codes_at(element)}
    return next((code for code in (SECURITY_GRADE, _PROTECTIVE_GRADE) if code in codes), None)


def unreadable_code(raw: bytes, code: str) -> str:
    """The code for arkivmelding.xml that cannot be read, for which the reader gave this code.

    It is `GRADE_UNREADABLE` where any text that a parser could make of it mentions a grade.
    """
    return GRADE_UNREADABLE if any(map(_mentions_grade, possible_texts(raw))) else code


def _mentions_grade(text: str) -> bool:
    if _DECLARES_ENTITIES.search(text):
        return True
    return any(_MENTION.search(tag.group()) for tag in _MARKUP.finditer(text))


def _codes_at(element: Element) -> Iterator[str | None]:
    name, parent = local_name(element).lower(), element.getparent()
    inside = parent is not None and local_name(parent).lower() in _GRADINGS
    if name in _GRADINGS or (name == "grad" and inside):
        yield _code_of_grading(element, inside=inside)
    else:
        yield _code_of_grades({value for word, value in _attributes(element) if word in _GRADINGS})


def _code_of_grading(element: Element, *, inside: bool) -> str | None:
    """What one `gradering` (or the newer `grad` in one) means; a grade further in is left to it."""
    names = {local_name(child).lower() for child in element}
    attributes = dict(_attributes(element))
    if (names | attributes.keys()) - _KNOWN or any(map(_hides_more, element)):
        return SECURITY_GRADE
    said = [element.text, *(child.tail for child in element)]
    said += [child.text for child in element if local_name(child).lower() in _GRADE_WORDS]
    said += [value for word, value in attributes.items() if word not in _BESIDE]
    grades = {text for text in said if text and text.strip()}
    nothing = not inside and not names and not attributes
    if not (grades or nothing or names & _GRADES):
        return SECURITY_GRADE
    return _code_of_grades(grades)


def _hides_more(child: Element) -> bool:
    """Whether something stands in a child, or on it, that is read nowhere else."""
    is_grade = local_name(child).lower() in _GRADES
    return not is_grade and (len(child) > 0 or any(True for _ in _attributes(child)))


def _code_of_grades(grades: set[str]) -> str | None:
    plain = {" ".join(grade.lower().split()) for grade in grades}
    if plain - _UNGRADED - _PROTECTIVE:
        return SECURITY_GRADE
    return _PROTECTIVE_GRADE if plain & _PROTECTIVE else None


def _attributes(element: Element) -> Iterator[tuple[str, str]]:
    """Name in lower case and value of each attribute that is not of XML itself."""
    for name, value in element.attrib.items():
        if name not in _OF_XML:
            yield etree.QName(name).localname.lower(), str(value)
