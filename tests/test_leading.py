"""Who leads: one process at a time, as long as it lives and can prove it."""

from datetime import timedelta
from threading import Event, Thread

import pytest
from sqlalchemy import text

from app import locks, processes
from app.cli.processes import children
from app.hall import Hall
from app.locks import ProcessLock
from app.settings import Settings
from tests.installation import until
from tests.workshop import MovingClock
from workers.guests import Guests
from workers.leader import Leader


def lead(hall: Hall, what: str = "listener") -> ProcessLock | None:
    return locks.lead(hall.db, what, "listener", hall.settings.var_dir)


def test_one_leads_and_the_next_only_when_it_has_let_go(hall: Hall) -> None:
    first = lead(hall)
    assert first is not None
    assert first.still_held()
    assert lead(hall) is None
    other = lead(hall, "something else")
    assert other is not None
    other.release()
    first.release()
    second = lead(hall)
    assert second is not None
    assert lead(hall) is None
    second.release()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_whoever_loses_the_session_stops_leading_at_once(hall: Hall) -> None:
    lock = lead(hall)
    assert lock is not None
    clock = MovingClock(hall)
    leader = Leader(
        hall=hall,
        lock=lock,
        guests=Guests(hall, None),  # type: ignore[arg-type]  # nobody is connected
        ring=lambda _: None,
        stop=Event(),
        pace=0.05,
    )
    thread = Thread(target=leader.run)
    thread.start()
    until("it has said that it leads", lambda: said(hall, clock), 10)
    with hall.db.transaction() as tx:
        tx.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        )
    thread.join(10)
    assert not thread.is_alive()
    lock.release()
    again = lead(hall)
    assert again is not None
    again.release()


def said(hall: Hall, clock: MovingClock) -> list[str]:
    with hall.db.reading() as tx:
        return processes.seen_since(tx, "listener", clock() - timedelta(minutes=1))


def test_a_listener_is_run_only_where_there_is_something_to_listen_to() -> None:
    given = Settings(fortnox_websocket_url="ws://127.0.0.1:1")
    without = given.model_copy(update={"fortnox_websocket_url": ""})
    assert "listener" in [child.name for child in children(given)]
    assert "listener" not in [child.name for child in children(without)]
