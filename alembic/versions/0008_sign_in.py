"""Who people are at identity providers, the codes that bind them, sessions, drafts, languages."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("person", sa.Column("language", sa.String(20), nullable=True))
    op.create_table(
        "identity",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("issuer", sa.String(300), nullable=False),
        sa.Column("subject_hash", sa.String(64), nullable=False),
        sa.Column("bound_by", sa.String(80), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_identity_person_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
    )
    op.create_index(
        "uq_identity_open",
        "identity",
        ["issuer", "subject_hash"],
        unique=True,
        sqlite_where=sa.text("active_until IS NULL"),
        postgresql_where=sa.text("active_until IS NULL"),
    )
    op.create_index("ix_identity_subject", "identity", ["subject_hash"])
    op.create_index("ix_identity_person", "identity", ["person"])
    op.create_table(
        "binding_code",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("issued_by", sa.String(32), nullable=False),
        sa.Column("approved_by", sa.String(32), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("identity", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(
            ["approved_by"], ["person.id"], name=op.f("fk_binding_code_approved_by_person")
        ),
        sa.ForeignKeyConstraint(
            ["identity"], ["identity.id"], name=op.f("fk_binding_code_identity_identity")
        ),
        sa.ForeignKeyConstraint(
            ["issued_by"], ["person.id"], name=op.f("fk_binding_code_issued_by_person")
        ),
        sa.ForeignKeyConstraint(
            ["person"], ["person.id"], name=op.f("fk_binding_code_person_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_binding_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_binding_code_code_hash")),
    )
    op.create_index(op.f("ix_binding_code_person"), "binding_code", ["person"])
    op.create_table(
        "session",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("capacity", sa.String(32), nullable=True),
        sa.Column("identity", sa.String(32), nullable=True),
        sa.Column("provider", sa.String(40), nullable=True),
        sa.Column("issuer", sa.String(300), nullable=True),
        sa.Column("provider_session", sa.String(64), nullable=True),
        sa.Column("provider_subject", sa.String(64), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("vouched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ask_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("strong_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_for", sa.String(80), nullable=True),
        sa.ForeignKeyConstraint(
            ["capacity"], ["capacity.id"], name=op.f("fk_session_capacity_capacity")
        ),
        sa.ForeignKeyConstraint(
            ["identity"], ["identity.id"], name=op.f("fk_session_identity_identity")
        ),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_session_person_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_session_token_hash")),
    )
    op.create_index("ix_session_person", "session", ["person", "ended_at"])
    op.create_index("ix_session_provider", "session", ["issuer", "provider_session"])
    op.create_table(
        "sign_in",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("browser", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
    )
    op.create_index(op.f("ix_sign_in_expires_at"), "sign_in", ["expires_at"])
    op.create_table(
        "draft",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("session", sa.String(32), nullable=False),
        sa.Column("person", sa.String(32), nullable=False),
        sa.Column("capacity", sa.String(32), nullable=True),
        sa.Column("form", sa.String(200), nullable=False),
        sa.Column("sealed_fields", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["capacity"], ["capacity.id"], name=op.f("fk_draft_capacity_capacity")
        ),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_draft_person_person")),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_draft_session_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
    )
    op.create_index(op.f("ix_draft_session"), "draft", ["session"])
    op.create_index(op.f("ix_draft_expires_at"), "draft", ["expires_at"])
    op.create_table(
        "used_logout_token",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_used_logout_token")),
    )
    op.create_index(op.f("ix_used_logout_token_expires_at"), "used_logout_token", ["expires_at"])


def downgrade() -> None:
    for table in ("used_logout_token", "draft", "sign_in", "session", "binding_code", "identity"):
        op.drop_table(table)
    op.drop_column("person", "language")
