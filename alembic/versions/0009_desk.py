"""Queues read oldest first, who has a message in hand, saved views, and the terms of units."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_INDEXES: tuple[tuple[str, str, tuple[str, ...], str | None], ...] = (
    ("ix_arrival_missed", "arrival", ("organisation", "announced_at", "id"), "state = 'MISSED'"),
    ("ix_message_queue", "message", ("organisation", "state", "received_at", "id"), None),
    ("ix_message_held", "message", ("organisation", "held_until"), "held_until IS NOT NULL"),
    ("ix_message_registered", "message", ("organisation", "sender", "registered_at"), None),
    ("ix_task_role", "task", ("role", "opened_at", "id"), "state = 'OPEN'"),
    ("ix_proposal_open", "proposal", ("created_at", "id"), "state = 'OPEN'"),
)


def upgrade() -> None:
    op.create_table(
        "in_hand",
        sa.Column("message_id", sa.String(32), nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_in_hand_message_id_message")
        ),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_in_hand_person_person")),
        sa.PrimaryKeyConstraint("message_id", "person", name=op.f("pk_in_hand")),
    )
    op.create_index(op.f("ix_in_hand_until"), "in_hand", ["until"])
    op.create_table(
        "saved_view",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("queue", sa.String(40), nullable=False),
        sa.Column("filters", sa.String(400), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person"], ["person.id"], name=op.f("fk_saved_view_person_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint(
            "person", "queue", "filters", name=op.f("uq_saved_view_person_queue_filters")
        ),
    )
    op.create_table(
        "unit_terms",
        sa.Column("unit", sa.String(40), nullable=False),
        sa.Column("unopened_hours", sa.Integer(), nullable=False),
        sa.Column("unregistered_days", sa.Integer(), nullable=False),
        sa.Column("opens_minute", sa.Integer(), nullable=False),
        sa.Column("closes_minute", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"], name=op.f("fk_unit_terms_unit_unit")),
        sa.PrimaryKeyConstraint("unit", name=op.f("pk_unit_terms")),
    )
    op.add_column("health_condition", sa.Column("level", sa.String(20), nullable=True))
    for name, table, columns, where in _INDEXES:
        some = None if where is None else sa.text(where)
        op.create_index(name, table, list(columns), sqlite_where=some, postgresql_where=some)


def downgrade() -> None:
    for name, table, _, _ in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
    op.drop_column("health_condition", "level")
    for table in ("unit_terms", "saved_view", "in_hand"):
        op.drop_table(table)
