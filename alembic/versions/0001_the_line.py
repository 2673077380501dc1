"""The line: arrivals, messages, deliveries, receipts, outbox, tasks; directory, keys and audit."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "policy_version",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("files", sa.LargeBinary(), nullable=False),
        sa.Column("replaces", sa.String(length=32), nullable=True),
        sa.Column("diff_digest", sa.String(length=64), nullable=True),
        sa.Column("proposed_by", sa.String(length=32), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.String(length=32), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("activated_by", sa.String(length=32), nullable=True),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rolled_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["replaces"],
            ["policy_version.id"],
            name=op.f("fk_policy_version_replaces_policy_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_version")),
    )
    op.create_index("ix_policy_version_kind", "policy_version", ["kind", "digest"], unique=False)
    op.create_table(
        "active_policy",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=True),
        sa.Column("approved_by", sa.String(length=32), nullable=True),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["version"], ["policy_version.id"], name=op.f("fk_active_policy_version_policy_version")
        ),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_active_policy")),
    )
    op.create_table(
        "audit_entry",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_message_id"), "audit_entry", ["message_id"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_node",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_audit_node")),
    )
    op.create_table(
        "audit_salt",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("seq", "name", name=op.f("pk_audit_salt")),
    )
    op.create_index(op.f("ix_audit_salt_message_id"), "audit_salt", ["message_id"], unique=False)
    op.create_table(
        "case_system",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=True),
        sa.Column("webhook_url", sa.String(length=300), nullable=True),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_system")),
    )
    op.create_index(op.f("ix_case_system_key_hash"), "case_system", ["key_hash"], unique=False)
    op.create_table(
        "checkpoint",
        sa.Column(
            "size",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(length=100), nullable=False),
        sa.Column("key_proof", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("people_enrolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "list_address",
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_list_address")),
    )
    op.create_table(
        "fetched_list",
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("authority", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("this_update", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_update", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address", "authority", name=op.f("pk_fetched_list")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_table(
        "pulse",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pulse")),
    )
    op.create_table(
        "wrapped_key",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("kek_id", sa.String(length=40), nullable=True),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wrapped_key")),
    )
    op.create_table(
        "clearance",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("shielding", sa.String(length=40), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_clearance_person_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearance")),
    )
    op.create_index("ix_clearance_person", "clearance", ["person", "shielding"], unique=False)
    op.create_table(
        "proposal",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("proposer", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=True),
        sa.Column("sealed_payload", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approver", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["approver"], ["person.id"], name=op.f("fk_proposal_approver_person")
        ),
        sa.ForeignKeyConstraint(
            ["proposer"], ["person.id"], name=op.f("fk_proposal_proposer_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
    )
    op.create_index(op.f("ix_proposal_subject_id"), "proposal", ["subject_id"], unique=False)
    op.create_table(
        "unit",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("parent", sa.String(length=40), nullable=True),
        sa.Column("case_system", sa.String(length=40), nullable=True),
        sa.Column("shares_unassigned", sa.Boolean(), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("successor", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_system"], ["case_system.id"], name=op.f("fk_unit_case_system_case_system")
        ),
        sa.ForeignKeyConstraint(["parent"], ["unit.id"], name=op.f("fk_unit_parent_unit")),
        sa.ForeignKeyConstraint(["successor"], ["unit.id"], name=op.f("fk_unit_successor_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
    )
    op.create_table(
        "capacity",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_capacity_person_person")),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"], name=op.f("fk_capacity_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capacity")),
    )
    op.create_index("ix_capacity_person", "capacity", ["person", "unit", "role"], unique=False)
    op.create_table(
        "known_reference",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("counterparty", sa.String(length=9), nullable=False),
        sa.Column("reference_hash", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"], name=op.f("fk_known_reference_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_reference")),
        sa.UniqueConstraint(
            "organisation",
            "counterparty",
            "reference_hash",
            name=op.f("uq_known_reference_organisation_counterparty_reference_hash"),
        ),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=True),
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("service", sa.String(length=20), nullable=False),
        sa.Column("wire_id", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("object_name", sa.String(length=80), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_envelope", sa.LargeBinary(), nullable=True),
        sa.Column("shares_wire_id", sa.Boolean(), nullable=False),
        sa.Column("sender", sa.String(length=9), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document_count", sa.Integer(), nullable=True),
        sa.Column("total_bytes", sa.BigInteger(), nullable=True),
        sa.Column("shielding", sa.String(length=40), nullable=True),
        sa.Column("documents_hash", sa.String(length=64), nullable=True),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("waivers", sa.String(), nullable=False),
        sa.Column("missing", sa.String(), nullable=True),
        sa.Column("sealed_metadata", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_archive", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_documents", sa.LargeBinary(), nullable=True),
        sa.Column("unit", sa.String(length=40), nullable=True),
        sa.Column("rule", sa.String(length=80), nullable=True),
        sa.Column("book", sa.String(length=64), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("transfers", sa.Integer(), nullable=False),
        sa.Column("released_by", sa.String(length=32), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_for", sa.String(length=20), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("registered_by", sa.String(length=20), nullable=True),
        sa.Column("sealed_reference", sa.LargeBinary(), nullable=True),
        sa.Column("duplicate_of", sa.String(length=32), nullable=True),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["duplicate_of"], ["message.id"], name=op.f("fk_message_duplicate_of_message")
        ),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"], name=op.f("fk_message_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index(op.f("ix_message_documents_hash"), "message", ["documents_hash"], unique=False)
    op.create_index(op.f("ix_message_due_at"), "message", ["due_at"], unique=False)
    op.create_index("ix_message_newest", "message", ["received_at", "id"], unique=False)
    op.create_index(
        "ix_message_organisation", "message", ["organisation", "received_at", "id"], unique=False
    )
    op.create_index(op.f("ix_message_sender"), "message", ["sender"], unique=False)
    op.create_index("ix_message_state", "message", ["state", "received_at"], unique=False)
    op.create_index("ix_message_unit", "message", ["unit", "received_at", "id"], unique=False)
    op.create_index(
        "ix_message_wire", "message", ["organisation", "channel", "wire_id"], unique=False
    )
    op.create_index(
        "uq_message_first",
        "message",
        ["organisation", "channel", "wire_id"],
        unique=True,
        sqlite_where=sa.text("shares_wire_id = 0"),
        postgresql_where=sa.text("NOT shares_wire_id"),
    )
    op.create_table(
        "arrival",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("service", sa.String(length=20), nullable=False),
        sa.Column("organisation", sa.String(length=9), nullable=False),
        sa.Column("wire_id", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_as", sa.String(length=20), nullable=True),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sealed_envelope", sa.LargeBinary(), nullable=True),
        sa.Column("message_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_arrival_message_id_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrival")),
    )
    op.create_index(op.f("ix_arrival_due_at"), "arrival", ["due_at"], unique=False)
    op.create_index(op.f("ix_arrival_message_id"), "arrival", ["message_id"], unique=False)
    op.create_index("ix_arrival_wire", "arrival", ["organisation", "wire_id"], unique=False)
    op.create_index(
        "uq_arrival_notice",
        "arrival",
        ["channel", "service", "organisation", "wire_id"],
        unique=True,
        sqlite_where=sa.text("state NOT IN ('CONFIRMED', 'ABANDONED')"),
        postgresql_where=sa.text("state NOT IN ('CONFIRMED', 'ABANDONED')"),
    )
    op.create_table(
        "assignment",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_assignment_message_id_message")
        ),
        sa.ForeignKeyConstraint(
            ["person"], ["person.id"], name=op.f("fk_assignment_person_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    op.create_index(
        "ix_assignment_message",
        "assignment",
        ["message_id", "active_until", "person"],
        unique=False,
    )
    op.create_index(
        "ix_assignment_person", "assignment", ["person", "active_until", "message_id"], unique=False
    )
    op.create_table(
        "conflict_of_interest",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=True),
        sa.Column("sender", sa.String(length=9), nullable=True),
        sa.Column("reference_hash", sa.String(length=64), nullable=True),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_conflict_of_interest_message_id_message")
        ),
        sa.ForeignKeyConstraint(
            ["person"], ["person.id"], name=op.f("fk_conflict_of_interest_person_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflict_of_interest")),
    )
    op.create_index(
        "ix_conflict_person",
        "conflict_of_interest",
        ["person", "message_id", "sender"],
        unique=False,
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("case_system", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.String(length=80), nullable=True),
        sa.Column("word_hash", sa.String(length=64), nullable=True),
        sa.Column("sealed_text", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_system"], ["case_system.id"], name=op.f("fk_delivery_case_system_case_system")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_delivery_message_id_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("message_id", "number", name=op.f("uq_delivery_message_id_number")),
    )
    op.create_index(
        "ix_delivery_of_system",
        "delivery",
        ["case_system", "state", "offered_at", "id"],
        unique=False,
    )
    op.create_index(
        "uq_delivery_standing",
        "delivery",
        ["message_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('OPEN', 'COLLECTED')"),
        postgresql_where=sa.text("state IN ('OPEN', 'COLLECTED')"),
    )
    op.create_table(
        "receipt",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("answers", sa.String(length=260), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=True),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_receipt_message_id_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
    )
    op.create_index(op.f("ix_receipt_due_at"), "receipt", ["due_at"], unique=False)
    op.create_index(op.f("ix_receipt_message_id"), "receipt", ["message_id"], unique=False)
    op.create_index(
        "uq_receipt_answers",
        "receipt",
        ["answers"],
        unique=True,
        sqlite_where=sa.text("state != 'IMPOSSIBLE'"),
        postgresql_where=sa.text("state != 'IMPOSSIBLE'"),
    )
    op.create_table(
        "task",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=200), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=True),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=True),
        sa.Column("sealed_text", sa.LargeBinary(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_task_message_id_message")
        ),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"], name=op.f("fk_task_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index(op.f("ix_task_message_id"), "task", ["message_id"], unique=False)
    op.create_index(
        "uq_task_open",
        "task",
        ["kind", "subject_id"],
        unique=True,
        sqlite_where=sa.text("state = 'OPEN'"),
        postgresql_where=sa.text("state = 'OPEN'"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("case_system", sa.String(length=40), nullable=False),
        sa.Column("delivery_id", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_system"], ["case_system.id"], name=op.f("fk_outbox_case_system_case_system")
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_outbox_delivery_id_delivery")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_outbox_message_id_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_delivery_id"), "outbox", ["delivery_id"], unique=False)
    op.create_index(op.f("ix_outbox_due_at"), "outbox", ["due_at"], unique=False)

    op.create_table(
        "delegation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("absent", sa.String(length=32), nullable=False),
        sa.Column("substitute", sa.String(length=32), nullable=False),
        sa.Column("given_by", sa.String(length=32), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["absent"], ["person.id"], name=op.f("fk_delegation_absent_person")
        ),
        sa.ForeignKeyConstraint(
            ["given_by"], ["person.id"], name=op.f("fk_delegation_given_by_person")
        ),
        sa.ForeignKeyConstraint(
            ["substitute"], ["person.id"], name=op.f("fk_delegation_substitute_person")
        ),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"], name=op.f("fk_delegation_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    op.create_index(
        "ix_delegation_substitute", "delegation", ["substitute", "unit", "absent"], unique=False
    )
    op.create_table(
        "unit_above",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("above", sa.String(length=40), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["above"], ["unit.id"], name=op.f("fk_unit_above_above_unit")),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"], name=op.f("fk_unit_above_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_above")),
    )
    op.create_index("ix_unit_above_unit", "unit_above", ["unit", "above"], unique=False)
    op.create_table(
        "access_grant",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("given_by", sa.String(length=32), nullable=False),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=False),
        sa.Column("active_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.String(length=32), nullable=True),
        sa.Column("review", sa.String(length=80), nullable=True),
        sa.Column("sealed_review", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["given_by"], ["person.id"], name=op.f("fk_access_grant_given_by_person")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_access_grant_message_id_message")
        ),
        sa.ForeignKeyConstraint(
            ["person"], ["person.id"], name=op.f("fk_access_grant_person_person")
        ),
        sa.ForeignKeyConstraint(
            ["reviewed_by"], ["person.id"], name=op.f("fk_access_grant_reviewed_by_person")
        ),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"], name=op.f("fk_access_grant_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_grant")),
    )
    op.create_index(
        "ix_access_grant_message", "access_grant", ["message_id", "person"], unique=False
    )
    op.create_index(
        "ix_access_grant_person", "access_grant", ["person", "kind", "message_id"], unique=False
    )
    op.create_table(
        "message_reference",
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("reference_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_message_reference_message_id_message")
        ),
        sa.PrimaryKeyConstraint("message_id", "reference_hash", name=op.f("pk_message_reference")),
    )
    op.create_table(
        "opening",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_opening_message_id_message")
        ),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_opening_person_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening")),
    )
    op.create_index(op.f("ix_opening_message_id"), "opening", ["message_id"], unique=False)
    op.create_index("ix_opening_person", "opening", ["person", "opened_at"], unique=False)
    op.create_table(
        "note",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("shielding", sa.String(length=40), nullable=True),
        sa.Column("sealed_text", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_note_message_id_message")
        ),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_note_person_person")),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"], name=op.f("fk_note_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
        sa.UniqueConstraint("message_id", "number", name=op.f("uq_note_message_id_number")),
    )


def downgrade() -> None:
    op.drop_table("note")
    op.drop_index("ix_opening_person", table_name="opening")
    op.drop_index(op.f("ix_opening_message_id"), table_name="opening")
    op.drop_table("opening")
    op.drop_table("message_reference")
    op.drop_index("ix_access_grant_person", table_name="access_grant")
    op.drop_index("ix_access_grant_message", table_name="access_grant")
    op.drop_table("access_grant")
    op.drop_index("ix_unit_above_unit", table_name="unit_above")
    op.drop_table("unit_above")
    op.drop_index("ix_delegation_substitute", table_name="delegation")
    op.drop_table("delegation")
    op.drop_index(op.f("ix_outbox_due_at"), table_name="outbox")
    op.drop_index(op.f("ix_outbox_delivery_id"), table_name="outbox")
    op.drop_table("outbox")
    op.drop_index(
        "uq_task_open",
        table_name="task",
        sqlite_where=sa.text("state = 'OPEN'"),
        postgresql_where=sa.text("state = 'OPEN'"),
    )
    op.drop_index(op.f("ix_task_message_id"), table_name="task")
    op.drop_table("task")
    op.drop_index(
        "uq_receipt_answers",
        table_name="receipt",
        sqlite_where=sa.text("state != 'IMPOSSIBLE'"),
        postgresql_where=sa.text("state != 'IMPOSSIBLE'"),
    )
    op.drop_index(op.f("ix_receipt_message_id"), table_name="receipt")
    op.drop_index(op.f("ix_receipt_due_at"), table_name="receipt")
    op.drop_table("receipt")
    op.drop_index(
        "uq_delivery_standing",
        table_name="delivery",
        sqlite_where=sa.text("state IN ('OPEN', 'COLLECTED')"),
        postgresql_where=sa.text("state IN ('OPEN', 'COLLECTED')"),
    )
    op.drop_index("ix_delivery_of_system", table_name="delivery")
    op.drop_table("delivery")
    op.drop_index("ix_conflict_person", table_name="conflict_of_interest")
    op.drop_table("conflict_of_interest")
    op.drop_index("ix_assignment_person", table_name="assignment")
    op.drop_index("ix_assignment_message", table_name="assignment")
    op.drop_table("assignment")
    op.drop_index(
        "uq_arrival_notice",
        table_name="arrival",
        sqlite_where=sa.text("state NOT IN ('CONFIRMED', 'ABANDONED')"),
        postgresql_where=sa.text("state NOT IN ('CONFIRMED', 'ABANDONED')"),
    )
    op.drop_index("ix_arrival_wire", table_name="arrival")
    op.drop_index(op.f("ix_arrival_message_id"), table_name="arrival")
    op.drop_index(op.f("ix_arrival_due_at"), table_name="arrival")
    op.drop_table("arrival")
    op.drop_index(
        "uq_message_first",
        table_name="message",
        sqlite_where=sa.text("shares_wire_id = 0"),
        postgresql_where=sa.text("NOT shares_wire_id"),
    )
    op.drop_index("ix_message_wire", table_name="message")
    op.drop_index("ix_message_unit", table_name="message")
    op.drop_index("ix_message_state", table_name="message")
    op.drop_index(op.f("ix_message_sender"), table_name="message")
    op.drop_index("ix_message_organisation", table_name="message")
    op.drop_index("ix_message_newest", table_name="message")
    op.drop_index(op.f("ix_message_due_at"), table_name="message")
    op.drop_index(op.f("ix_message_documents_hash"), table_name="message")
    op.drop_table("message")
    op.drop_table("known_reference")
    op.drop_index("ix_capacity_person", table_name="capacity")
    op.drop_table("capacity")
    op.drop_table("unit")
    op.drop_index(op.f("ix_proposal_subject_id"), table_name="proposal")
    op.drop_table("proposal")
    op.drop_index("ix_clearance_person", table_name="clearance")
    op.drop_table("clearance")
    op.drop_table("wrapped_key")
    op.drop_table("pulse")
    op.drop_table("person")
    op.drop_table("fetched_list")
    op.drop_table("list_address")
    op.drop_table("installation")
    op.drop_table("checkpoint")
    op.drop_index(op.f("ix_case_system_key_hash"), table_name="case_system")
    op.drop_table("case_system")
    op.drop_index(op.f("ix_audit_salt_message_id"), table_name="audit_salt")
    op.drop_table("audit_salt")
    op.drop_table("audit_node")
    op.drop_table("audit_head")
    op.drop_index(op.f("ix_audit_entry_message_id"), table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_table("active_policy")
    op.drop_index("ix_policy_version_kind", table_name="policy_version")
    op.drop_table("policy_version")
