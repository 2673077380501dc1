"""docs/access.md shows what the program gives for the request that it traces."""

from collections.abc import Mapping

import pytest

from tests.prose.access_trace import PAGE, blocks, names_in, written


@pytest.fixture(scope="module")
def made() -> Mapping[str, str]:
    return blocks()


def test_written_page_differs_where_an_example_differs(made: Mapping[str, str]) -> None:
    page = PAGE.read_text()

    assert written(page, {**made, "listed": "m-3"}) != page


def test_every_example_of_the_access_page_is_what_the_program_gives(
    made: Mapping[str, str],
) -> None:
    page = PAGE.read_text()

    assert names_in(page) == made.keys()
    assert written(page, made) == page
