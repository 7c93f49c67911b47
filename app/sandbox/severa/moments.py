"""Instants and days as Severa writes them."""

from datetime import UTC, date, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Milliseconds and Z, always as wide: stamps compare as text."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def read_moment(value: object) -> str:
    """Without an offset it is taken as UTC."""
    if isinstance(value, datetime):
        return stamp(value)
    try:
        return stamp(datetime.fromisoformat(str(value)))
    except ValueError:
        raise ValueError(f"'{value}' is not a valid date and time.") from None


def read_day(value: object) -> str:
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        return value.isoformat()
    try:
        return datetime.fromisoformat(str(value)).date().isoformat()
    except ValueError:
        raise ValueError(f"'{value}' is not a valid date.") from None
