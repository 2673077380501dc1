"""The bind parameters of a question, and two building blocks for SQL.

The SQL of every fact is made of these two building blocks.
"""

from typing import Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, String, bindparam, exists
from sqlmodel import SQLModel

from inbox.tables import UtcDateTime

SqlCondition = ColumnElement[bool]
TextParameter = sa.BindParameter[str]
LATE_WORD: Final = "late_word"
"""The kind of the task that keeps what a case system said too late."""


def text_parameter(name: str) -> TextParameter:
    """A text bind parameter; its type is declared because PostgreSQL requires it."""
    return bindparam(name, type_=String())


NOW: Final = bindparam("now", type_=UtcDateTime())
CAPACITY: Final = text_parameter("capacity")
PERSON: Final = text_parameter("person")
UNIT: Final = text_parameter("unit")
ROLE: Final = text_parameter("role")
ORGANISATION: Final = text_parameter("organisation")
CASE_SYSTEM: Final = text_parameter("case_system")
TARGET: Final = text_parameter("target")
DELIVERY: Final = text_parameter("delivery_id")
PROPOSAL: Final = text_parameter("proposal_id")
TASK: Final = text_parameter("task_id")
SUBJECT_UNIT: Final = text_parameter("unit_id")
POLICY_PROPOSAL: Final = "policy"
"""The kind of a proposal about access rules, which all organisations here share."""
GRANT: Final = text_parameter("grant_id")
CONFLICT: Final = text_parameter("conflict_id")
UNASSIGNABLE: Final = "unassignable"
"""The kind of the task about a message that nobody in its unit may assign."""


def row_exists(table: type[SQLModel], *where: SqlCondition) -> SqlCondition:
    """An EXISTS over `table`; a column of any other table refers to the enclosing query."""
    return exists(sa.select(sa.literal(1)).select_from(table).where(*where).correlate_except(table))
