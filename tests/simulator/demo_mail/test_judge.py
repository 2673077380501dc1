"""The judge finds what is planted, and nothing where all went as it should."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from inbox.simulator.demo_mail.judge import Judgement, Surprise
from inbox.simulator.demo_mail.letters import CAPABILITIES, Letter, mailbag
from inbox.simulator.demo_mail.postman import Postman, others_mail
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.server import serve
from inbox.simulator.packages.certificates import TestAuthority
from tests.simulator.conftest import Clock
from tests.simulator.ideal_product import STARTED, Run

ORDINARY = ("police-worry", "school-referral", "hospital-discharge", "governor-appeal")


@pytest.fixture(scope="module")
def letters() -> list[Letter]:
    return mailbag(TestAuthority(), STARTED)


Starting = Callable[..., Run]


def _as_expected(judged: Judgement) -> bool:
    """Whether every letter ended as it should, and nobody else's mail was touched."""
    return judged.left_alone and not any(letter.surprises for letter in judged.letters)


@pytest.fixture
def starting(letters: list[Letter], clock: Clock) -> Iterator[Starting]:
    gateway = GatewaySimulator(clock=clock, capabilities=CAPABILITIES)
    for other in others_mail(STARTED):
        gateway.put(other.envelope, other.package)
    with serve(gateway.app) as url, httpx.Client(base_url=url, trust_env=False) as http:

        def start(*names: str) -> Run:
            chosen = [each for each in letters if not names or each.name in names]
            return Run(chosen, gateway, http, clock)

        yield start


def test_judge_finds_no_surprise_when_all_goes_well(starting: Starting) -> None:
    run = starting()
    run.go()

    judged = run.judged()

    assert {each.name: each.surprises for each in judged.letters if each.surprises} == {}
    assert _as_expected(judged)
    assert (judged.lost, judged.duplicates, judged.left_alone) == (0, 0, True)
    assert judged.announced == len(run.letters)
    assert judged.receipts_at_sender == {
        kind: sum(letter.expect.answered == kind for letter in run.letters)
        for kind in ("ERROR", "OK")
    }


def test_judge_reports_unfetched_letters_as_waiting_and_not_lost(
    starting: Starting,
) -> None:
    run = starting(*ORDINARY)
    Postman(run.gateway, run.letters).bring()

    judged = run.judged()

    assert (judged.announced, judged.lost, judged.duplicates) == (0, 0, 0)
    assert run.found("police-worry").surprises[0] is Surprise.NOT_ANNOUNCED
    assert Surprise.STILL_WAITS in run.found("police-worry").surprises


def test_judge_counts_a_deleted_letter_held_nowhere_as_lost(starting: Starting) -> None:
    run = starting(*ORDINARY)
    run.registers = run.answers = lambda letter: letter.name != "police-worry"
    run.go()

    judged = run.judged()

    assert judged.lost == 1
    assert judged.receipts_at_sender == {"OK": 3}
    assert run.found("police-worry").surprises == (
        Surprise.LOST,
        Surprise.NOT_HELD,
        Surprise.UNANSWERED,
    )
    assert not _as_expected(judged)


def test_judge_counts_a_letter_that_vanished_without_our_delete_as_lost(starting: Starting) -> None:
    run = starting(*ORDINARY)
    Postman(run.gateway, run.letters).bring()
    run.gateway.lose(run.named("school-referral").message_id)

    assert run.judged().lost == 1


def test_judge_counts_a_letter_that_expired_at_the_gateway_as_lost(starting: Starting) -> None:
    run = starting("police-worry")
    Postman(run.gateway, run.letters).bring()
    run.gateway.expire(run.named("police-worry").message_id)

    assert run.judged().lost == 1


def test_judge_does_not_count_a_letter_removed_by_the_script_as_lost(starting: Starting) -> None:
    run = starting("gone-missing")
    run.go()

    assert run.judged().lost == 0
    assert _as_expected(run.judged())


def test_judge_counts_a_letter_with_two_registry_entries_as_duplicate(starting: Starting) -> None:
    run = starting(*ORDINARY)
    run.go()
    letter = run.named("police-worry")
    run.kept["familia"].registry.enter(
        message_id=letter.message_id, sha256="another package", at=STARTED
    )

    assert run.judged().duplicates == 1
    assert run.found("police-worry").surprises == (Surprise.TWICE,)


def test_judge_counts_a_letter_registered_in_a_system_and_by_hand_as_duplicate(
    starting: Starting,
) -> None:
    run = starting(*ORDINARY)
    run.go()
    run.hand.note(run.named("police-worry").message_id, reference="2026/1", at=STARTED)

    assert run.judged().duplicates == 1
    assert Surprise.HELD_ELSEWHERE in run.found("police-worry").surprises


def test_judge_counts_a_letter_answered_twice_as_duplicate(starting: Starting) -> None:
    run = starting(*ORDINARY)
    run.go()
    message_id = run.named("police-worry").message_id
    run.answer(message_id, "OK", run.kept["familia"].registered[0].reference)
    run.clock.passes(seconds=1)

    judged = run.judged()

    assert judged.duplicates == 1
    assert judged.receipts_at_sender == {"OK": 5}
    assert run.found("police-worry").surprises == (Surprise.TWICE,)


def test_judge_counts_a_resent_copy_with_its_own_entry_as_duplicate(starting: Starting) -> None:
    run = starting("school-referral", "sent-again")
    run.go()
    assert _as_expected(run.judged())
    copy = run.named("sent-again")
    run.kept["skolearkiv"].registry.enter(message_id=copy.message_id, sha256="its own", at=STARTED)

    assert run.judged().duplicates == 1


def test_judge_reports_an_ok_receipt_without_a_registry_entry_as_untrue(starting: Starting) -> None:
    run = starting(*ORDINARY)
    run.registers = lambda letter: letter.name != "school-referral"
    run.go()

    assert run.judged().lost == 0
    assert run.found("school-referral").surprises == (Surprise.NOT_HELD, Surprise.UNTRUE)


def test_judge_reports_an_ok_receipt_with_a_wrong_reference_as_untrue(starting: Starting) -> None:
    run = starting("police-worry")
    run.answers = lambda _: False
    run.go()
    run.answer(run.named("police-worry").message_id, "OK", "2026/000999-1")
    run.clock.passes(seconds=1)

    assert run.found("police-worry").surprises == (Surprise.UNTRUE,)


def test_judge_reports_an_error_receipt_for_a_registered_letter(starting: Starting) -> None:
    run = starting("police-worry")
    run.answers = lambda _: False
    run.go()
    run.answer(run.named("police-worry").message_id, "ERROR", "")
    run.clock.passes(seconds=1)

    assert run.found("police-worry").surprises == (Surprise.OTHER_ANSWER,)


def test_judge_reports_a_receipt_for_a_quarantined_letter(starting: Starting) -> None:
    run = starting("broken-signature")
    run.go()
    run.answer(run.named("broken-signature").message_id, "ERROR", "")
    run.clock.passes(seconds=1)

    assert run.found("broken-signature").surprises == (Surprise.OTHER_ANSWER,)


def test_judge_reports_an_uncollected_redelivery_as_still_waiting(starting: Starting) -> None:
    run = starting("hospital-discharge")
    run.go()
    run.gateway.redeliver(run.named("hospital-discharge").message_id)

    assert run.judged().duplicates == 0
    assert run.found("hospital-discharge").surprises == (Surprise.STILL_WAITS,)


@pytest.mark.parametrize("way", ["locked", "locked and free again", "deleted", "read"])
def test_judge_detects_that_other_consumers_mail_was_touched(starting: Starting, way: str) -> None:
    run = starting()
    other = others_mail(STARTED)[0]
    assert run.judged().left_alone

    if way == "read":
        run.http.get(f"/api/messages/in/pop/{other.message_id}")
    else:
        run.http.get("/api/messages/in/peek", params={"messageId": other.message_id})
    if way == "locked and free again":
        run.gateway.unlock(other.message_id)
    if way == "deleted":
        run.http.delete(f"/api/messages/in/{other.message_id}").raise_for_status()

    assert not run.judged().left_alone
    assert not _as_expected(run.judged())
