"""The history of a message: each event once, in words, and nothing that says nothing."""

import json
from datetime import datetime

from inbox.domain import MOVES, DeliveryState, MessageState, ReceiptState
from inbox.language import TextLanguage
from inbox.line.desk.message.history import history_of
from inbox.line.proposals.message_proposals import ProposalKind
from inbox.web.people.history_words import event_in_words
from inbox.web.people.texts import texts_in

_AT = datetime.fromisoformat("2026-11-30T10:00:00+00:00")
_REGISTERED_BY_A_CASE_SYSTEM = (
    ("message:opened", "open", "RECEIVED", "OPENED"),
    ("message:routed", "route", "OPENED", "ROUTED"),
    ("message:read", None, None, None),
    ("message:released", "release", "ROUTED", "RELEASED"),
    ("message:offered", "offer", "RELEASED", "OFFERED"),
    ("delivery:collected", "collect", "OPEN", "COLLECTED"),
    ("delivery:registered", "word", "COLLECTED", "REGISTERED"),
    ("message:registered", "word", "OFFERED", "REGISTERED"),
    ("receipt:chosen", None, None, "CHOSEN"),
    ("receipt:created", "create", "CHOSEN", "CREATED"),
    ("receipt:sent", "send", "CREATED", "SENT"),
    ("receipt:confirmed", "follow_up", "SENT", "CONFIRMED"),
    ("message:answered", "answer", "REGISTERED", "ANSWERED"),
)
_WITHDRAWN_BY_TWO = (
    ("proposal:opened", "withdraw", None, None),
    ("proposal:approved", "approve", "OPEN", "APPROVED"),
    ("delivery:superseded", "withdraw", "COLLECTED", "SUPERSEDED"),
    ("message:routed", "withdraw", "OFFERED", "ROUTED"),
)
_SAID_BY_ITS_RECEIPT = "message:answered"


def _leaf(event: str, by: str | None, was: str | None, became: str | None) -> bytes:
    entry = {"event": event, "by": by, "was": was, "became": became}
    who = "anne" if event.startswith("proposal:") or by == "withdraw" else "line"
    return json.dumps(entry | {"at": _AT.isoformat(), "who": who, "subject": "s"}).encode()


def _said(*events: tuple[str, str | None, str | None, str | None]) -> list[str]:
    lines = history_of([_leaf(*each) for each in events], {"anne": "Anne Arkivar"})
    return [event_in_words(texts_in(TextLanguage.NB), line) for line in lines]


def test_history_of_registered_mail_says_each_event_once() -> None:
    assert _said(*_REGISTERED_BY_A_CASE_SYSTEM) == [
        "Pakken besto kontrollen",
        "En regel fordelte den til enheten",
        "Frigitt til fagsystemet",
        "Tilbudt fagsystemet",
        "Hentet av fagsystemet",
        "Journalført av fagsystemet",
        "Kvittering er sendt til avsenderen",
        "Avsenderen har fått kvitteringen",
    ]


def test_history_says_of_a_proposal_what_it_is_about_and_once_what_came_of_it() -> None:
    assert _said(*_WITHDRAWN_BY_TWO) == [
        "Foreslått: tilbaketrekking fra fagsystemet, av Anne Arkivar",
        "Trukket tilbake fra fagsystemet, av Anne Arkivar",
    ]
    for kind in ProposalKind:
        opened = ("proposal:opened", kind.value, None, None)
        assert all(_said(opened, ("proposal:declined", "decline", "OPEN", "DECLINED")))
        assert all(_said(opened, ("proposal:lapsed", "lapse", "OPEN", "LAPSED")))


def test_every_move_has_words_in_the_history_and_names_no_rule_where_none_matched() -> None:
    moves = [
        (f"{kind}:{str(became).lower()}", by, str(was), str(became))
        for kind, states in (
            ("message", MessageState),
            ("delivery", DeliveryState),
            ("receipt", ReceiptState),
        )
        for by, legal in MOVES[states].items()
        for was, after in legal.items()
        for became in after
    ]

    said = {move: _said(move) for move in moves}

    assert len(moves) > 50
    assert all(words[0] for words in said.values() if words)
    assert {move[0] for move, words in said.items() if not words} == {
        *("delivery:registered", "delivery:refused", "delivery:withdrawn", "delivery:superseded"),
        *("receipt:created", _SAID_BY_ITS_RECEIPT),
    }
    unrouted = said["message:unrouted", "route", "OPENED", "UNROUTED"]
    assert unrouted == ["Ingen regel passet: lagt til fordeling"]
