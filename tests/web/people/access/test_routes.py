"""Every route answers everybody as the table says, and what is not theirs as what is not there."""

from collections import defaultdict
from pathlib import Path

import pytest
from fastapi import FastAPI

from inbox.web.people.app import create_people_app
from tests.web.people.access.house import EVERYBODY, access_house, same
from tests.web.people.access.mailbag import Mailbag
from tests.web.people.access.routes import (
    Row,
    answer_in_a_word,
    matches,
    read_table,
    routes_of,
    walk,
)

NOT_HERE = "not_here"


def _without_row(app: FastAPI, rows: list[Row]) -> set[tuple[str, str]]:
    return {
        (method, path)
        for method, path in routes_of(app)
        if not any(row.method == method and matches(path, row.route) for row in rows)
    }


def test_every_route_has_a_row_and_every_row_a_route(tmp_path: Path) -> None:
    rows = read_table()
    with access_house(tmp_path) as house:
        routes = routes_of(house.app)
        assert ("POST", "/melding/{message_id}/{form_name}") in routes
        assert len(routes) >= 45
        assert _without_row(house.app, rows) == set()
        assert [
            row.name
            for row in rows
            if not any(m == row.method and matches(path, row.route) for m, path in routes)
        ] == []

        site, desk = house.app.state.site, house.desk
        more = create_people_app(house.hall.line, site, desk)
        more.add_api_route("/melding/{message_id}/side/{number}", lambda: None)
        assert _without_row(more, rows) == {("GET", "/melding/{message_id}/side/{number}")}


@pytest.mark.long
@pytest.mark.parametrize(("method", "part"), [("GET", 0), ("GET", 1), ("POST", 0), ("POST", 1)])
def test_everybody_gets_what_the_table_says(tmp_path: Path, method: str, part: int) -> None:
    rows = [row for row in read_table() if row.method == method][part::2]
    wrong, not_here = [], defaultdict(set)
    with access_house(tmp_path) as house:
        for row, who, answer in walk(house, Mailbag(house), rows):
            seen = answer_in_a_word(answer)
            if seen != row.expected[who]:
                wrong.append(f"{row.name}, {who}: {seen}, expected {row.expected[who]}")
            if seen == NOT_HERE and row.about:
                not_here[who].add(same(answer))

    assert wrong == []
    assert not_here.keys() >= set(EVERYBODY[:7])
    assert {who: len(bodies) for who, bodies in not_here.items()} == dict.fromkeys(not_here, 1)
