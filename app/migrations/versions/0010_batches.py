"""What a backfill or a retry of many set going can be taken back, as long as it has not begun."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("backfills", sa.Column("cancelled_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "batch_rows",
        sa.Column("batch", sa.String(length=40), nullable=False),
        sa.Column("work_id", sa.String(length=40), nullable=False),
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("waits_for", sa.String(length=300), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("batch", "work_id", name=op.f("pk_batch_rows")),
    )
