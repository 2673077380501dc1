"""People ask for access to a message, and a leader answers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "access_request",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("message_id", sa.String(32), nullable=False),
        sa.Column("unit", sa.String(40), nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=True),
        sa.Column("decided_by", sa.String(32), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name="fk_access_request_message_id_message"
        ),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"], name="fk_access_request_unit_unit"),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_access_request_person_person"),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["person.id"], name="fk_access_request_decided_by_person"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_access_request"),
    )
    op.create_index("ix_access_request_person", "access_request", ["person", "outcome"])
    op.create_index("ix_access_request_message", "access_request", ["message_id", "person"])


def downgrade() -> None:
    op.drop_table("access_request")
