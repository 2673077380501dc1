"""Asks, before a database is upgraded, whether this program can read the policy that is active.

A policy that uses a name which this program does not know cannot be read, and everything would be
denied until two people had put another in its place. So nothing is upgraded: the program of before
decides on, and the policy is changed with it first.
"""

from typing import Final

import sqlalchemy as sa

from inbox.access.files.active import POLICY_KIND
from inbox.access.files.folder import read_policy_version
from inbox.access.files.versions import (
    DigestRule,
    FilesOfVersion,
    read_digest_rule,
    unpack_files,
)
from inbox.access.policy.names import Vocabulary
from inbox.errors import PolicyError

_ADVICE: Final = (
    "nothing is upgraded: with the program of before, let two people activate a policy without it,"
    " and upgrade then; see Upgrade in docs/operators.md"
)
_RULE_COLUMN: Final = "digest_rule"


def check_active_policy(connection: sa.Connection, vocabulary: Vocabulary | None = None) -> None:
    """Raise `PolicyError` if this program could not read the policy that is active.

    The database may be of any version of its tables, or empty.
    """
    version = _active_version(connection)
    if version is None:
        return
    try:
        read_policy_version(version, vocabulary)
    except PolicyError as error:
        reason = f"the active policy cannot be read: {error.reason}; {_ADVICE}"
        raise PolicyError(error.code, reason) from error


def _active_version(connection: sa.Connection) -> FilesOfVersion | None:
    """The files of the active policy; None if there are none, or none that can be unpacked.

    What is damaged was denied by the program of before too, so there is nothing to lose.
    """
    inspected = sa.inspect(connection)
    if not inspected.has_table("active_policy"):
        return None
    columns = {column["name"] for column in inspected.get_columns("policy_version")}
    kept = sa.table("policy_version", *map(sa.column, sorted(columns)))
    active = sa.table("active_policy", sa.column("kind"), sa.column("version"))
    oldest = sa.literal(DigestRule.DECIDING_FILES.value)
    rule = kept.c[_RULE_COLUMN] if _RULE_COLUMN in columns else oldest
    query = (
        sa.select(kept.c.files, rule)
        .join_from(kept, active, active.c.version == kept.c.id)
        .where(active.c.kind == POLICY_KIND)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    try:
        return FilesOfVersion(files=unpack_files(row[0]), digest_rule=read_digest_rule(row[1]))
    except PolicyError:
        return None
