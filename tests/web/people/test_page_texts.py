"""Every text of the pages is there in bokmål, nynorsk and English."""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from inbox.domain import HoldCause, MessageState, Service
from inbox.language import TextLanguage
from inbox.line.desk.message.lamps import SenderSees
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.line.task_kinds import TaskKind
from inbox.web.people import words
from inbox.web.people.texts import CATALOGUES, texts_in

FOLDER = CATALOGUES.parent
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))
MAPPING = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "to_translate": None}
_PLACE = re.compile(r"%\(\w+\)s")


def _texts_of_the_pages() -> set[str | tuple[str, str]]:
    found = extract_from_dir(FOLDER, MAPPING, OPTIONS, KEYWORDS)
    return {text if isinstance(text, str) else (text[0], text[1]) for _, _, text, *_ in found}


def _catalogue(language: str) -> Catalog:
    with (CATALOGUES / language / "inbox.po").open("rb") as file:
        return read_po(file, locale=language)


def _forms(text: object) -> list[str]:
    return [text] if isinstance(text, str) else [str(each) for each in text or ()]  # type: ignore[attr-defined]


@pytest.mark.parametrize("language", ["nn", "en"])
def test_catalogue_has_every_text_of_the_pages_and_no_other(language: str) -> None:
    texts = _texts_of_the_pages()

    there = {each.id for each in _catalogue(language) if each.id}

    assert len(texts) > 150
    assert ("virkedag", "virkedager") in texts
    assert there == texts


@pytest.mark.parametrize("language", ["nn", "en"])
def test_every_translation_is_whole_and_fills_in_the_same_places(language: str) -> None:
    wrong = [
        each.id
        for each in _catalogue(language)
        if each.id
        and (
            each.fuzzy
            or not all(_forms(each.string))
            or len(_forms(each.string)) != len(_forms(each.id))
            or any(
                set(_PLACE.findall(one)) != set(_PLACE.findall(other))
                for one, other in zip(_forms(each.id), _forms(each.string), strict=True)
            )
        )
    ]

    assert wrong == []


def test_english_translation_is_never_the_norwegian_text_by_mistake() -> None:
    same = {e.id for e in _catalogue("en") if e.id and e.id == e.string and len(str(e.id)) > 8}

    assert same == {"%(count)s av %(total)s"} & same


def test_text_without_translation_stays_in_bokmaal_and_numbers_choose_their_form() -> None:
    nynorsk = texts_in(TextLanguage.NN)

    assert nynorsk.gettext("Uten kvittering") == "Utan kvittering"
    assert nynorsk.gettext("ingen slik tekst") == "ingen slik tekst"
    assert [nynorsk.ngettext("virkedag", "virkedager", n) for n in (0, 1, 2)] == [
        "virkedagar", "virkedag", "virkedagar",
    ]  # fmt: skip


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_template_has_no_norwegian_word_outside_a_text(template: Path) -> None:
    source = re.sub(
        r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", " ", template.read_text("utf-8"), flags=re.DOTALL
    )
    prose = re.sub(r"<[^>]*>", " ", source)

    words = set(re.findall(r"[A-Za-zæøåÆØÅ]{3,}", prose))
    assert words - {"Alt", "Enter", "aria", "invalid", "describedby", "true"} == set()


@pytest.mark.parametrize(
    ("texts", "kinds"),
    [
        (words.STATES, MessageState),
        (words.PROPOSALS, ProposalKind),
        (words.TASKS, TaskKind),
        (words.SENDER_SEES, SenderSees),
        (words.HOLD_CAUSES, HoldCause),
        (words.CHANNELS, Service),
    ],
)
def test_everything_of_a_kind_has_words(texts: Mapping[Any, str], kinds: type[StrEnum]) -> None:
    assert set(texts) == set(kinds)
