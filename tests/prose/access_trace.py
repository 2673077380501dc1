"""Makes the examples of docs/access.md: one request, traced through the product's own policy.

`python -m tests.prose.access_trace` writes them into the page.
"""

import re
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, SQLModel, col

from inbox.access import Action, Capacity, Decision, OfMessage, Policy, RequestFacts, Role, permit
from inbox.access.facts.lookup import _fact_select, look_up_facts
from inbox.access.files.folder import load_policy
from inbox.access.lists.filters import permit_branches
from inbox.access.lists.pages import fetch_page
from inbox.access.lists.recheck import Recheck
from inbox.access.review.explain import explain_decision
from inbox.domain import MessageId
from inbox.tables import Message
from tests.access.town import NOW, POLICIES, Town

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "access.md"
WIDTH = 110
_SHOWN_FACTS = ("assigned", "cleared", "conflict", "in_unit")
_BLOCK = re.compile(r"(<!-- made: ([a-z-]+) -->\n```\w*\n)(.*?)(```)", re.DOTALL)


@contextmanager
def _town() -> Iterator[Town]:
    """A town in a database in memory."""
    engine = sa.create_engine("sqlite://", poolclass=StaticPool)
    SQLModel.metadata.create_all(engine)
    with Session(engine) as session:
        yield Town(session)
    engine.dispose()


def _rows(*ids: str) -> str:
    lines = [
        line
        for name in ("allow.csv", "deny.csv")
        for line in (POLICIES / name).read_text().splitlines()
    ]
    return "\n".join(line for line in lines if any(line.startswith(f"p, {each},") for each in ids))


def _parts(sql: str) -> Iterator[str]:
    """The statement, cut where a column, a clause or a condition of the outermost level begins."""
    depth, start = 0, 0
    for place, letter in enumerate(sql):
        depth += (letter == "(") - (letter == ")")
        following = sql[place + 1 :]
        begins = following.startswith(("FROM ", "WHERE ", "AND ")) and letter == " "
        if depth == 0 and (letter == "," or begins):
            yield sql[start : place + 1].strip()
            start = place + 1
    yield sql[start:].strip()


def _shown(statement: object) -> str:
    """SQL in lines that a person can read."""
    sql = " ".join(str(statement).split())
    return "\n".join(
        textwrap.fill(part, WIDTH, subsequent_indent="    ", break_on_hyphens=False)
        for part in _parts(sql)
    )


def _fact_query(sql: str) -> str:
    """The query of a decision, with the columns of four of its facts."""
    columns, _, rest = " ".join(sql.split()).removeprefix("SELECT ").rpartition(" FROM message ")
    parts = list(_columns(columns))
    shown = [
        textwrap.fill(part, WIDTH, subsequent_indent="    ", break_on_hyphens=False)
        for part in parts
        if part.rstrip(",").rpartition(" AS ")[2].strip('"') in _SHOWN_FACTS
    ]
    # The last column is a constant: it is there where no fact is asked.
    more = f"-- and {len(parts) - len(shown) - 1} columns more, one for each other fact"
    return "\n".join(["SELECT", *shown, more, f"FROM message {rest}"])


def _columns(sql: str) -> Iterator[str]:
    """The columns of a SELECT, cut at the commas of the outermost level."""
    column = ""
    for part in _parts(sql):
        column = f"{column} {part}".strip()
        if part.endswith(","):
            yield column
            column = ""
    yield column


def _decision(decision: Decision) -> str:
    misses = (f"{each.rule} lacks {', '.join(each.missing)}" for each in decision.near_misses)
    said = {
        "allowed": decision.allowed,
        "rule": decision.rule,
        "matching": ", ".join(decision.matching),
        "duties": ", ".join(sorted(decision.duties)) or "none",
        "facts that are true": ", ".join(sorted(decision.facts)),
        "near misses": "; ".join(misses) or "none",
    }
    return "\n".join(f"{name:<20} {value}".rstrip() for name, value in said.items())


def _explanation(town: Town, policy: Policy, capacity: Capacity, subject: OfMessage) -> str:
    found = explain_decision(
        town.session, policy, NOW, capacity=capacity, action=Action.OPEN, subject=subject
    )
    return "\n".join(
        f"{each.rule.id:<4} {each.rule.effect:<6} "
        + ("matches" if each.matched else f"does not match: lacks {', '.join(each.missing)}")
        for each in found.rules
    )


def blocks() -> Mapping[str, str]:
    """Each example of the page, by its name there."""
    policy = load_policy(POLICIES)
    asked = policy.facts_used(Action.OPEN, Role.HANDLER)
    dialect = sqlite.dialect()
    select = _fact_select(OfMessage, asked, dialect).select
    (branch,) = [
        each
        for each in permit_branches(policy, Action.LIST, Role.HANDLER, {})
        if "assignment.person" in str(each)
        and "shares_unassigned" not in str(each)
        and "delegation" not in str(each)
    ]
    listed = sa.select(col(Message.id)).where(branch)
    with _town() as town:
        ola = town.capacity("ola", Role.HANDLER, "bv")
        theirs, other = town.message(message_id="m-1"), town.message(message_id="m-2")
        town.assign(theirs, "ola")
        subject = OfMessage(message_id=MessageId(theirs.id))
        yes = _ask(town, policy, ola, subject)
        facts = look_up_facts(town.session, NOW, ola, subject, RequestFacts(), asked)
        assert facts is not None
        not_theirs = _ask(town, policy, ola, replace(subject, message_id=MessageId(other.id)))
        page = fetch_page(
            town.session, policy, NOW, capacity=ola, action=Action.LIST, recheck=Recheck(1)
        )
        ids = [str(row.id) for row in page.rows]
        explained = _explanation(town, policy, ola, subject)
        town.conflict("ola", message_id=theirs.id)
        conflict = _ask(town, policy, ola, subject)
    return {
        "rows": _rows("A09", "D01", "D03"),
        "facts": "\n".join(textwrap.wrap(", ".join(sorted(asked)), WIDTH)),
        "query": _fact_query(select._text),
        "answer": "\n".join(f"{name:<18} {value}" for name, value in sorted(facts.items())),
        "decision": _decision(yes),
        "not-theirs": _decision(not_theirs),
        "conflict": _decision(conflict),
        "list-row": _rows("A08"),
        "branch": _shown(listed.compile(dialect=dialect)),
        "listed": "\n".join(ids),
        "explanation": explained,
    }


def _ask(town: Town, policy: Policy, capacity: Capacity, subject: OfMessage) -> Decision:
    return permit(town.session, policy, NOW, capacity=capacity, action=Action.OPEN, subject=subject)


def written(page: str, made: Mapping[str, str]) -> str:
    """The page with each example as it was made."""

    def fill(found: re.Match[str]) -> str:
        return f"{found[1]}{made[found[2]]}\n{found[4]}"

    return _BLOCK.sub(fill, page)


def names_in(page: str) -> set[str]:
    """The names of the examples that the page shows."""
    return {name for _, name, _, _ in _BLOCK.findall(page)}


def main() -> None:
    """Write the examples into the page."""
    PAGE.write_text(written(PAGE.read_text(), blocks()))


if __name__ == "__main__":
    main()
