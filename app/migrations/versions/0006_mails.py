"""Error mails: which causes stand, and the mails that tell of them."""

import sqlalchemy as sa
from alembic import op

from app.columns import Instant, Json

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "alarms",
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("cause", sa.String(length=160), nullable=False),
        sa.Column("reason", Json(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("told_at", Instant(), nullable=True),
        sa.Column("gone_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("connection", "cause", name=op.f("pk_alarms")),
    )
    op.create_table(
        "mails",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("content", Json(), nullable=True),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("connection", "identity", name=op.f("uq_mails_connection_identity")),
    )
    op.create_index(op.f("ix_mails_connection_state"), "mails", ["connection", "state"])
