"""What people are told, and which processes are alive."""

from sqlalchemy import Column, Index, Integer, String, Table, UniqueConstraint

from app.columns import Instant, Json
from app.metadata import ID, NAME, metadata

alarms = Table(
    "alarms",  # one cause that stands, or stood until just now, and whether it has been told
    metadata,
    Column("connection", NAME, primary_key=True),
    Column("cause", String(160), primary_key=True),
    Column("reason", Json, nullable=False),
    Column("records", Integer, nullable=False),  # the most that stood still for it at once
    Column("since", Instant, nullable=False),
    Column("told_at", Instant),
    Column("gone_at", Instant),
)

mails = Table(
    "mails",
    metadata,
    Column("id", ID, primary_key=True),
    Column("connection", NAME, nullable=False),
    Column("kind", String(16), nullable=False),  # first | daily | solved
    Column("identity", String(64), nullable=False),  # of its Message-ID: cause, kind, and day
    Column("state", String(16), nullable=False),  # waiting | sent | replaced
    Column("content", Json),  # codes, facts and labels; empty once it is out
    Column("made_at", Instant, nullable=False),
    Column("sent_at", Instant),
    UniqueConstraint("connection", "identity"),
    Index(None, "connection", "state"),
)

processes = Table(
    "processes",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)
