"""Every outage at every call, over real HTTP."""

import socket
from collections.abc import Callable

import pytest

from inbox.errors import Unavailable
from inbox.gateway import ConfirmResult, Notice
from inbox.gateway.integrasjonspunkt import Integrasjonspunkt
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.packages.envelopes import sbd_json
from tests.gateway.scripted_gateway import RECEIPT_ID, THEIRS
from tests.gateway.world import BYTES, Socket, World, client_of, receipt

# ---- outages (the retry table)


def opened(here: Integrasjonspunkt, notice: Notice) -> None:
    with here.fetch(notice):
        pass


CALLS: dict[str, Callable[[Integrasjonspunkt, Notice], object]] = {
    "peek": lambda here, _: list(here.waiting_notices(1)),
    "pop": opened,
    "delete": lambda here, notice: here.confirm(notice),
    "capabilities": lambda here, _: here.receipt_route(THEIRS),
    "create": lambda here, _: here.create_receipt(RECEIPT_ID, receipt()),
    "send": lambda here, _: here.send_receipt(RECEIPT_ID),
    "statuses": lambda here, _: here.receipt_status(RECEIPT_ID),
    "conversations": lambda here, notice: here.undelivered_notice(notice.wire_id),
    "find": lambda here, notice: here.waiting_envelope(notice),
}
TROUBLES = {
    "answer 429 to": "gateway.unavailable",
    "answer 500 to": "gateway.unavailable",
    "answer empty 502 to": "gateway.unavailable",
    "answer html 503 to": "gateway.unavailable",
    "answer html 504 to": "gateway.unavailable",
    "answer 401 to": "gateway.unauthorised",
    "answer html 403 to": "gateway.unauthorised",
    "answer html 200 to": "gateway.garbled",
    "answer garbage to": "gateway.garbled",
    "reset": "gateway.unavailable",
    "lose the answer to": "gateway.unavailable",
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("call", CALLS)
def test_every_gateway_call_raises_unavailable_on_every_outage(
    world: World, call: str, trouble: str
) -> None:
    world.put()
    notice = world.announced()
    world.there.stage(f"{trouble} every {call}")

    with pytest.raises(Unavailable) as caught:
        CALLS[call](world.here, notice)

    assert caught.value.code == TROUBLES[trouble]


def test_peek_raises_unavailable_when_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with client_of(f"http://127.0.0.1:{port}") as here, pytest.raises(Unavailable):
        list(here.waiting_notices(1))


def test_changed_gateway_password_is_reported_as_unauthorised(listening: Socket) -> None:
    listening.gateway = GatewaySimulator(credentials=("user", "new"))
    listening.gateway.put(sbd_json(), BYTES)

    with client_of(listening.url, credentials=("user", "new")) as here:
        assert len(list(here.waiting_notices(1))) == 1
    with (
        client_of(listening.url, credentials=("user", "old")) as here,
        pytest.raises(Unavailable, match="unauthorised"),
    ):
        list(here.waiting_notices(1))


def test_confirm_after_a_lost_delete_answer_finds_the_message_already_deleted(world: World) -> None:
    message_id = world.put()
    notice = world.announced()
    world.there.stage("lose the answer to the first delete")

    with pytest.raises(Unavailable):
        world.here.confirm(notice)
    assert world.here.confirm(notice) is ConfirmResult.GONE
    assert world.there.sender_statuses(message_id)[-1] == "LEVERT"
