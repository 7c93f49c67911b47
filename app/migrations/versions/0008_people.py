"""People who are shut out for a while, who log in elsewhere, and when each was last seen."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("people", sa.Column("label", sa.String(length=100), nullable=True))
    op.add_column("people", sa.Column("seen_at", sa.BigInteger(), nullable=True))
    op.add_column("people", sa.Column("disabled_at", sa.BigInteger(), nullable=True))
