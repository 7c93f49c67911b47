"""What a look at a whole list found in Fortnox, for the references of many rows at once."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "looks",
        sa.Column("connection", sa.String(63), nullable=False),
        sa.Column("company", sa.String(64), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=True),
        sa.Column("strangers", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", name="pk_looks"),
    )
