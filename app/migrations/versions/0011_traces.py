"""Which trace an event belongs to, so that the work it leads to is part of it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("events", sa.Column("trace", sa.String(length=55), nullable=True))
