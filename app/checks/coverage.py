"""Whether everything that changes is heard of: topic by topic and poll by poll, how long ago."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from app import hearing
from app.clock import iso
from app.errors import Reason, because
from app.listened import Gap, Standing
from app.settings import Settings
from app.sync import wants
from app.sync.polls import NEEDED

POLL = "poll:"
SILENCE = timedelta(minutes=5)
MISSED_POLLS = 5


@dataclass(frozen=True)
class Part:
    """`seen_at`: when it last brought something; `asked_at`: until when nothing can be missing."""

    name: str
    source: Literal["listener", "poll"]
    last: str | None
    seen_at: datetime | None
    asked_at: datetime | None
    gap: bool
    reason: Reason


def look(
    cursors: Iterable[Any],
    standing: Standing | None,
    gaps: Iterable[Gap],
    settings: Settings,
    now: datetime,
) -> list[Part]:
    """Of one connection; `cursors` are the rows of its cursors."""
    rows, by_topic = {row.name: row for row in cursors}, {gap.topic: gap for gap in gaps}
    topics = wants.topics() if settings.fortnox_websocket_url else []
    parts = [
        _topic(topic, rows.get(f"{hearing.PREFIX}{topic}"), standing, by_topic.get(topic), now)
        for topic in topics
    ]
    return parts + (list(_polls(rows, settings, now)) if settings.poll_interval else [])


def behind(
    at_work: Mapping[str, datetime],
    standings: Mapping[str, Standing],
    polls: Iterable[Any],
    settings: Settings,
    now: datetime,
) -> Collection[str]:
    """The connections of which something may not be heard of.

    `at_work`: since when each has its settings; `polls`: the rows of their polls' cursors.
    """
    asked = {(row.connection, row.name): row.updated_at for row in polls}
    late = set()
    for name, since in at_work.items():
        if settings.fortnox_websocket_url and _is_unheard(standings.get(name), since, now):
            late.add(name)
        for key in NEEDED if settings.poll_interval else ():
            last = max(asked.get((name, f"{POLL}{key}"), since), since)
            if now - last > _patience(settings):
                late.add(name)
    return late


def _is_unheard(standing: Standing | None, since: datetime, now: datetime) -> bool:
    """Whoever is refused by Fortnox waits for a person; that says nothing about the bridge."""
    if standing is None:
        return now - since > SILENCE
    if standing.reason is not None and now - standing.said_at <= SILENCE:
        return False
    return now - max(standing.heard_at or since, since) > SILENCE


def _topic(topic: str, row: Any, standing: Standing | None, gap: Gap | None, now: datetime) -> Part:
    return Part(
        name=topic,
        source="listener",
        last=hearing.mark_of(row.value).offset if row is not None else None,
        seen_at=row.seen_at if row is not None else None,
        asked_at=standing.heard_at if standing is not None else None,
        gap=gap is not None,
        reason=_why(standing, gap, now),
    )


def _why(standing: Standing | None, gap: Gap | None, now: datetime) -> Reason:
    if standing is not None and standing.reason is not None:
        return standing.reason
    if standing is None or standing.heard_at is None:
        return because("never_listened_to")
    if now - standing.heard_at > SILENCE:
        return because("not_listened_to", since=iso(standing.heard_at))
    if gap is not None:
        return because("events_may_be_missing", since=iso(gap.since), until=iso(gap.until))
    return because("listened_to")


def _polls(rows: dict[str, Any], settings: Settings, now: datetime) -> Iterator[Part]:
    for name, row in rows.items():
        if not name.startswith(POLL):
            continue
        is_late = now - row.updated_at > _patience(settings)
        late = because("polled_late", since=iso(row.updated_at))
        yield Part(
            name=name.removeprefix(POLL),
            source="poll",
            last=_since(row.value),
            seen_at=row.seen_at,
            asked_at=row.updated_at,
            gap=False,
            reason=late if is_late else because("polled"),
        )


def _patience(settings: Settings) -> timedelta:
    return timedelta(seconds=MISSED_POLLS * settings.poll_interval)


def _since(value: str) -> str | None:
    try:
        place = json.loads(value)
    except ValueError:
        return value
    return str(place["since"]) if isinstance(place, dict) and "since" in place else None
