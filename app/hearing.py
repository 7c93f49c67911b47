"""How far Fortnox's events have been heard: company by company, topic by topic.

A socket has one offset for each topic, for all its companies, and of two offsets nobody can tell
which comes first. So a mark is an offset and a turn, a number that grows with every step of its
topic; the smaller turn is the older mark.
- Who is on a socket from its beginning is in step. What is stored moves the marks of those whom it
  is about, in the same commit; the others' follow now and then (`behind`), so that an event of one
  company does not cost a row for each of five hundred: a mark that lags only means hearing again.
  Who is not on the socket keeps the mark it had when it left.
- A socket starts at the oldest mark of those on it. Where somebody was further already, what comes
  is repetition at first: no mark moves before the furthest one has come by, or something that was
  made after the socket was opened. Until then a crash only means hearing it again.
- A new company starts at the furthest mark. Without any mark a topic starts now.
Whether the offset that is given is sent again, and whether a beginning is a little early, does not
matter: an event is kept once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection as Tx

from app import cursors
from app.cursors import Entry

PREFIX = "listener:"
SKEW = timedelta(minutes=5)  # how far Fortnox's clock may be ahead of ours


@dataclass(frozen=True, order=True)
class Mark:
    turn: int
    offset: str = field(compare=False)

    def __str__(self) -> str:
        return f"{self.turn}:{self.offset}"


def mark_of(text: str) -> Mark:
    turn, _, offset = text.partition(":")
    return Mark(int(turn), offset)


Marks = dict[tuple[str, str], Mark]  # by connection and topic


def known(tx: Tx, topics: Sequence[str]) -> Marks:
    """The marks of everybody, of those who are not listened to as well."""
    rows = cursors.called(tx, [f"{PREFIX}{topic}" for topic in topics])
    return {(row.connection, row.name.removeprefix(PREFIX)): mark_of(row.value) for row in rows}


@dataclass(frozen=True)
class Step:
    """An event that came by; `made_at` as Fortnox says, `owners` the connections it belongs to."""

    topic: str
    offset: str
    made_at: datetime | None
    owners: tuple[str, ...]


class Hearing:
    """What one socket has heard so far, and whom it hears for."""

    def __init__(
        self, marks: Marks, members: Iterable[str], topics: Sequence[str], opened_at: datetime
    ) -> None:
        self.members, self._opened_at = set(members), opened_at
        self._marks: Marks = {}  # as they are stored
        self._furthest: dict[str, Mark] = {}  # as far as anything was ever heard
        self._reached: dict[str, Mark] = {}  # as far as what was heard on this socket is stored
        self._storing: tuple[Marks, dict[str, Mark]] = {}, {}
        self._repeating: set[str] = set()
        self.starts: dict[str, str | None] = {}
        for topic in topics:
            self._begin(topic, {who: mark for (who, at), mark in marks.items() if at == topic})

    def entries(self) -> list[Entry]:
        """The marks as they stand, to be stored before the socket is listened to."""
        return [_entry(who, topic, mark) for (who, topic), mark in self._marks.items()]

    def heard(self, steps: Sequence[Step]) -> list[Entry]:
        """The marks to be stored in the commit that keeps these events; then say `kept`."""
        told: set[tuple[str, str]] = set()
        reached: dict[str, Mark] = {}
        for step in steps:
            told.update((who, step.topic) for who in step.owners)
            if self._steps_on(step):
                mark = Mark(self._turn(step.topic) + 1, step.offset)
                self._furthest[step.topic] = reached[step.topic] = mark
        first = {(who, topic) for topic in reached for who in self.members} - self._marks.keys()
        found = {at: self._mark(at, reached) for at in told | first}
        marks = {at: mark for at, mark in found.items() if mark is not None}
        self._storing = marks, reached
        return [_entry(*at, mark, told=at in told) for at, mark in marks.items()]

    def kept(self) -> None:
        """What `heard` answered last is stored."""
        marks, reached = self._storing
        self._marks |= marks
        self._reached |= reached

    def behind(self) -> list[Entry]:
        """The marks of those who were not told of anything lately; then say `caught_up`."""
        return [
            _entry(who, topic, mark)
            for topic, mark in self._reached.items()
            for who in self.members
            if self._marks.get((who, topic)) != mark
        ]

    def caught_up(self) -> None:
        reached, everybody = self._reached.items(), self.members
        self._marks |= {(who, topic): mark for topic, mark in reached for who in everybody}

    def _begin(self, topic: str, marks: dict[str, Mark]) -> None:
        if not marks:
            self.starts[topic] = None
            return
        furthest = self._furthest[topic] = max(marks.values())
        mine = {who: marks.get(who, furthest) for who in self.members}
        self._marks |= {(who, topic): mark for who, mark in mine.items()}
        start = min(mine.values(), default=furthest)
        self.starts[topic] = start.offset
        if start < furthest:
            self._repeating.add(topic)

    def _steps_on(self, step: Step) -> bool:
        if not step.offset:
            return False
        if step.topic not in self._repeating:
            return True
        is_new = step.made_at is not None and step.made_at > self._opened_at + SKEW
        if is_new or step.offset == self._furthest[step.topic].offset:
            self._repeating.discard(step.topic)
            return True
        return False

    def _turn(self, topic: str) -> int:
        return self._furthest[topic].turn if topic in self._furthest else 0

    def _mark(self, at: tuple[str, str], reached: dict[str, Mark]) -> Mark | None:
        who, topic = at
        return (
            reached.get(topic, self._marks.get(at)) if who in self.members else self._marks.get(at)
        )


def _entry(who: str, topic: str, mark: Mark, *, told: bool = False) -> Entry:
    return Entry(who, f"{PREFIX}{topic}", str(mark), told)
