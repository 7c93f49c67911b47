"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "backfills",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("direction", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("listed_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_backfills"),
    )
    op.create_index("ix_backfills_connection_id", "backfills", ["connection", "id"], unique=False)
    op.create_table(
        "connections",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("stopped", sa.Text(), nullable=True),
        sa.Column("consented_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_connections"),
    )
    op.create_table(
        "cursors",
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "name", name="pk_cursors"),
    )
    op.create_table(
        "effects",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("work_id", sa.String(length=40), nullable=False),
        sa.Column("system", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("creates", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("target_id", sa.String(length=255), nullable=True),
        sa.Column("prepared_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_effects"),
    )
    op.create_index("ix_effects_work", "effects", ["work_id", "id"], unique=False)
    op.create_index(
        "uq_effects_creates",
        "effects",
        ["connection", "system", "action", "ref", "generation"],
        unique=True,
        postgresql_where=sa.text("creates"),
        sqlite_where=sa.text("creates"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("door", sa.String(length=16), nullable=False),
        sa.Column("identity", sa.String(length=255), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("work_id", sa.String(length=40), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint(
            "connection", "source", "identity", name="uq_events_connection_source_identity"
        ),
    )
    op.create_index("ix_events_connection_id", "events", ["connection", "id"], unique=False)
    op.create_index("ix_events_received_at", "events", ["received_at"], unique=False)
    op.create_index("ix_events_work_id_id", "events", ["work_id", "id"], unique=False)
    op.create_table(
        "grants",
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("needed", sa.Boolean(), nullable=False),
        sa.Column("spending", sa.String(length=64), nullable=True),
        sa.Column("refresh_started_at", sa.BigInteger(), nullable=True),
        sa.Column("lost_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", name="pk_grants"),
    )
    op.create_table(
        "invitations",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("state_hash", name="pk_invitations"),
    )
    op.create_index("ix_invitations_connection", "invitations", ["connection"], unique=False)
    op.create_table(
        "links",
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("severa_id", sa.String(length=80), nullable=False),
        sa.Column("fortnox_id", sa.String(length=80), nullable=False),
        sa.Column("carried", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "kind", "severa_id", name="pk_links"),
        sa.UniqueConstraint(
            "connection", "kind", "fortnox_id", name="uq_links_connection_kind_fortnox_id"
        ),
    )
    op.create_table(
        "outages",
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("system", sa.String(length=16), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("probe_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("connection", "system", name="pk_outages"),
    )
    op.create_table(
        "processes",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_processes"),
    )
    op.create_table(
        "tokens",
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("system", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "system", name="pk_tokens"),
    )
    op.create_table(
        "transfer_log",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("work_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_transfer_log"),
    )
    op.create_index("ix_transfer_log_work_id_id", "transfer_log", ["work_id", "id"], unique=False)
    op.create_table(
        "work",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("claimed_wanted", sa.Integer(), nullable=True),
        sa.Column("claimed_by", sa.String(length=80), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("waits_for", sa.String(length=300), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("batch", sa.String(length=40), nullable=True),
        sa.Column("source_label", sa.String(length=255), nullable=True),
        sa.Column("target_id", sa.String(length=255), nullable=True),
        sa.Column("target_label", sa.String(length=255), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_work"),
        sa.UniqueConstraint("connection", "kind", "key", name="uq_work_connection_kind_key"),
    )
    op.create_index(
        "ix_work_batch",
        "work",
        ["batch", "state"],
        unique=False,
        postgresql_where=sa.text("batch IS NOT NULL"),
        sqlite_where=sa.text("batch IS NOT NULL"),
    )
    op.create_index(
        "ix_work_due",
        "work",
        ["lane", "due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_work_log", "work", ["connection", "received_at", "id"], unique=False)
    op.create_index(
        "ix_work_waits_for",
        "work",
        ["connection", "waits_for"],
        unique=False,
        postgresql_where=sa.text("waits_for IS NOT NULL"),
        sqlite_where=sa.text("waits_for IS NOT NULL"),
    )
    op.create_index(
        "uq_work_running_subject",
        "work",
        ["connection", "subject"],
        unique=True,
        postgresql_where=sa.text("state = 'running'"),
        sqlite_where=sa.text("state = 'running'"),
    )
