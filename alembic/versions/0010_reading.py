"""Reading: when somebody first worked on a message, and which part a person opened, and why."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("message", sa.Column("worked_at", sa.DateTime(timezone=True), nullable=True))
    # Until now only whoever worked on a message was asked about: what was opened was worked on.
    op.execute("UPDATE message SET worked_at = opened_at WHERE unit IS NOT NULL")
    op.add_column("opening", sa.Column("part", sa.String(20), nullable=False, server_default=""))
    op.add_column("opening", sa.Column("rule", sa.String(80), nullable=False, server_default=""))
    op.add_column(
        "opening", sa.Column("gave_reason", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    for name in ("gave_reason", "rule", "part"):
        op.drop_column("opening", name)
    op.drop_column("message", "worked_at")
