"""Many companies, one list: what one has waiting neither delays the others nor costs them more."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, text

from app import connections, turns, worklist
from app.documents import Document
from app.errors import because
from app.hall import Hall, open_hall
from app.models import metadata
from app.settings import Settings
from app.worklist import (
    BACKGROUND,
    LIVE,
    POLL,
    RUNNING_PER_CONNECTION,
    Item,
    Settlement,
    Want,
)
from tests.installation import until

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=5)
BACKLOG = 2000


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("fairness")
    url = f"sqlite:///{folder}/bridge.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").new_database()
    hall = open_hall(Settings(database_url=url, var_dir=folder), now=lambda: NOW)
    yield hall
    hall.db.close()


@pytest.fixture
def hall(opened: Hall) -> Hall:
    with opened.db.transaction() as tx:
        if opened.db.is_sqlite:
            for table in metadata.sorted_tables:
                tx.execute(delete(table))
        else:  # deleted rows stay in the indexes while anybody, autovacuum too, has a snapshot
            tx.execute(text(f"TRUNCATE {', '.join(one.name for one in metadata.sorted_tables)}"))
    return opened


def company(hall: Hall, name: str, rows: int, *, lane: int = LIVE, since: datetime = NOW) -> None:
    with hall.db.transaction() as tx:
        connections.put(tx, hall.vault, Document(name=name), NOW)
        connections.set_active(tx, name, NOW, active=True)
        for first in range(0, rows, 500):
            numbers = range(first, min(rows, first + 500))
            wants = [Want(name, "invoice", f"{lane}-{number:05}", lane) for number in numbers]
            worklist.enqueue(tx, wants, since)


def claim(hall: Hall, at: datetime = NOW) -> Item | None:
    return next(iter(worklist.claim(hall.db, "me", at)), None)


def run(hall: Hall, most: int, at_once: int = 1) -> list[Item]:
    """What so many threads take, each next row when the oldest one is settled."""
    held: list[Item] = []
    taken: list[Item] = []
    for number in range(most):
        item = claim(hall, NOW + timedelta(seconds=number))
        if item is None:
            break
        taken.append(item)
        held.append(item)
        if len(held) == at_once:
            worklist.settle(hall.db, held.pop(0), Settlement("done"), NOW)
    return taken


@pytest.mark.parametrize("at_once", [1, 4, 16])
def test_a_row_of_a_small_company_is_among_the_next_two_whatever_another_has_waiting(
    hall: Hall, at_once: int
) -> None:
    company(hall, "big", BACKLOG, since=EARLIER)
    assert {one.connection for one in run(hall, RUNNING_PER_CONNECTION - 1, at_once)} == {"big"}
    company(hall, "small", 1)
    assert "small" in [one.connection for one in run(hall, 2)]


def test_many_large_companies_do_not_shut_a_small_one_out(hall: Hall) -> None:
    """Together they may take every thread there is."""
    for number in range(5):
        company(hall, f"big-{number}", 100, since=EARLIER)
    company(hall, "small", 3)
    taken = run(hall, 60, at_once=4)
    place = [number for number, one in enumerate(taken) if one.connection == "small"]
    assert len(place) == 3
    assert place[0] < 6
    assert place[-1] < 18


def test_companies_with_equal_backlogs_get_equal_shares(hall: Hall) -> None:
    for number in range(6):
        company(hall, f"c{number}", 100, since=EARLIER + timedelta(minutes=number))
    shares = Counter(one.connection for one in run(hall, 120, at_once=5))
    assert set(shares.values()) == {20}


def test_within_a_company_the_oldest_row_is_first(hall: Hall) -> None:
    company(hall, "acme", 3, since=NOW)
    company(hall, "beta", 3, since=NOW)
    with hall.db.transaction() as tx:
        worklist.enqueue(tx, [Want("acme", "invoice", "old")], EARLIER)
    assert next(one.key for one in run(hall, 8) if one.connection == "acme") == "old"


@pytest.mark.parametrize("lane", [POLL, BACKGROUND])
def test_no_backlog_comes_before_a_live_row_of_another_company(hall: Hall, lane: int) -> None:
    for number in range(3):
        company(hall, f"big-{number}", 200, lane=lane, since=EARLIER)
    run(hall, 10, at_once=20)
    company(hall, "small", 5)
    assert [one.connection for one in run(hall, 5)] == ["small"] * 5


def test_a_backlog_takes_its_share_of_the_threads_and_no_more(hall: Hall) -> None:
    company(hall, "big", 200, lane=BACKGROUND, since=EARLIER)
    assert len(run(hall, 50, at_once=50)) == RUNNING_PER_CONNECTION
    company(hall, "small", 50, lane=BACKGROUND)
    assert {one.connection for one in run(hall, 50)} == {"small"}


def test_polls_of_all_companies_come_before_anybodys_backlog(hall: Hall) -> None:
    company(hall, "big", 200, lane=BACKGROUND, since=EARLIER)
    for number in range(5):
        company(hall, f"c{number}", 1, lane=POLL)
    assert [one.lane for one in run(hall, 7)] == [POLL] * 5 + [BACKGROUND] * 2


def test_a_stopped_company_runs_its_probe_and_nothing_else(hall: Hall) -> None:
    company(hall, "acme", BACKLOG, since=EARLIER)
    with hall.db.transaction() as tx:
        connections.stop(tx, "acme", because("token_refused", system="fortnox"), NOW)
        worklist.enqueue(tx, [Want("acme", "probe", "fortnox")], NOW)
    assert [(one.kind, one.key) for one in run(hall, 5)] == [("probe", "fortnox")]


def test_a_lane_that_nobody_looks_into_is_refused() -> None:
    with pytest.raises(ValueError, match="no lane 4"):
        Want("acme", "invoice", "1", 4)


# --- what a claim costs: rows and index entries looked at, or steps of the engine ---


def effort(hall: Hall) -> int:
    """Of one choice, without the time it takes."""
    return _steps(hall) if hall.db.is_sqlite else _tuples(hall)


def _steps(hall: Hall) -> int:
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    with hall.db.transaction() as tx:
        raw = tx.connection.driver_connection
        assert raw is not None
        raw.set_progress_handler(count, 10)
        turns.choose(tx, NOW, 1)
        raw.set_progress_handler(None, 0)
    return counted


TOUCHED = text(
    "SELECT sum(pg_stat_get_xact_tuples_returned(indexrelid))"
    " + pg_stat_get_xact_tuples_returned('work'::regclass)"
    " FROM pg_index WHERE indrelid = 'work'::regclass"
)


# Autovacuum's own analysis, say: VACUUM keeps what it can see, and the plan is another one.
LOOKING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_xmin IS NOT NULL AND pid <> pg_backend_pid()"
)


def _tuples(hall: Hall) -> int:
    with hall.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        until("nobody looks", lambda: connection.scalar(LOOKING) == 0)
        connection.execute(text("VACUUM ANALYZE"))
    with hall.db.transaction() as tx:
        before = int(tx.scalar(TOUCHED) or 0)  # of transactions that it has not reported yet
        turns.choose(tx, NOW, 1)
        return int(tx.scalar(TOUCHED) or 0) - before


@pytest.mark.parametrize("state", ["free", "full", "stopped", "inactive", "waiting"])
def test_a_claim_costs_the_same_whatever_one_company_has_waiting(hall: Hall, state: str) -> None:
    for number in range(40):
        company(hall, f"c{number}", 5)
    company(hall, "big", RUNNING_PER_CONNECTION, since=EARLIER)
    before = effort(hall)
    later = NOW + timedelta(days=1)
    company(hall, "big", BACKLOG, since=later if state == "waiting" else EARLIER)
    with hall.db.transaction() as tx:
        if state == "stopped":
            connections.stop(tx, "big", because("token_refused", system="severa"), NOW)
        if state == "inactive":
            connections.set_active(tx, "big", NOW, active=False)
    if state == "full":
        for number in range(RUNNING_PER_CONNECTION):
            assert worklist.claim_now(hall.db, "me", Want("big", "invoice", f"r{number}"), NOW)
    assert effort(hall) < min(before * 1.5 + 50, BACKLOG)
