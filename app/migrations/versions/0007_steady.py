"""An index of the few rows that run for a stopped connection, however much it has waiting."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    steady = sa.text("kind IN ('mail', 'probe')")
    op.create_index(
        "ix_work_steady",
        "work",
        ["connection", "due_at"],
        unique=False,
        postgresql_where=steady,
        sqlite_where=steady,
    )
