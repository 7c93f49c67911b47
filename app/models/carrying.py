"""What was heard, what is to be looked at, what was written, and what came of it."""

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)

from app.columns import Instant, Json
from app.metadata import BATCHED, DUE, ID, NAME, OPEN, STEADY, WAITS, metadata

events = Table(
    "events",
    metadata,
    Column("id", ID, primary_key=True),
    Column("connection", NAME, nullable=False),
    Column("source", String(16), nullable=False),
    Column("door", String(16), nullable=False),
    Column("identity", String(255), nullable=False),
    Column("body_hash", String(64), nullable=False),
    Column("body", LargeBinary),  # as it came; empty once the retention time is over
    Column("type", String(100), nullable=False),
    Column("status", String(16), nullable=False),  # accepted | ignored
    Column("reason", String(64)),
    Column("work_id", ID),
    Column("received_at", Instant, nullable=False),
    Column("trace", String(55)),  # W3C traceparent of what brought it, where traces are on
    UniqueConstraint("connection", "source", "identity"),
    Index(None, "work_id", "id"),
    Index(None, "connection", "id"),
    Index(None, "received_at"),
)

work = Table(
    "work",
    metadata,
    Column("id", ID, primary_key=True),
    Column("connection", NAME, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("key", String(255), nullable=False),
    Column("subject", String(300), nullable=False),  # never two running rows with the same one
    Column("lane", SmallInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("wanted", Integer, nullable=False),  # grows with every event
    Column("claimed_wanted", Integer),  # what it was when the run began
    Column("claimed_by", String(80)),
    Column("due_at", Instant),
    Column("attempts", Integer, nullable=False),  # runs ever begun
    Column("tries", Integer, nullable=False),  # runs in a row that did not go through
    Column("failing_since", Instant),
    Column("waits_for", String(300)),
    Column("reason", Json),
    Column("batch", ID),  # the backfill that wanted it last
    Column("source_label", String(255)),
    Column("target_id", String(255)),
    Column("target_label", String(255)),
    Column("received_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("settled_at", Instant),
    UniqueConstraint("connection", "kind", "key"),
    Index("ix_work_turn", "connection", "lane", "due_at", postgresql_where=DUE, sqlite_where=DUE),
    Index(
        "uq_work_running_subject",
        "connection",
        "subject",
        unique=True,
        postgresql_where=text("state = 'running'"),
        sqlite_where=text("state = 'running'"),
    ),
    Index(
        "ix_work_waits_for", "connection", "waits_for", postgresql_where=WAITS, sqlite_where=WAITS
    ),
    Index("ix_work_steady", "connection", "due_at", postgresql_where=STEADY, sqlite_where=STEADY),
    Index("ix_work_served", "connection", "started_at"),
    Index("ix_work_log", "connection", "received_at", "id"),
    Index("ix_work_stuck", "connection", "state", postgresql_where=OPEN, sqlite_where=OPEN),
    Index("ix_work_batch", "batch", "state", postgresql_where=BATCHED, sqlite_where=BATCHED),
)

effects = Table(
    "effects",
    metadata,
    Column("id", ID, primary_key=True),
    Column("connection", NAME, nullable=False),
    Column("work_id", ID, nullable=False),
    Column("system", String(16), nullable=False),
    Column("action", String(40), nullable=False),
    Column("ref", String(120), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("creates", Boolean, nullable=False),
    Column("state", String(16), nullable=False),  # prepared | sending | done | refused
    Column("payload", Json),
    Column("payload_hash", String(64)),  # SHA-256, once the retention time is over
    Column("sends", Integer, nullable=False),  # of unknown outcome, the present one included
    Column("looks", Integer, nullable=False),  # empty looks since the last attempt
    Column("not_before", Instant),
    Column("target_id", String(255)),
    Column("prepared_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("settled_at", Instant),
    Index("ix_effects_work", "work_id", "id"),
    Index("ix_effects_latest", "connection", "id"),
    Index(
        "uq_effects_creates",
        "connection",
        "system",
        "action",
        "ref",
        "generation",
        unique=True,
        postgresql_where=text("creates"),
        sqlite_where=text("creates"),
    ),
)

links = Table(
    "links",
    metadata,
    Column("connection", NAME, primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("severa_id", String(80), primary_key=True),
    Column("fortnox_id", String(80), nullable=False),
    Column("carried", Json, nullable=False),  # what was last carried over
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("connection", "kind", "fortnox_id"),
)

looks = Table(
    "looks",  # at whole lists in Fortnox, for the references of many rows at once
    metadata,
    Column("connection", NAME, primary_key=True),
    Column("company", String(64), nullable=False),  # whose books: another company's say nothing
    Column("asked_at", Instant, nullable=False),  # when a look was last begun
    Column("looked_at", Instant),  # when the last one that is believed was begun
    Column("strangers", Json, nullable=False),  # references there that we did not put there
)

transfer_log = Table(
    "transfer_log",
    metadata,
    Column("id", ID, primary_key=True),
    Column("connection", NAME, nullable=False),
    Column("work_id", ID, nullable=False),
    Column("at", Instant, nullable=False),
    Column("what", String(64), nullable=False),
    Column("facts", Json, nullable=False),
    Index(None, "work_id", "id"),
)

backfills = Table(
    "backfills",
    metadata,
    Column("id", ID, primary_key=True),
    Column("connection", NAME, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("direction", String(32), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("listed_at", Instant),  # when the whole register had been read
    Column("finished_at", Instant),
    Column("cancelled_at", Instant),
    Column("done", Integer),  # when it ended; the rows may be another one's since
    Column("failed", Integer),
    Index(None, "connection", "id"),
)

batch_rows = Table(
    "batch_rows",  # how a row stood before a batch wanted it, as long as that can be taken back
    metadata,
    Column("batch", ID, primary_key=True),
    Column("work_id", ID, primary_key=True),
    Column("connection", NAME, nullable=False),
    Column("wanted", Integer, nullable=False),  # of the row, by the batch: more is somebody else
    Column("state", String(16)),  # empty: there was no such row
    Column("due_at", Instant),
    Column("waits_for", String(300)),
    Column("received_at", Instant, nullable=False),
)
