"""Since when something is wrong, and the status by which a neighbour said no."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "health_condition",
        sa.Column("subject", sa.String(540), nullable=False),
        sa.Column("code", sa.String(80), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_by", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("subject", "code", name=op.f("pk_health_condition")),
    )
    op.add_column("pulse", sa.Column("status", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("pulse", "status")
    op.drop_table("health_condition")
