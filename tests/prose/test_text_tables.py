"""Tables of texts: each text in three languages, with the same parts, and nynorsk is nynorsk."""

from pathlib import Path
from string import Formatter

import pytest

from inbox.language import TextLanguage, read_texts
from tests.prose.norwegian import BOKMAAL, NYNORSK

ROOT = Path(__file__).parents[2] / "inbox"
TABLES = sorted(ROOT.rglob("*_texts.toml"))
TEXTS = [
    pytest.param(texts, id=f"{path.stem}:{key}")
    for path in TABLES
    for key, texts in read_texts(path).texts.items()
]


def parts_of(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def test_every_table_of_texts_is_found() -> None:
    assert {path.name for path in TABLES} == {
        "access_texts.toml",
        "backlog_texts.toml",
        "capacity_texts.toml",
        "condition_texts.toml",
        "desk_texts.toml",
        "directory_file_texts.toml",
        "directory_texts.toml",
        "lint_output_texts.toml",
        "lint_texts.toml",
        "message_texts.toml",
        "proposal_texts.toml",
        "policy_file_texts.toml",
        "reader_texts.toml",
        "routing_texts.toml",
        "rule_change_texts.toml",
        "rule_file_texts.toml",
        "sign_in_texts.toml",
        "temporary_access_texts.toml",
    }
    assert len(TEXTS) > 100


@pytest.mark.parametrize("texts", TEXTS)
def test_every_text_is_in_three_languages_with_the_same_parts(
    texts: dict[TextLanguage, str],
) -> None:
    assert texts.keys() == set(TextLanguage)
    assert all(text.strip() for text in texts.values())
    assert len({tuple(parts_of(text)) for text in texts.values()}) == 1


@pytest.mark.parametrize("texts", TEXTS)
def test_nynorsk_texts_are_nynorsk_and_bokmaal_texts_are_bokmaal(
    texts: dict[TextLanguage, str],
) -> None:
    assert BOKMAAL.findall(texts[TextLanguage.NN]) == []
    assert NYNORSK.findall(texts[TextLanguage.NB]) == []


def test_nynorsk_check_finds_words_of_the_other_written_language() -> None:
    assert BOKMAAL.findall("Ho er ikke hos enheten no") == ["ikke", "enheten"]
    assert NYNORSK.findall("Den er ikkje hos eininga nå") == ["ikkje", "eininga"]


def test_a_text_that_lacks_a_language_is_an_error(tmp_path: Path) -> None:
    table = tmp_path / "some_texts.toml"
    table.write_text('[a]\nb.nb = "x"\nb.en = "y"\n')

    with pytest.raises(KeyError):
        read_texts(table)
