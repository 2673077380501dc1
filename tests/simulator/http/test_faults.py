"""The vocabulary of faults."""

from datetime import timedelta

import pytest

from inbox.simulator.http.faults import Does, Fault, On, Script, fault_of


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("lose the answer to the third DELETE", Fault(on=On.DELETE, does=Does.LOSE_ANSWER, nth=3)),
        ("reset every peek", Fault(on=On.PEEK, does=Does.RESET)),
        ("refuse the 12th call", Fault(on=On.CALL, does=Does.RESET, nth=12)),
        ("answer 401 to every call", Fault(on=On.CALL, does=Does.ANSWER, status=401)),
        (
            "answer empty 503 to the first send",
            Fault(on=On.SEND, does=Does.ANSWER_EMPTY, nth=1, status=503),
        ),
        ("answer html 200 to the second peek", Fault(on=On.PEEK, does=Does.ANSWER_HTML, nth=2)),
        (
            "answer garbage to the first capabilities",
            Fault(on=On.CAPABILITIES, does=Does.ANSWER_GARBAGE, nth=1),
        ),
        (
            "do the first delete but answer 502",
            Fault(on=On.DELETE, does=Does.REPLACE, nth=1, status=502),
        ),
        (
            "slow the first pop by 50 ms",
            Fault(on=On.POP, does=Does.SLOW, nth=1, after=timedelta(milliseconds=50)),
        ),
        (
            "end the first pop after 100 bytes",
            Fault(on=On.POP, does=Does.END_EARLY, nth=1, after_bytes=100),
        ),
        (
            "cut the first pop after 100 bytes",
            Fault(on=On.POP, does=Does.CUT, nth=1, after_bytes=100),
        ),
        ("lose the lock during the first pop", Fault(on=On.POP, does=Does.LOSE_LOCK, nth=1)),
        (
            "redeliver an hour after the first delete",
            Fault(on=On.DELETE, does=Does.REDELIVER, nth=1, after=timedelta(hours=1)),
        ),
        ("expire the message at the second pop", Fault(on=On.POP, does=Does.EXPIRE, nth=2)),
        (
            "lose the message at every delete of Ab-1",
            Fault(on=On.DELETE, does=Does.GO_MISSING, message_id="Ab-1"),
        ),
    ],
)
def test_fault_of_reads_each_sentence_as_its_fault(sentence: str, fault: Fault) -> None:
    assert fault_of(sentence) == fault


@pytest.mark.parametrize(
    "sentence", ["", "lose everything", "answer 50 to the first pop", "reset the zeroth pop"]
)
def test_fault_of_refuses_an_unknown_sentence_and_shows_the_vocabulary(sentence: str) -> None:
    with pytest.raises(ValueError, match="lose the answer to the <nth> <on>"):
        fault_of(sentence)


def test_counted_fault_strikes_once_and_counts_only_matching_calls() -> None:
    script = Script()
    script.add(Fault(on=On.POP, does=Does.RESET, nth=2, message_id="a"))

    hits = [
        bool(script.strike(on, about))
        for on, about in [
            (On.POP, "a"),
            (On.POP, "b"),
            (On.PEEK, "a"),
            (On.POP, "a"),
            (On.POP, "a"),
        ]
    ]

    assert hits == [False, False, False, True, False]


def test_uncounted_fault_strikes_until_the_script_is_cleared() -> None:
    script = Script()
    script.add(Fault(on=On.CALL, does=Does.RESET))

    before = [bool(script.strike(on, None)) for on in (On.POP, None)]
    script.clear()

    assert before == [True, True]
    assert script.strike(On.POP, None) == []
