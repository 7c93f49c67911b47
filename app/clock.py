"""What time it is: instants in UTC, dates as they are written in Stockholm."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

STOCKHOLM = ZoneInfo("Europe/Stockholm")

Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC)


def today(instant: datetime) -> date:
    return instant.astimezone(STOCKHOLM).date()


def iso(instant: datetime | None) -> str | None:
    """`2026-11-24T08:15:30.123Z`, or None."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
