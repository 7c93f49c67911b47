"""Who may use the bridge, and what they made happen."""

from sqlalchemy import Column, Index, String, Table

from app.columns import Instant, Json
from app.metadata import ID, NAME, metadata

people = Table(
    "people",  # who may use the console, with a password or by the organisation's log-in
    metadata,
    Column("name", NAME, primary_key=True),
    Column("label", String(100)),  # how the organisation's log-in calls them
    Column("password", String(255), nullable=False),  # scrypt; empty: logs in elsewhere
    Column("scope", String(16), nullable=False),  # view | operate | configure
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant),  # the last log-in
    Column("disabled_at", Instant),
)

sessions = Table(
    "sessions",  # one browser that has logged in
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("who_kind", String(16), nullable=False),
    Column("who_id", NAME, nullable=False),
    Column("who_name", String(100), nullable=False),
    Column("scope", String(16), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("expires_at", Instant, nullable=False),
)

admin_keys = Table(
    "admin_keys",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("scope", String(16), nullable=False),  # view | operate | configure
    Column("hash", String(64), nullable=False, unique=True),  # SHA-256; the key is nowhere
    Column("begins", String(16), nullable=False),  # its first characters, to tell keys apart
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
)

audit = Table(
    "audit",  # what people made happen; only ever added to
    metadata,
    Column("id", ID, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("action", String(40), nullable=False),
    Column("connection", NAME),
    Column("who_kind", String(16), nullable=False),
    Column("who_id", ID, nullable=False),
    Column("who_name", String(100), nullable=False),
    Column("origin", String(64), nullable=False),
    Column("facts", Json, nullable=False),
    Index(None, "connection", "id"),
)
