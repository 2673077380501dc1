"""The values that come with a question, and the two shapes that every form is made of."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, String, bindparam, exists
from sqlmodel import SQLModel

from inbox.tables import Utc

Form = ColumnElement[bool]
Bound = sa.BindParameter[str]
LATE_WORD: Final = "late_word"
"""The kind of the task that keeps what a case system said too late."""


def bound(name: str) -> Bound:
    """A text bind parameter; its type is declared because PostgreSQL requires it."""
    return bindparam(name, type_=String())


NOW: Final = bindparam("now", type_=Utc())
CAPACITY: Final = bound("capacity")
PERSON: Final = bound("person")
UNIT: Final = bound("unit")
ROLE: Final = bound("role")
ORGANISATION: Final = bound("organisation")
SYSTEM: Final = bound("case_system")
TARGET: Final = bound("target")
DELIVERY: Final = bound("delivery_id")
PROPOSAL: Final = bound("proposal_id")
TASK: Final = bound("task_id")
SUBJECT_UNIT: Final = bound("unit_id")
POLICY: Final = "policy"
"""The kind of a proposal about access rules, which all organisations here share."""
GRANT: Final = bound("grant_id")


def any_of(table: type[SQLModel], *where: Form) -> Form:
    """An EXISTS over `table`; a column of any other table refers to the enclosing query."""
    return exists(sa.select(sa.literal(1)).select_from(table).where(*where).correlate_except(table))
