"""A placing that can be undone: where a message goes, who moved it, and where it came from."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_LENGTHS = {
    "placing_unit": 40,
    "placing_state": 20,
    "moved_by": 32,
    "moved_as": 32,
    "moved_with": 80,
    "from_state": 20,
    "from_code": 80,
    "from_unit": 40,
    "from_rule": 80,
}


def upgrade() -> None:
    for name, length in _LENGTHS.items():
        op.add_column("message", sa.Column(name, sa.String(length), nullable=True))
    op.add_column("message", sa.Column("from_transfers", sa.Integer(), nullable=True))


def downgrade() -> None:
    # The program of before knows neither state: what is being placed goes back to where it was.
    op.execute(
        "UPDATE message SET state = from_state, code = from_code, unit = from_unit,"
        " due_at = NULL, leased_until = NULL WHERE state = 'PLACING'"
    )
    op.execute("UPDATE proposal SET state = 'LAPSED' WHERE state = 'DECLINED'")
    op.drop_column("message", "from_transfers")
    for name in reversed(_LENGTHS):
        op.drop_column("message", name)
