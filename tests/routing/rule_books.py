"""Small rule books and metadata: a test says what matters to it, the rest is filled in here."""

from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from inbox.domain import (
    ARKIVMELDING_DOCUMENT_TYPE,
    CONFIDENTIAL_PROCESS,
    Metadata,
    OrgNumber,
    Service,
    UnitId,
)
from inbox.routing.rule_book import RuleBook
from inbox.routing.rule_reader import read_rules, read_unchecked_rules

POLICIES = Path(__file__).parents[2] / "policies"
NAME = "910075918.toml"
TODAY = date(2026, 11, 24)

POLICE = OrgNumber("312100010")
SCHOOL = OrgNumber("312103419")
STRANGER = OrgNumber("312137410")

HEAD = """
[groups]
politi = ["312100010", "312101718"]
skoler = ["312103419"]
[units]
bv = { name = "Barneverntjenesten", called = ["Barnevern"] }
ppt = "PPT"
desk = "Dokumentsenteret"
[desk]
unit = "desk"
"""


def rule(id_: str, when: str, to: str = "bv", more: str = "", release: str = "by a person") -> str:
    return f"""
[[rule]]
id = "{id_}"
because = "Fordi"
when = {when}
to = "{to}"
release = "{release}"
{more}
"""


def a_file(*rules: str) -> bytes:
    return (f"# rows: {len(rules)}" + HEAD + "".join(rules)).encode()


def a_book(*rules: str) -> RuleBook:
    return read_rules(NAME, a_file(*rules))


def a_draft(*rules: str) -> RuleBook:
    return read_unchecked_rules(NAME, a_file(*rules))


@cache
def the_book() -> RuleBook:
    return read_rules(NAME, (POLICIES / "routing" / NAME).read_bytes())


def some_metadata(**changes: Any) -> Metadata:
    given: dict[str, Any] = {
        "channel": "integrasjonspunkt",
        "service": Service.DPO,
        "sender": STRANGER,
        "sender_known": True,
        "signer": STRANGER,
        "on_behalf_of": None,
        "receiver": OrgNumber("910075918"),
        "process": CONFIDENTIAL_PROCESS,
        "document_type": ARKIVMELDING_DOCUMENT_TYPE,
        "received_at": datetime(2026, 11, 24, 8, tzinfo=UTC),
        "document_count": 1,
        "total_bytes": 1000,
    }
    return Metadata(**(given | changes))


BV = UnitId("bv")
PPT = UnitId("ppt")
