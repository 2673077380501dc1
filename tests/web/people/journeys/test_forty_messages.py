"""An archivist's morning in a real browser: from sign-in to the receipts at the senders."""

import pytest
from playwright.sync_api import Browser, expect

from inbox.access.policy.vocabulary import Role
from inbox.domain import MessageState
from inbox.line.moves import unit
from tests.web.people.journeys.archivist import Archivist, archivist_at
from tests.web.people.journeys.office import Office

WITHOUT_HISTORY = "910076787"
_ROWS_OF_A_PAGE = 20
FOLLOWING, CHOOSING = 1, 3
"""The most actions that a message may take: where the suggestion is followed, and otherwise."""


@pytest.mark.parametrize(
    "count", [8, pytest.param(40, marks=pytest.mark.long)], ids=lambda count: f"{count} messages"
)
def test_archivist_distributes_the_queue_and_senders_get_receipts(
    browser: Browser, office: Office, count: int
) -> None:
    office.make_history("Melding om barnevern")
    office.arrive(count=count // 2)
    office.arrive(count=count // 2, sender=WITHOUT_HISTORY)
    with archivist_at(browser, office) as anne:
        figure = anne.page.locator(".figures").get_by_role("link", name="Ufordelt")
        assert figure.inner_text().split()[0] == str(count)
        anne.click(figure)
        assert anne.page.locator("tbody tr").count() == min(count, _ROWS_OF_A_PAGE)
        anne.enter()

        _distribute_what_is_open(anne)
        _undo_that(anne)
        costs = [_distribute_what_is_open(anne) for _ in range(count)]

        assert anne.heading == "Til fordeling"
        assert "Alt er fordelt." in anne.text
        followed = [cost for follows, cost in costs if follows]
        chosen = [cost for follows, cost in costs if not follows]
        assert len(followed) == len(chosen) == count // 2
        assert set(followed) == {FOLLOWING}
        assert all(1 <= cost <= CHOOSING for cost in chosen)
    office.let_pass(minutes=2)
    _release_at_unit(office)
    office.let_pass(minutes=11)
    office.register_all()
    assert office.receipts() == set(office.sent)


def _distribute_what_is_open(anne: Archivist) -> tuple[bool, int]:
    """Follow the suggestion, or choose a unit by its first letters and release it, too.

    Whether it followed, and how many actions it took.
    """
    before = anne.actions
    follows = anne.page.get_by_text("fra denne avsenderen gikk til").count() > 0
    if follows:
        anne.expect_focus_on("Fordel til Barneverntjenesten")
        anne.enter()
        assert "er fordelt til Barneverntjenesten. Kan angres til kl." in anne.said
    else:
        expect(anne.page.locator("select:focus")).to_have_count(1)
        anne.page.keyboard.type("PP")
        anne.page.keyboard.press("Tab")
        anne.page.keyboard.press("Tab")
        anne.expect_focus_on("Fordel og frigi")
        anne.enter()
        assert "er fordelt til PPT. Kan angres til kl." in anne.said
    return follows, anne.actions - before


def _undo_that(anne: Archivist) -> None:
    """One key takes it back, and the same message is before one again."""
    anne.access_key("z")
    assert "er tatt tilbake" in anne.said
    assert anne.page.get_by_role("button", name="Fordel", exact=True).count() == 1


def _release_at_unit(office: Office) -> None:
    """The leader of the unit releases what was distributed to it: whose pages are not these."""
    leader = office.world.person("kari", Role.LEADER, "bv")
    for message in office.world.messages():
        if message.state is MessageState.ROUTED:
            unit.release(office.world.line, leader, message.id, expected_version=message.version)
