"""Signs in one person with the personal code, and chooses the capacity to act in."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from inbox.access.question import Capacity
from inbox.cli.common.context import line_of
from inbox.cli.common.language import StaffTexts
from inbox.directory import verified_capacities
from inbox.errors import Invalid
from inbox.language import TextLanguage
from inbox.line import Line
from inbox.line.access.capacity_search import chosen_capacity, perform_in_first
from inbox.store import Transaction

T = TypeVar("T")
_SAID: Final = StaffTexts(Path(__file__).with_name("sign_in_texts.toml"))

By = Annotated[str, typer.Option("--by", metavar="ID", help="The person who performs the action.")]
MessageIdArgument = Annotated[str, typer.Argument(metavar="MESSAGE", help="The id of a message.")]
CodeFromStdin = Annotated[
    bool,
    typer.Option(
        "--code-from-stdin",
        help="Read from standard input what is otherwise typed, one item per line: the personal"
        " code, then the other person's code or the reason.",
    ),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="ROLE[@UNIT]",
        help="The capacity to act in; required if the person has more than one.",
    ),
]


def read_code(by: str, language: TextLanguage | None, *, from_stdin: bool) -> str:
    """Read the personal code, typed without echo or from standard input.

    It is asked for in the language that was chosen, and in bokmål where nobody chose.
    """
    if from_stdin:
        (code,) = _read_lines("the personal code")
        return code
    return _prompt_code(by, language)


def read_two_codes(
    by: str, with_: str, language: TextLanguage | None, *, from_stdin: bool
) -> tuple[str, str]:
    """Read the personal codes of two people."""
    if from_stdin:
        first, second = _read_lines(f"the personal code of {by}", f"that of {with_}")
        return first, second
    return _prompt_code(by, language), _prompt_code(with_, language)


def read_code_and_reason(
    by: str, language: TextLanguage | None, *, from_stdin: bool
) -> tuple[str, str]:
    """Read the personal code and the reason.

    The reason is never an option, since others could see it.

    The reason is empty where nothing was said: the move refuses that.
    """
    if from_stdin:
        code, reason = _read_lines("the personal code", "the reason")
        return code, reason
    code = _prompt_code(by, language)
    return code, str(typer.prompt(_SAID("prompt.reason", language), err=True))


def read_code_and_reference(
    by: str, language: TextLanguage | None, *, from_stdin: bool
) -> tuple[str, str]:
    """Read the personal code and the archive's reference, which is never an option either."""
    if from_stdin:
        code, reference = _read_lines("the personal code", "the archive's reference")
        return code, reference
    code = _prompt_code(by, language)
    return code, str(typer.prompt(_SAID("prompt.reference", language), err=True))


def read_code_and_text(
    by: str, language: TextLanguage | None, *, from_stdin: bool
) -> tuple[str, str]:
    """Read the personal code, and the rest of standard input as text. Raises `Invalid`."""
    try:
        code = sys.stdin.readline().strip() if from_stdin else _prompt_code(by, language)
        return code, sys.stdin.read()
    except UnicodeDecodeError:
        raise Invalid("codes.lines", "standard input is text in UTF-8") from None


def _prompt_code(person: str, language: TextLanguage | None) -> str:
    asked = _SAID("prompt.code", language, person=person)
    typed: str = typer.prompt(asked, hide_input=True, err=True)
    return typed


def _read_lines(*due: str) -> list[str]:
    """Just the lines that are due; the last may be empty. Raises `Invalid`."""
    lines = [text.strip() for text in sys.stdin.read().splitlines()]
    while len(lines) > len(due) and not lines[-1]:
        del lines[-1]
    if len(lines) != len(due):
        raise Invalid("codes.lines", f"standard input has a line each: {', '.join(due)}")
    return lines


def choose_capacity(tx: Transaction, person: str, code: str, chosen: str | None) -> Capacity:
    """The chosen capacity, or the person's only one.

    Nothing is revealed before the code is verified.

    Raises `Conflict` for a wrong person or code, `Invalid` where a choice is to be made.
    """
    return chosen_capacity(verified_capacities(tx, person, code), chosen)


def sign_in_as(line: Line, person: str, code: str, chosen: str | None) -> Capacity:
    """The same in a transaction of its own; the move that follows authorizes again in another."""
    with line.store.reading() as tx:
        return choose_capacity(tx, person, code, chosen)


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A person whose code was verified in this command, with all capacities active today."""

    line: Line
    capacities: tuple[Capacity, ...]

    def perform(self, move: Callable[[Line, Capacity], T]) -> T:
        """Perform the move in the first capacity that is permitted to.

        Each is authorized separately.
        """
        return perform_in_first(self.line, self.capacities, move)


def sign_in(
    ctx: typer.Context, person: str, code: str, organisation: str | None = None
) -> SignedIn:
    """Verify the code and return all active capacities, in one organisation if it is given.

    Raises `Conflict` if the code is not theirs.
    """
    line = line_of(ctx)
    with line.store.reading() as tx:
        found = verified_capacities(tx, person, code)
    mine = [each for each in found if organisation in {None, each.organisation}]
    return SignedIn(line=line, capacities=tuple(mine))


def perform_as(
    ctx: typer.Context,
    person: str,
    code: str,
    chosen: str | None,
    move: Callable[[Line, Capacity], T],
) -> T:
    """Perform the move in the chosen capacity, or in the first of all that is permitted to.

    Raises `Unavailable` while the database is older than what was signed of it.
    """
    if chosen is None:
        signed_in = sign_in(ctx, person, code)
        signed_in.line.standstill.check()
        return signed_in.perform(move)
    line = line_of(ctx)
    line.standstill.check()
    return move(line, sign_in_as(line, person, code, chosen))
