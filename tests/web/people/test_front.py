"""The front page over a real line."""

from pathlib import Path

from inbox.language import TextLanguage
from inbox.web.people.language_choice import LANGUAGE_COOKIE
from tests.web.people.access.house import access_house


def test_front_page_says_what_is_wrong_in_the_language_of_the_visitor(tmp_path: Path) -> None:
    said = {}
    with access_house(tmp_path) as house:
        operator = house.people["operator"]
        for language in TextLanguage:
            operator.client.cookies.set(LANGUAGE_COOKIE, language)
            said[language] = operator.get("/").text

    assert "Ingen arbeider har gjort noe den siste tiden" in said[TextLanguage.NB]
    assert "Ingen arbeidar har gjort noko den siste tida" in said[TextLanguage.NN]
    assert "no worker has worked lately" in said[TextLanguage.EN]
