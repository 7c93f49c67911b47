"""Indexes by which rows are found connection by connection."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    due = sa.text("due_at IS NOT NULL")
    op.drop_index("ix_work_due", "work")
    op.create_index(
        "ix_work_turn",
        "work",
        ["connection", "lane", "due_at"],
        unique=False,
        postgresql_where=due,
        sqlite_where=due,
    )
    op.create_index("ix_work_served", "work", ["connection", "started_at"], unique=False)
    op.create_index("ix_effects_latest", "effects", ["connection", "id"], unique=False)
