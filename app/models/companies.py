"""A company that is connected, and its access to both systems."""

from sqlalchemy import Boolean, Column, Integer, String, Table, Text

from app.columns import Instant, Json
from app.metadata import NAME, metadata

connections = Table(
    "connections",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("document", Json, nullable=False),  # the settings, without any secret
    Column("secrets", Text, nullable=False),  # sealed
    Column("active", Boolean, nullable=False),
    Column("stopped", Json),  # the reason why nothing of this connection can go through
    Column("consented_at", Instant),  # when a Fortnox administrator last let us in by the link
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("deleted_at", Instant),
)

tokens = Table(
    "tokens",
    metadata,
    Column("connection", NAME, primary_key=True),
    Column("system", String(16), primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

invitations = Table(
    "invitations",  # links by which a Fortnox administrator may let us in
    metadata,
    Column("state_hash", String(64), primary_key=True),
    Column("connection", NAME, nullable=False, index=True),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

grants = Table(
    "grants",  # what came of it: a refresh token, for apps that have no other way
    metadata,
    Column("connection", NAME, primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("needed", Boolean, nullable=False),  # client credentials were refused for this app
    Column("spending", String(64)),  # SHA-256 of the refresh token that is being spent
    Column("refresh_started_at", Instant),
    Column("lost_at", Instant),  # no call is made with it any more
    Column("updated_at", Instant, nullable=False),
)

outages = Table(
    "outages",
    metadata,
    Column("connection", NAME, primary_key=True),
    Column("system", String(16), primary_key=True),
    Column("failures", Integer, nullable=False),  # calls in a row without an answer
    Column("since", Instant, nullable=False),
    Column("probe_at", Instant),  # set while the circuit is open
)

cursors = Table(
    "cursors",
    metadata,
    Column("connection", NAME, primary_key=True),  # empty where it belongs to all of them
    Column("name", String(80), primary_key=True),  # listener:<topic>, poll:<system>:<register>
    Column("value", Text, nullable=False),  # an offset, or an instant, as the other side writes it
    Column("seen_at", Instant),  # when it last told us something
    Column("updated_at", Instant, nullable=False),  # when it was last asked
)
