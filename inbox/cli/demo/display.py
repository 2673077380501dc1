"""The demo's display: each message while it travels the line, then the result of each."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text
from sqlmodel import col, select

from inbox.cli.demo.stage import Stage
from inbox.days import in_norway
from inbox.domain import ArrivalState, MessageState
from inbox.simulator.demo_mail.expectations import Answered, Fate
from inbox.simulator.demo_mail.judge import Judgement
from inbox.tables import Arrival, AuditEntry, Message, Receipt

_SHOWN = ("arrival", "message", "delivery", "receipt")
_FEWEST_LIVE_ROWS = 5
_ROWS_AROUND = 4
"""Title, headings, and a line above and below."""
_STEP = " → "
_STATE_STYLES: Mapping[str, str] = {
    MessageState.ANSWERED: "green",
    MessageState.REGISTERED: "green",
    MessageState.REFUSED: "magenta",
    MessageState.QUARANTINED: "bold red",
    MessageState.UNROUTED: "bold yellow",
    ArrivalState.MISSED: "bold red",
}
"""The colours of states in which a message has come far, or waits for people."""
_ENDS = (_STATE_STYLES.keys() | {MessageState.RETURNED, MessageState.OFFERED}) - {
    MessageState.REGISTERED,
    MessageState.REFUSED,
}


@dataclass
class ProgressView:
    """Follows the audit from the last entry that it read, and shows each step."""

    stage: Stage
    console: Console
    _after: int = -1
    _names: dict[str, str] = field(default_factory=dict)
    _now: dict[str, list[str]] = field(default_factory=dict)
    _live: Live | None = None

    def __enter__(self) -> Self:
        """Begin to show: a live table on a terminal, plain lines elsewhere."""
        if self.console.is_terminal:
            self._live = Live(
                self._table(), console=self.console, refresh_per_second=8, transient=True
            )
            self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Take the live table away: what became of each message follows."""
        if self._live is not None:
            self._live.stop()

    def update(self) -> None:
        """Show what happened since the last call."""
        with self.stage.line.store.reading() as tx:
            leaves = tx.exec(
                select(AuditEntry.seq, AuditEntry.leaf)
                .where(col(AuditEntry.seq) > self._after)
                .order_by(col(AuditEntry.seq))
            ).all()
            if any(b'"message:' in leaf or b'"arrival:' in leaf for _, leaf in leaves):
                self._learn_names(
                    tx.exec(select(Arrival.id, Arrival.wire_id)).all(),
                    tx.exec(select(Message.id, Message.wire_id, Message.shares_wire_id)).all(),
                )
        for seq, leaf in leaves:
            self._after = seq
            self._show_step(json.loads(leaf))
        if self._live is not None:
            self._live.update(self._table())

    def _learn_names(
        self,
        arrivals: Sequence[tuple[str, str]],
        messages: Sequence[tuple[str, str, bool]],
    ) -> None:
        names: dict[str, list[str]] = {}
        for letter in self.stage.letters:
            names.setdefault(letter.message_id, []).append(letter.name)
        for arrival, wire_id in arrivals:
            self._names[arrival] = names[wire_id][0]
        for message, wire_id, shares in messages:
            self._names[message] = names[wire_id][-1 if shares else 0]

    def _show_step(self, entry: Mapping[str, str]) -> None:
        kind, _, _ = entry["event"].partition(":")
        name = self._names.get(entry["message"] or "") or self._names.get(entry["subject"])
        if kind not in _SHOWN or name is None or not entry["became"]:
            return
        code = f"  ({entry['code']})" if entry["code"] else ""
        self._now[name] = [*self._now.pop(name, []), entry["became"]]
        if self._live is None:
            at = entry["at"][11:19]
            self.console.print(
                f"{at}  {name:<26} {kind:<9} {entry['was'] or '':<12} → {entry['became']}{code}",
                highlight=False,
                soft_wrap=True,
            )

    def _table(self) -> Table:
        """The messages that moved last, as many as the screen holds, each with its whole name."""
        letters = len(self.stage.letters)
        ended = sum(states[-1] in _ENDS for states in self._now.values())
        table = Table(box=None, pad_edge=False, title_justify="left", title_style="bold")
        table.title = (
            f"{self._when()}: {len(self._now)} of {letters} have come,"
            f" {ended} are answered or wait for people"
        )
        table.add_column("message", no_wrap=True, style="bold")
        table.add_column("its way so far", no_wrap=True, overflow="ellipsis")
        rows = max(_FEWEST_LIVE_ROWS, self.console.height - _ROWS_AROUND)
        names = max((len(letter.name) for letter in self.stage.letters), default=0)
        for name, states in list(self._now.items())[-rows:]:
            table.add_row(name.ljust(names), _way(states, self.console.width - names - 2))
        return table

    def _when(self) -> str:
        """The day that is played, as long as that is not today."""
        clock = self.stage.clock
        return "On the line" if clock.is_present else in_norway(clock.now()).strftime("%a %d %b")


def _way(states: Sequence[str], width: int) -> Text:
    """The last states that fit in a width, the newest in its colour."""
    shown = [states[-1]]
    for state in reversed(states[:-1]):
        if len(_STEP.join([state, *shown])) > width:
            break
        shown.insert(0, state)
    way = Text(_STEP.join(shown[:-1]) + (_STEP if shown[:-1] else ""), style="dim")
    return way.append(shown[-1], style=_STATE_STYLES.get(shown[-1], "yellow"))


@dataclass(frozen=True, kw_only=True)
class LetterResult:
    """The product's result for one letter, and how it differs from the expected one."""

    name: str
    fate: Fate
    state: str
    unit: str | None
    rule: str | None
    code: str | None
    receipt: str | None
    wrong: tuple[str, ...]


def letter_results(stage: Stage, judgement: Judgement) -> list[LetterResult]:
    """The result of every letter, compared with the expectation and with the judge's findings."""
    with stage.line.store.reading() as tx:
        messages = tx.exec(select(Message)).all()
        arrivals = tx.exec(select(Arrival)).all()
        receipts = {receipt.message_id: receipt for receipt in tx.exec(select(Receipt))}
    found = []
    for number, letter in enumerate(stage.letters):
        shares = letter.name != _first_name(stage, letter.message_id)
        message = next(
            (m for m in messages if m.wire_id == letter.message_id and m.shares_wire_id is shares),
            None,
        )
        arrival = next((a for a in arrivals if a.wire_id == letter.message_id), None)
        receipt = None if message is None else receipts.get(message.id)
        state = _state(message, arrival)
        code = _code(message, arrival, receipt)
        wrong = [surprise.value for surprise in judgement.letters[number].surprises]
        wrong += _mismatches(letter.expect.fate, state, letter.expect.code, code)
        if message is not None and letter.expect.unit not in (None, message.unit):
            wrong.append("another unit")
        ruled = letter.expect.rule is not None and message is not None
        if ruled and message is not None and message.rule not in (None, letter.expect.rule):
            wrong.append("another rule")
        found.append(
            LetterResult(
                name=letter.name,
                fate=letter.expect.fate,
                state=state,
                unit=None if message is None else message.unit,
                rule=None if message is None else message.rule,
                code=code,
                receipt=_receipt_of(judgement, number, letter.expect.answered),
                wrong=tuple(wrong),
            )
        )
    return found


def _first_name(stage: Stage, message_id: str) -> str:
    return next(letter.name for letter in stage.letters if letter.message_id == message_id)


def _state(message: Message | None, arrival: Arrival | None) -> str:
    if message is not None:
        return message.state.value
    return "-" if arrival is None else arrival.state.value


def _code(message: Message | None, arrival: Arrival | None, receipt: Receipt | None) -> str | None:
    if receipt is not None and receipt.code:
        return receipt.code
    if message is not None:
        return message.code
    return None if arrival is None else arrival.code


def _receipt_of(judgement: Judgement, number: int, expected: Answered) -> str | None:
    held = judgement.letters[number].receipts
    if held:
        return ", ".join(held)
    return expected.value if expected is Answered.IMPOSSIBLE else None


_EXPECTED_STATES: Mapping[Fate, str] = {
    Fate.QUARANTINED: MessageState.QUARANTINED,
    Fate.UNROUTED: MessageState.UNROUTED,
    Fate.MISSED: ArrivalState.MISSED,
    Fate.OFFERED: MessageState.OFFERED,
    Fate.SENT_BACK: MessageState.RETURNED,
    Fate.UNANSWERED: MessageState.REGISTERED,
}
_FATES_WITH_CODE = frozenset({Fate.QUARANTINED, Fate.MISSED, Fate.UNANSWERED})


def _mismatches(fate: Fate, state: str, expected: str | None, code: str | None) -> list[str]:
    wrong = []
    if state != _EXPECTED_STATES.get(fate, MessageState.ANSWERED):
        wrong.append(f"ended in {state}")
    if fate in _FATES_WITH_CODE and code != expected:
        wrong.append(f"code {code}, not {expected}")
    return wrong


def show_results(console: Console, ends: Sequence[LetterResult], *, each: bool = True) -> None:
    """Print the result of each letter, those of one fate together; no name is ever cut.

    Of very many letters only their number, and those that did not end as expected.
    """
    names = max((len(end.name) for end in ends), default=0)
    console.print("\n[bold]What became of each message[/bold]")
    for fate in Fate:
        mine = [end for end in ends if end.fate is fate]
        if mine:
            console.print(f"[cyan]{fate.value}: {len(mine)}[/cyan]")
        for end in (end for end in mine if each or end.wrong):
            console.print(
                Text.assemble(
                    f"  {end.name:<{names}}  ",
                    (f"{end.state:<11}  ", _STATE_STYLES.get(end.state, "")),
                    f"{end.receipt or '–'}  {end.code or end.unit or ''}".rstrip(),
                )
            )
            for wrong in end.wrong:
                console.print(f"  ! {wrong}", style="bold red", markup=False)


def count_waiting(ends: Sequence[LetterResult]) -> dict[str, int]:
    """How many messages wait for people, by state."""
    return dict(
        sorted(
            Counter(
                end.state for end in ends if end.state not in (MessageState.ANSWERED, "-")
            ).items()
        )
    )
