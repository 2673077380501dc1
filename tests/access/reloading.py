"""A process that asks while the active policy changes, or whenever it is told to: see `main`."""

import json
import sys
import threading
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from inbox import audit
from inbox.access import Action, Capacity, OfMessage, Policy, Role, permit
from inbox.access.active import ActivePolicies
from inbox.access.facts import FACTS, facts_of
from inbox.access.listing import visible
from inbox.message import MessageId, OrgNumber, PersonId, UnitId
from inbox.store import Store, create_engine
from inbox.tables import ActivePolicy
from tests.access.town import policy_files

THREADS = 4
_NEITHER = dict.fromkeys(FACTS, False)
_ASSIGNED = _NEITHER | {"assigned": True}
_MODEL = (
    *("model.conf", "facts.toml", "vocabulary.toml"),
    *("shielding.toml", "tests/shielding.toml"),
)
_CASE = """
[[case]]
name = "{name}"
role = "handler"
with = ["{held}"]
expect = {{ open = "{answer}" }}
"""


def folder_files(when: str, answers: tuple[str, str]) -> dict[str, bytes]:
    """A whole policy folder whose one rule that allows is this; the answers with and without."""
    files = {name: policy_files()[name] for name in _MODEL}
    told = tomllib.loads(files["vocabulary.toml"].decode())["never_overridden"]
    never = [fact for fact in told if fact in facts_of(OfMessage)]
    files["vocabulary.toml"] = files["vocabulary.toml"].replace(
        json.dumps(told).encode(), json.dumps(never).encode()
    )
    denied = {fact: f"D0{number}" for number, fact in enumerate(never, 1)}
    deny = "".join(f"p, {rule}, open, *, {fact}, none, deny\n" for fact, rule in denied.items())
    cases = [
        _CASE.format(name=held, held=held, answer=answer)
        for held, answer in (
            ("assigned", answers[0]),
            ("unassigned", answers[1]),
            *((fact, f"deny {rule}") for fact, rule in denied.items()),
        )
    ]
    texts = {
        "allow.csv": f"# rows: 1\np, A01, open, handler, {when}, none, allow\n",
        "deny.csv": f"# rows: {len(denied)}\n{deny}",
        "invariants.txt": "# rows: 1\nopen implies role:handler\n",
        "tests/access.toml": f"# rows: {len(cases)}\nbase = []\n{''.join(cases)}",
    }
    return files | {name: text.encode() for name, text in texts.items()}


ONE = folder_files("assigned", ("allow A01", "no"))
OTHER = folder_files("not assigned", ("no", "allow A01"))
"""Whatever the one allows, the other does not."""


def put(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files one after the other, each begun empty: a reader may come at any moment."""
    for name, raw in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(raw[: len(raw) // 2])
            file.flush()
            file.write(raw[len(raw) // 2 :])


def _digest(session: Session) -> str:
    row = session.get(ActivePolicy, "access", populate_existing=True)
    return "" if row is None else row.digest


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Threads of one process that share its policies, as requests do."""

    store: Store
    policies: ActivePolicies
    one: str
    other: str

    def judged(self, policy: Policy, named: set[str]) -> str:
        """What a policy answers to both questions, or `wrong`; `named` is what the row named."""
        decisions = [
            policy.decide(Role.HANDLER, facts, Action.OPEN) for facts in (_ASSIGNED, _NEITHER)
        ]
        answers = tuple(decision.allowed for decision in decisions)
        if {decision.digest for decision in decisions} - named:
            return "wrong: a policy that was not named"
        rules = {decision.rule for decision in decisions}
        if rules == {"nobody"} and answers == (False, False):
            return "nobody"
        wanted = {self.one: (True, False), self.other: (False, True)}.get(policy.digest)
        if answers != wanted:
            return f"wrong: {answers} by {sorted(rules)}"
        return "one" if policy.digest == self.one else "other"

    def ask(self, seen: Counter[str], decisions: int) -> None:
        """Two decisions a transaction, until there are so many."""
        while seen.total() * 2 < decisions:
            with self.store.reading() as (session, _):
                named = {_digest(session)}
                policy = self.policies.current(session)
                named.add(_digest(session))
            seen[self.judged(policy, named)] += 1


def ask_in_threads(asker: Asker, decisions: int) -> Counter[str]:
    """What was answered, by all threads."""
    counters = [Counter[str]() for _ in range(THREADS)]
    threads = [
        threading.Thread(target=asker.ask, args=(counter, decisions // THREADS))
        for counter in counters
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counters, Counter())


def answer(store: Store, policies: ActivePolicies, question: Mapping[str, str]) -> dict[str, bool]:
    """What a person in a capacity may do to a message now; and whether it is listed."""
    capacity = Capacity(
        id=question["capacity"],
        person=PersonId(question["person"]),
        unit=UnitId(question["unit"]),
        role=Role(question["role"]),
        organisation=OrgNumber(question["organisation"]),
    )
    subject = OfMessage(message_id=MessageId(question["message"]))
    with store.reading() as (session, now):
        policy = policies.current(session)
        actions = [Action(name) for name in question["actions"].split()]
        allowed = {
            action.value: permit(
                session, policy, now, capacity=capacity, action=action, subject=subject
            ).allowed
            for action in actions
        }
        listed = session.execute(visible(policy, capacity, now, Action.LIST)).scalars()
        return allowed | {"listed": subject.message_id in set(listed)}


def main(url: str, folder: str, one: str, other: str, decisions: str) -> None:
    """Ask so many times and say what was answered; or, for 0, answer one question a line."""
    store = Store(create_engine(url), seal=audit.seal)
    policies = ActivePolicies(Path(folder))
    if int(decisions):
        asker = Asker(store=store, policies=policies, one=one, other=other)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        said: object = ask_in_threads(asker, int(decisions))
        sys.stdout.write(f"{json.dumps(said)}\n")
        return
    for line in sys.stdin:
        sys.stdout.write(f"{json.dumps(answer(store, policies, json.loads(line)))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
