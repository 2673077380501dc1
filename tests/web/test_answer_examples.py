"""The examples that vendors read are what the program answers, and the tables beside them hold."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from inbox.web.openapi import build_openapi
from tests.web.answer_examples import (
    BLOCK,
    KEPT,
    PAGE,
    Examples,
    example_arkivmelding,
    page_with,
    real_answers,
)
from tests.web.conftest import Api

ANEW = "make them anew: .venv/bin/python -m tests.web.answer_examples"
_ROW = re.compile(r"^\| `([a-zA-Z]+/[a-zA-Z/]+)` \| `(archive[a-z_.\[\]]+)`", re.MULTILINE)
_NOARK = "{http://www.arkivverket.no/standarder/noark5/arkivmelding}"
_NO_ELEMENT = {"journalpost/sendtDato"}
"""Elements that the simulated sender does not write."""


@pytest.fixture(scope="module")
def kept() -> Examples:
    found: Examples = json.loads(KEPT.read_text("utf-8"))
    return found


def _names_at(raw: etree._Element, path: str) -> set[str]:
    """The texts of the elements at a path such as `journalpost/tittel`."""
    first, *inner = path.split("/")
    tags = {"mappe": ("mappe",), "journalpost": ("basisregistrering",)}.get(first, (first,))
    below = "/".join(_NOARK + name for name in inner)
    starts = [each for tag in tags for each in raw.iter(_NOARK + tag)]
    return {text for each in starts for found in each.findall(below) if (text := found.text)}


def _values_at(value: Any, path: str) -> Iterator[str]:
    """The values at a path such as `archive.registry_entries[].title`, as they are written."""
    if not path:
        if value is not None:
            yield str(value)
        return
    name, _, rest = path.partition(".")
    found = value[name.removesuffix("[]")]
    for each in found if name.endswith("[]") else [found]:
        if each is not None:
            yield from _values_at(each, rest)


def test_examples_are_what_the_api_answers(api: Api, kept: Examples) -> None:
    assert real_answers(api.world, api.client) == kept, ANEW


def test_page_of_answers_shows_every_example_as_it_is(kept: Examples) -> None:
    text = PAGE.read_text("utf-8")
    shown = {(found[2], found[3]) for found in BLOCK.finditer(text)}

    assert page_with(text, kept) == text, ANEW
    # The three words have the same answers; the page shows each of them once.
    hidden = {
        (name, status): value
        for name, each in kept.items()
        for status, value in each.items()
        if (name, status) not in shown
    }
    assert set(hidden) == {
        *(("say_registered", "200"), ("say_refused", "200")),
        *(("say_accepted", "202"), ("say_refused", "202")),
    }
    assert all(value in ({"said": "done"}, {"said": "kept"}) for value in hidden.values())


def test_api_description_has_an_example_of_every_json_answer() -> None:
    schema = build_openapi()

    without = [
        (operation["operationId"], status)
        for path in schema["paths"].values()
        for operation in path.values()
        for status, response in operation["responses"].items()
        for media_type, content in response.get("content", {}).items()
        if "json" in media_type and "example" not in content
    ]

    assert without == []


def test_table_of_noark_names_leads_to_the_values_of_these_elements(kept: Examples) -> None:
    rows = _ROW.findall(PAGE.read_text("utf-8"))
    raw = etree.fromstring(example_arkivmelding())
    delivery = kept["collect_delivery"]["200"]

    assert len(rows) > 25
    for element, path in rows:
        ours = set(_values_at(delivery, path))
        theirs = _names_at(raw, element)
        if element in _NO_ELEMENT:
            assert not theirs
            continue
        if path.endswith("_at"):
            theirs = {text.replace("+00:00", "Z") for text in theirs}
        assert theirs, element
        assert ours == theirs, element


def test_page_of_answers_names_every_field_of_the_archive(kept: Examples) -> None:
    """Nothing of `archive` is left without its Noark name."""
    text = PAGE.read_text("utf-8")
    parts = json.dumps(build_openapi()["components"]["schemas"]["RegistryEntry"]["properties"])
    named = {path.rpartition(".")[2].removesuffix("[]") for _, path in _ROW.findall(text)}

    fields = set(json.loads(parts)) - {"screening", "correspondents", "documents"}

    assert fields <= named
    assert set(kept["collect_delivery"]["200"]["archive"]["case_file"]) - {"screening"} <= named


def test_examples_hold_no_path_of_this_machine(kept: Examples) -> None:
    assert str(Path.home()) not in json.dumps(kept)
