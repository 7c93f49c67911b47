"""Which transfers a page is asked for: the same words as in the admin API, and forgiving."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import get_args
from urllib.parse import urlencode

from app.clock import STOCKHOLM
from app.errors import Invalid
from app.transfers import Cursor, Filter
from app.worklist import TRANSFERS, State

STATES: tuple[str, ...] = get_args(State)
CODE = re.compile(r"[a-z0-9_]{1,64}")
NAMES = ("kind", "state", "reason", "q", "since", "until")


@dataclass(frozen=True)
class Asked:
    """`since` and `until` are days in Stockholm, both inside; what makes no sense is left out."""

    kind: str = ""
    state: str = ""
    reason: str = ""
    q: str = ""
    since: str = ""
    until: str = ""
    after: Cursor | None = field(default=None, compare=False)

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Asked":
        return cls(
            kind=",".join(one for one in given.get("kind", "").split(",") if one in TRANSFERS),
            state=",".join(one for one in given.get("state", "").split(",") if one in STATES),
            reason=given.get("reason", "") if CODE.fullmatch(given.get("reason", "")) else "",
            q=given.get("q", "").strip()[:200],
            since=_day(given.get("since", "")),
            until=_day(given.get("until", "")),
            after=_cursor(given.get("after", "")),
        )

    def filter(self) -> Filter:
        return Filter(
            states=self.state.split(",") if self.state else (),
            kinds=self.kind.split(",") if self.kind else (),
            q=self.q,
            reason=self.reason,
            since=_midnight(self.since),
            until=_midnight(self.until, days=1),
        )

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in NAMES)

    def query(self, **more: str) -> str:
        """As it stands in an address, for links and bookmarks."""
        given = {name: getattr(self, name) for name in NAMES} | more
        text = urlencode({name: value for name, value in given.items() if value})
        return f"?{text}" if text else ""


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _midnight(text: str, days: int = 0) -> datetime | None:
    if not text:
        return None
    day = date.fromisoformat(text) + timedelta(days=days)
    return datetime(day.year, day.month, day.day, tzinfo=STOCKHOLM)


def _cursor(text: str) -> Cursor | None:
    try:
        return Cursor.read(text) if text else None
    except Invalid:
        return None
