"""The hash of what was sent, which stays when the content is forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("effects", sa.Column("payload_hash", sa.String(length=64), nullable=True))
