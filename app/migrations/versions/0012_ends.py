"""How many rows a backfill had carried over when it ended: later they may be another one's."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("backfills", sa.Column("done", sa.Integer(), nullable=True))
    op.add_column("backfills", sa.Column("failed", sa.Integer(), nullable=True))
