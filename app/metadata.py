"""What all tables have in common: how their keys are named, and the conditions of their indexes."""

from sqlalchemy import MetaData, String, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NAME = String(63)
ID = String(40)
DUE = text("due_at IS NOT NULL")
WAITS = text("waits_for IS NOT NULL")
BATCHED = text("batch IS NOT NULL")
STEADY = text("kind IN ('mail', 'probe')")
OPEN = text("state NOT IN ('done', 'skipped')")
