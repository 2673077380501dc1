"""The trials of a receiver, over real connections: what each kind of mistake is told."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from urllib.parse import urlsplit

import pytest

from inbox.casesystem import DeliveryEvent
from inbox.casesystem.webhook import Target, WebhookRefused, WebhookSender, webhook_client
from inbox.cli.sandbox import webhook_trials
from inbox.cli.sandbox.screen import Mark, Remark, Screen
from inbox.cli.sandbox.webhook_trials import WatchedSender, WebhookTrials
from inbox.simulator.http.server import serve
from tests.cli.sandbox.mistaken_receivers import KEY, MISTAKEN, SECRET, Receiver, is_genuine

EVENT = DeliveryEvent(
    id="5e0c7a91b2d34f68a0c1e2d3f4b5a697",
    kind="no.inbox.delivery.offered.v1",
    organisation="910075918",
    delivery_id="8b1f0c5e6d7a4f3b9c2d1e0f8a7b6c5d",
    occurred_at=datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
)


@contextmanager
def _trials(receiver: Receiver) -> Iterator[tuple[WebhookTrials, WebhookSender, str]]:
    with serve(receiver) as url:
        sender = WebhookSender(
            webhook_client(),
            [
                Target(
                    host="127.0.0.1",
                    port=urlsplit(url).port or 0,
                    networks=(ip_network("127.0.0.0/8"),),
                )
            ],
        )
        of = webhook_trials.Receiver(url=url, key=KEY, secret=SECRET)
        yield WebhookTrials(sender, of, lambda: datetime.now(UTC)), sender, url


def _genuine_status(sender: WebhookSender, url: str) -> int:
    try:
        sender.send(url, SECRET, EVENT, datetime.now(UTC))
    except WebhookRefused as refused:
        return refused.status
    return 204


def _marks(remarks: list[Remark]) -> list[Mark]:
    return [remark.mark for remark in remarks]


def test_receiver_that_checks_rightly_passes_every_trial() -> None:
    receiver = Receiver(is_genuine)

    with _trials(receiver) as (trials, sender, url):
        status = _genuine_status(sender, url)
        remarks = trials.after_belief(EVENT)

    assert status == 204
    assert _marks(remarks) == [Mark.RIGHT] * 5
    assert receiver.believed == [EVENT.delivery_id] * 3


@pytest.mark.parametrize("mistake", MISTAKEN)
def test_refused_genuine_event_names_the_mistake_of_the_receiver(mistake: str) -> None:
    check, expected = MISTAKEN[mistake]

    with _trials(Receiver(check)) as (trials, sender, url):
        status = _genuine_status(sender, url)
        (remark,) = trials.after_refusal(EVENT, status)

    assert status == 401
    assert remark.mark is Mark.WRONG
    assert f"401: {expected}" in remark.text


def test_refusal_without_a_usual_mistake_asks_for_secret_and_clock() -> None:
    with _trials(Receiver(lambda *_: False)) as (trials, _, _url):
        remarks = trials.after_refusal(EVENT, 401)

    assert _marks(remarks) == [Mark.WRONG, Mark.NOTE]
    assert "Is the secret that of this run" in remarks[1].text


def test_receiver_that_believes_everything_fails_the_forged_changed_and_old_event() -> None:
    receiver = Receiver(lambda *_: True)

    with _trials(receiver) as (trials, _, _url):
        remarks = trials.after_belief(EVENT)

    assert _marks(remarks) == [Mark.RIGHT] * 2 + [Mark.WRONG] * 3
    assert all("anybody could send you events" in each.text for each in remarks[2:])
    made_up = [each for each in receiver.believed if each != EVENT.delivery_id]
    assert len(made_up) == 3
    assert all(map(trials.is_made_up, made_up))
    assert not trials.is_made_up(EVENT.delivery_id)


def test_receiver_that_writes_the_json_anew_is_found_though_it_believed_the_event() -> None:
    """As `JSON.stringify(JSON.parse(body))` does: our bytes come out the same today."""

    def check(headers: Mapping[str, str], body: bytes) -> bool:
        anew = json.dumps(json.loads(body), separators=(",", ":")).encode()
        return is_genuine(headers, anew)

    with _trials(Receiver(check)) as (trials, sender, url):
        status = _genuine_status(sender, url)
        remarks = trials.after_belief(EVENT)

    assert status == 204
    assert remarks[1].mark is Mark.WRONG
    assert "computed over re-formatted JSON, not over the bytes" in remarks[1].text


def test_receiver_that_refuses_a_repeated_event_should_answer_2xx() -> None:
    seen: set[str] = set()

    def check(headers: Mapping[str, str], body: bytes) -> bool:
        known = headers["webhook-id"] in seen
        seen.add(headers["webhook-id"])
        return not known and is_genuine(headers, body)

    with _trials(Receiver(check)) as (trials, sender, url):
        _genuine_status(sender, url)
        remarks = trials.after_belief(EVENT)

    assert remarks[0].mark is Mark.WRONG
    assert "answer 2xx to one that you know by its webhook-id" in remarks[0].text


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (301, "redirects are failures"),
        (404, "nothing is at this path"),
        (405, "does not take POST"),
        (415, "application/cloudevents+json"),
        (500, "your receiver failed"),
    ],
)
def test_other_refusals_are_explained_without_a_call(status: int, expected: str) -> None:
    receiver = Receiver(is_genuine)

    with _trials(receiver) as (trials, _, _url):
        (remark,) = trials.after_refusal(EVENT, status)

    assert (remark.mark, expected in remark.text) == (Mark.WRONG, True)
    assert receiver.believed == []


def test_following_failure_is_explained_in_full_only_when_it_differs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    receiver = Receiver(MISTAKEN["body-alone"][0])

    with _trials(receiver) as (trials, sender, url):
        watched = WatchedSender(sender, trials, Screen())
        for check in ("body-alone", "body-alone", "body-alone", "secret-as-text"):
            receiver.check = MISTAKEN[check][0]
            with pytest.raises(WebhookRefused):
                watched.send(url, SECRET, EVENT, datetime.now(UTC))
    printed = capsys.readouterr().out

    assert printed.count(f"event of delivery {EVENT.delivery_id} -> 401") == 3
    assert printed.count("computed over the body alone") == 1
    assert printed.count("as before") == 1
    assert printed.count("the secret was used as text") == 1


def test_forged_event_answered_with_an_error_should_be_refused_with_401() -> None:
    with _trials(Receiver(is_genuine, refusal=500)) as (trials, _, _url):
        remarks = trials.after_belief(EVENT)

    assert "Refuse it with 401, not by an error" in remarks[2].text
