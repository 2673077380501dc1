"""A process that answers questions from its standard input, over a database that others change."""

import json
import sys
from collections.abc import Mapping

from inbox import audit
from inbox.access import Action, Capacity, OfMessage, Role, permit
from inbox.access.files.active import ActivePolicies
from inbox.access.lists.pages import permitted_message_ids
from inbox.domain import MessageId, OrgNumber, PersonId, UnitId
from inbox.store import Store, create_engine


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
    with store.reading() as tx:
        policy = policies.current(tx)
        actions = [Action(name) for name in question["actions"].split()]
        allowed = {
            action.value: permit(
                tx, policy, tx.now, capacity=capacity, action=action, subject=subject
            ).allowed
            for action in actions
        }
        listed = tx.execute(permitted_message_ids(policy, capacity, tx.now, Action.LIST)).scalars()
        return allowed | {"listed": subject.message_id in set(listed)}


def main(url: str) -> None:
    """Answer one question a line."""
    store = Store(create_engine(url), seal=audit.seal)
    policies = ActivePolicies()
    for line in sys.stdin:
        sys.stdout.write(f"{json.dumps(answer(store, policies, json.loads(line)))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
