"""How often the personal code of somebody was refused lately, so that guessing slows down."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "refused_sign_in",
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_refused_sign_in")),
    )


def downgrade() -> None:
    op.drop_table("refused_sign_in")
