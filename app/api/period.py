"""A period that is asked for by its first and last day, `?from=2026-01-01&to=2026-12-31`."""

from datetime import date
from typing import Annotated

from fastapi import Query

from app.api.problems import Problem

First = Annotated[date, Query(alias="from")]
Last = Annotated[date, Query(alias="to")]


def bound(first: date, last: date, days: int) -> None:
    """A problem when the period ends before it begins, or is longer than so many days."""
    if last < first or (last - first).days > days:
        raise Problem(400, f"to: expected a day within {days} days after from")
