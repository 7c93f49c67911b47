"""The first tables, as they stand in the models of this version."""

from alembic import op

from app.models import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
