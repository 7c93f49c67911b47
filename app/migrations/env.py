"""Alembic runs on the connection it is given; there is no other way in."""

from alembic import context

from app.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
