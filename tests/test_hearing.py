"""The marks: whatever comes, goes, crashes and repeats, nobody misses an event."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from app.cursors import Entry
from app.hearing import PREFIX, SKEW, Hearing, Mark, Marks, Step, mark_of

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TOPICS = ["invoices"]
COMPANIES = ["a", "b", "c", "d"]


def step(offset: str, *owners: str, at: datetime = NOON) -> Step:
    return Step("invoices", offset, at, owners)


def stored(hearing: Hearing, *steps: Step) -> dict[str, str]:
    entries = hearing.heard(steps)
    hearing.kept()
    return {one.connection: one.value for one in entries}


def behind(hearing: Hearing) -> dict[str, str]:
    entries = hearing.behind()
    hearing.caught_up()
    return {one.connection: one.value for one in entries}


def test_a_mark_is_read_as_it_was_written() -> None:
    assert mark_of(str(Mark(17, "a:b"))) == Mark(17, "a:b")


def test_without_marks_a_topic_starts_now_and_the_first_event_marks_it_for_everybody() -> None:
    hearing = Hearing({}, ["a", "b"], TOPICS, NOON)
    assert hearing.starts == {"invoices": None}
    assert hearing.entries() == []
    assert stored(hearing, step("x", "a")) == {"a": "1:x", "b": "1:x"}


def test_a_new_company_starts_where_the_others_are() -> None:
    hearing = Hearing({("a", "invoices"): Mark(3, "x")}, ["a", "new"], TOPICS, NOON)
    assert hearing.starts == {"invoices": "x"}
    assert {one.connection: one.value for one in hearing.entries()} == {"a": "3:x", "new": "3:x"}


def test_the_socket_starts_at_the_oldest_mark_of_those_on_it() -> None:
    marks: Marks = {
        (who, "invoices"): Mark(turn, f"o{turn}") for who, turn in (("a", 9), ("b", 4), ("away", 2))
    }
    assert Hearing(marks, ["a", "b"], TOPICS, NOON).starts == {"invoices": "o4"}


def test_while_it_repeats_no_mark_moves_until_the_furthest_has_come_by() -> None:
    marks = {("a", "invoices"): Mark(9, "o9"), ("back", "invoices"): Mark(4, "o4")}
    hearing = Hearing(marks, ["a", "back"], TOPICS, NOON)
    assert stored(hearing, step("o6", "back")) == {"back": "4:o4"}
    assert behind(hearing) == {}
    assert stored(hearing, step("o9", "a")) == {"a": "10:o9"}
    assert behind(hearing) == {"back": "10:o9"}
    assert stored(hearing, step("o10", "a")) == {"a": "11:o10"}
    assert stored(hearing, step("o11", "back")) == {"back": "12:o11"}
    assert behind(hearing) == {"a": "12:o11"}
    assert behind(hearing) == {}


def test_or_until_something_comes_that_was_made_after_the_socket_was_opened() -> None:
    marks = {("gone", "invoices"): Mark(9, "o9"), ("back", "invoices"): Mark(4, "o4")}
    hearing = Hearing(marks, ["back"], TOPICS, NOON)
    assert stored(hearing, step("o6", "back", at=NOON + SKEW)) == {"back": "4:o4"}
    later = NOON + SKEW + timedelta(seconds=1)
    assert stored(hearing, step("o10", "back", at=later)) == {"back": "10:o10"}


def test_an_event_without_an_offset_moves_nothing() -> None:
    hearing = Hearing({("a", "invoices"): Mark(3, "x")}, ["a"], TOPICS, NOON)
    assert stored(hearing, step("", "a")) == {"a": "3:x"}


def test_an_event_costs_one_mark_however_many_listen_and_what_is_not_stored_moves_none() -> None:
    companies = [f"c{number}" for number in range(500)]
    marks = {(who, "invoices"): Mark(3, "x") for who in companies}
    hearing = Hearing(marks, companies, TOPICS, NOON)
    assert [one.connection for one in hearing.heard([step("y", "c7")])] == ["c7"]
    assert hearing.behind() == []  # its commit has not come yet, and may never
    assert len(hearing.heard([step("y", "c7")])) == 1
    hearing.kept()
    assert len(hearing.behind()) == 499


@dataclass
class World:
    """A topic with its events in order, and a listener that is stopped and started at any time."""

    chance: random.Random
    inclusive: bool
    events: list[tuple[str, datetime]] = field(default_factory=list)
    marks: Marks = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)
    since: dict[str, int] = field(default_factory=dict)
    now: datetime = NOON
    mortal: bool = False

    def happen(self, companies: list[str]) -> None:
        self.now += timedelta(seconds=self.chance.choice([1, 30, 600]))
        self.events.append((self.chance.choice(companies), self.now))

    def listen(self, members: list[str], most: int, live: int = 0) -> None:
        """One socket: at most so many events are heard, of what was missed and of what happens
        meanwhile; some are said twice.
        """
        hearing = Hearing(self.marks, members, TOPICS, self.now)
        for who in members:
            self.since.setdefault(who, self._furthest() + 1)
        self._store(hearing.entries())
        offset = hearing.starts["invoices"]
        place = len(self.events) if offset is None else int(offset) + (not self.inclusive)
        for _ in range(live):
            self.happen(COMPANIES)
        for number in range(place, min(len(self.events), place + most)):
            owner, made_at = self.events[number]
            if owner in members:
                for _ in range(self.chance.choice([1, 1, 2])):
                    told = [Step("invoices", str(number), made_at, (owner,))]
                    if self.chance.random() < 0.2:
                        hearing.heard(told)  # and the database is away
                        self._catch_up(hearing)
                        if self.mortal and self.chance.random() < 0.3:
                            return  # and the process dies before it is back
                    self._store(hearing.heard(told))
                    hearing.kept()
                    self.kept.add(number)
            if self.chance.random() < 0.3:
                self._catch_up(hearing)

    def _catch_up(self, hearing: Hearing) -> None:
        self._store(hearing.behind())
        hearing.caught_up()

    def _furthest(self) -> int:
        return max((int(mark.offset) for mark in self.marks.values()), default=len(self.events))

    def _store(self, entries: list[Entry]) -> None:
        for one in entries:
            self.marks[one.connection, one.name.removeprefix(PREFIX)] = mark_of(one.value)

    def missed(self) -> list[int]:
        return [
            number
            for number, (owner, _) in enumerate(self.events)
            if owner in self.since and number >= self.since[owner] and number not in self.kept
        ]


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("batch", range(20))
def test_nobody_misses_anything_however_they_come_and_go(batch: int, inclusive: bool) -> None:
    for seed in range(batch * 20, batch * 20 + 20):
        world = World(random.Random(seed), inclusive)
        live_through(world)
        assert world.missed() == [], f"seed {seed}"


def live_through(world: World) -> None:
    chance = world.chance
    world.listen(COMPANIES[:1], 1000, live=20)
    assert world.marks
    world.mortal = True
    for _ in range(30):
        for _ in range(chance.randrange(6)):
            world.happen(COMPANIES)
        members = chance.sample(COMPANIES, chance.randint(1, 4))
        world.listen(members, chance.choice([0, 1, 3, 1000]), live=chance.randrange(4))
    world.mortal = False
    world.listen(COMPANIES, 10_000)
