"""Coverage: what was heard of which source, how long ago, and what may be missing."""

from datetime import timedelta
from typing import Any

from fakeredis import FakeRedis
from sqlalchemy import update

from app import cursors, listened, metrics
from app.checks.coverage import look
from app.cursors import Entry
from app.errors import because
from app.listened import Gap
from app.models import connections
from app.sync import wants
from tests.api.conftest import BOTH, Stage


def coverage(stage: Stage, language: str = "en") -> dict[tuple[str, str], dict[str, Any]]:
    headers = {"Accept-Language": language}
    answer = stage.client.get("/api/v1/connections/acme/coverage", headers=headers)
    assert answer.status_code == 200
    found = answer.json()["coverage"]
    fields = ["name", "source", "last", "seen_at", "asked_at", "age_seconds", "gap", "detail"]
    assert all(list(one) == fields for one in found)
    return {(one["source"], one["name"]): one for one in found}


def hear(stage: Stage, *topics: str) -> None:
    """As the listener does: on the socket, and something came."""
    with stage.hall.db.transaction() as tx:
        listened.say(tx, ["acme"], {}, stage.now)
        marks = [Entry("acme", f"listener:{topic}", "7:q81", told=True) for topic in topics]
        cursors.put_all(tx, marks, stage.now)


def poll(stage: Stage, key: str, *, told: bool = False) -> None:
    value = '{"since": "2026-11-24T08:00:00Z", "seen": {}}'
    with stage.hall.db.transaction() as tx:
        cursors.put(tx, "acme", f"poll:{key}", value, stage.now, told=told)


def miss(stage: Stage, topic: str, hours: float) -> None:
    with stage.hall.db.transaction() as tx:
        gap = Gap("acme", topic, stage.now - timedelta(hours=hours), stage.now)
        listened.missed(tx, [gap], stage.now)


@BOTH
def test_each_topic_and_each_poll_is_told_with_its_age(stage: Stage) -> None:
    stage.connect()
    hear(stage, "invoices")
    poll(stage, "severa:invoices", told=True)
    stage.later(seconds=90)
    found = coverage(stage)
    assert {name for source, name in found if source == "listener"} == set(wants.topics())
    assert found["listener", "invoices"] == {
        "name": "invoices",
        "source": "listener",
        "last": "q81",
        "seen_at": "2026-11-24T08:00:00.000Z",
        "asked_at": "2026-11-24T08:00:00.000Z",
        "age_seconds": 90,
        "gap": False,
        "detail": "What changes in Fortnox is heard as it changes.",
    }
    assert found["listener", "vouchers"]["last"] is None
    polled = found["poll", "severa:invoices"]
    assert (polled["last"], polled["age_seconds"]) == ("2026-11-24T08:00:00Z", 90)


def test_before_the_first_socket_it_says_so(stage: Stage) -> None:
    stage.connect()
    found = coverage(stage, "sv")["listener", "invoices"]
    assert (found["asked_at"], found["age_seconds"]) == (None, None)
    assert found["detail"].startswith("Direktanslutningen till Fortnox har inte varit öppen ännu.")


def test_a_socket_that_is_gone_is_told_after_five_minutes(stage: Stage) -> None:
    stage.connect()
    hear(stage, "invoices")
    stage.later(minutes=5, seconds=1)
    detail = coverage(stage)["listener", "invoices"]["detail"]
    assert detail.startswith("The live connection to Fortnox has been down since 2026-11-24T08:00")


def test_whoever_is_refused_is_told_why(stage: Stage) -> None:
    stage.connect()
    hear(stage, "invoices")
    why = because("token_refused", system="fortnox", code="", words="")
    with stage.hall.db.transaction() as tx:
        listened.say(tx, [], {"acme": why}, stage.later(minutes=1))
    found = coverage(stage)["listener", "invoices"]
    assert found["asked_at"] == "2026-11-24T08:00:00.000Z"
    assert "Fortnox" in found["detail"]
    assert "heard as it changes" not in found["detail"]


@BOTH
def test_a_gap_stands_until_the_same_register_was_polled(stage: Stage) -> None:
    stage.connect()
    hear(stage)
    for topic in ("supplier-invoices", "vouchers"):
        miss(stage, topic, 24)
    assert [key[1] for key, one in coverage(stage).items() if one["gap"]] == [
        "supplier-invoices",
        "vouchers",
    ]
    assert "may have been missed" in coverage(stage)["listener", "vouchers"]["detail"]
    stage.later(seconds=1)
    poll(stage, "fortnox:supplier_invoices")
    assert [key[1] for key, one in coverage(stage).items() if one["gap"]] == ["vouchers"]
    poll(stage, "fortnox:invoices")
    assert [key for key, one in coverage(stage).items() if one["gap"]] == []


def test_a_gap_that_opens_again_keeps_its_beginning(stage: Stage) -> None:
    stage.connect()
    miss(stage, "invoices", 24)
    stage.later(hours=1)
    miss(stage, "invoices", 1)
    with stage.hall.db.reading() as tx:
        (gap,) = listened.open_gaps(tx, "acme")
    assert gap.until - gap.since == timedelta(hours=25)


def test_what_is_switched_off_is_not_told_of(stage: Stage) -> None:
    hear(stage, "invoices")
    poll(stage, "severa:invoices")
    changes = {"fortnox_websocket_url": "", "poll_interval": 0}
    off = stage.hall.settings.model_copy(update=changes)
    with stage.hall.db.reading() as tx:
        rows = cursors.every(tx, "acme")
    assert look(rows, None, [], off, stage.now) == []


def test_nobody_without_the_key_sees_it_and_unknown_names_are_not_found(stage: Stage) -> None:
    assert stage.client.get("/api/v1/connections/nobody/coverage").status_code == 404
    bare = stage.client.get("/api/v1/connections/acme/coverage", headers={"Authorization": ""})
    assert bare.status_code == 401


@BOTH
def test_the_figures_tell_the_longest_lag_of_active_connections(stage: Stage) -> None:
    stage.connect()
    hear(stage, "invoices")
    stage.later(seconds=30)
    poll(stage, "severa:invoices")
    stage.later(seconds=10)
    assert lags(stage) == {"listener": 40, "poll": 10}
    with stage.hall.db.transaction() as tx:
        tx.execute(update(connections).values(active=False))
    assert lags(stage) == {}


def lags(stage: Stage) -> dict[str, float]:
    lines = metrics.text(stage.hall.db, FakeRedis(), {}, stage.now).decode().splitlines()
    found = [
        line.partition('source="')[2].split('"} ')
        for line in lines
        if "bridge_lag_seconds{" in line
    ]
    return {source: float(value) for source, value in found}
