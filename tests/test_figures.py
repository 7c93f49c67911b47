"""What processes count is added up, survives a Redis that is away, and names no company."""

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fakeredis import FakeRedis, FakeServer

from app import figures, metrics
from app.calls import Ask
from app.db import Database
from app.errors import Unclear
from app.figures import CALLS, CARRIED, EVENTS, Tally

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> Tally:
    """A process that has counted nothing yet."""
    tally = Tally()
    monkeypatch.setattr(figures, "HERE", tally)
    return tally


def told(redis: FakeRedis, tmp_path: Path) -> dict[str, float]:
    db = Database(f"sqlite:///{tmp_path}/none.db")
    try:
        text = metrics.text(db, redis, {}, NOW).decode()
    finally:
        db.close()
    lines = [line.rpartition(" ") for line in text.splitlines() if line.startswith("bridge_")]
    return {name: float(value) for name, _, value in lines}


def test_two_processes_are_added_up(here: Tally, tmp_path: Path) -> None:
    redis, other = FakeRedis(), Tally()
    other.count(EVENTS, "severa", "webhook", "accepted", amount=2)
    other.hand_over(redis)
    other.hand_over(redis)
    here.count(EVENTS, "severa", "webhook", "accepted")
    found = told(redis, tmp_path)
    assert found['bridge_events_total{door="webhook",source="severa",status="accepted"}'] == 3
    assert told(redis, tmp_path) == found


def test_what_is_counted_while_redis_is_away_is_added_later(here: Tally, tmp_path: Path) -> None:
    server = FakeServer()
    redis = FakeRedis(server=server)
    here.count(CALLS, "severa", "ok")
    server.connected = False
    here.hand_over(redis)
    here.count(CALLS, "severa", "ok")
    server.connected = True
    assert told(redis, tmp_path)['bridge_vendor_calls_total{outcome="ok",system="severa"}'] == 2


def test_a_duration_is_in_its_bucket_and_in_all_larger_ones(here: Tally, tmp_path: Path) -> None:
    for seconds in (1, 1.5, 90_000):
        here.observe(CARRIED, "invoice", seconds=seconds)
    found = told(FakeRedis(), tmp_path)
    at = 'bridge_carried_seconds_bucket{kind="invoice",le="%s"}'
    assert [found[at % limit] for limit in ("1.0", "2.0", "86400.0", "+Inf")] == [1, 2, 2, 3]
    assert found['bridge_carried_seconds_sum{kind="invoice"}'] == 90_002.5
    assert found['bridge_carried_seconds_count{kind="invoice"}'] == 3


def test_what_another_version_counted_is_left_out(tmp_path: Path) -> None:
    redis = FakeRedis()
    redis.hset(figures.KEY, mapping={"[1": "1", '["bridge_gone", ""]': "1", '["bridge_runs"]': "1"})
    assert [name for name in told(redis, tmp_path) if "gone" in name or "runs" in name] == []


def answering(status: int) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(status, json={})))


def test_a_call_is_counted_by_what_became_of_it(here: Tally, tmp_path: Path) -> None:
    ask = Ask("fortnox", lambda _: ("", ""))
    ask(answering(200), "GET", "http://fortnox.example")
    with pytest.raises(Unclear):
        ask(answering(500), "GET", "http://fortnox.example")
    found = told(FakeRedis(), tmp_path)
    outcomes = {name: value for name, value in found.items() if "calls_total" in name and value}
    assert outcomes == {
        'bridge_vendor_calls_total{outcome="ok",system="fortnox"}': 1,
        'bridge_vendor_calls_total{outcome="unclear",system="fortnox"}': 1,
    }
    assert found['bridge_vendor_call_seconds_count{system="fortnox"}'] == 2
