"""After the retention time content is forgotten, and what the law wants followed is kept."""

import csv
import io
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import insert, select, update
from starlette.testclient import TestClient

from app import api, connections, inbox, processes, retention
from app.api import spreadsheet
from app.hall import Hall
from app.inbox import Heard
from app.models import effects, events, transfer_log, work
from app.worklist import Want
from tests.installation import Vendors, vendors
from tests.workshop import Workshop, workshop

DAY = timedelta(days=1)
TRANSFER = "canary-of-a-payload"


@pytest.fixture
def shop(hall: Hall, redis_url: str) -> Any:
    with vendors() as partners, _opened(hall, redis_url, partners) as opened:
        opened.connect()
        yield opened


def _opened(hall: Hall, redis_url: str, partners: Vendors) -> Any:
    kept = hall.settings.model_copy(update={"retention_days": 30, "poll_interval": 0})
    return workshop(replace(hall, settings=kept), redis_url, partners)


def hear(shop: Workshop, identity: str, key: str, *, to: str = "acme") -> None:
    body = f'{{"note": "{TRANSFER}"}}'.encode()
    heard = Heard(to, "severa", "webhook", identity, body, "x.updated", Want(to, "invoice", key))
    with shop.hall.db.transaction() as tx:
        inbox.receive(tx, [heard], shop.clock())


def settle(shop: Workshop, key: str, state: str) -> None:
    with shop.hall.db.transaction() as tx:
        tx.execute(
            update(work)
            .where(work.c.key == key)
            .values(state=state, due_at=None, settled_at=shop.clock())
        )


def wrote(shop: Workshop, key: str, name: str, payload: Any, state: str = "done") -> None:
    with shop.hall.db.transaction() as tx:
        row_id = tx.scalar(select(work.c.id).where(work.c.key == key))
        tx.execute(
            insert(effects).values(
                id=f"eff_{name}",
                connection="acme",
                work_id=row_id,
                system="fortnox",
                action="create_invoice",
                ref=f"severa:{key}",
                generation=1,
                creates=False,
                state=state,
                payload=payload,
                sends=1,
                looks=0,
                target_id="=1+1",
                prepared_at=shop.clock(),
                settled_at=shop.clock() if state == "done" else None,
            )
        )


def rows(shop: Workshop, table: Any) -> list[Any]:
    with shop.hall.db.reading() as tx:
        return list(tx.execute(select(table).order_by(table.c.id)))


def tidy(shop: Workshop) -> None:
    """What the sweeper plants, run when it is due."""
    retention.plant(shop.hall.db, shop.clock())
    shop.clock.move_on(retention.FIRST)
    shop.run()


def content(**more: Any) -> dict[str, Any]:
    return {"CustomerName": TRANSFER, "Total": 1, "Rows": [], "Currency": "SEK"} | more


def test_content_goes_after_the_retention_time_and_identities_after_ninety_days(
    shop: Workshop,
) -> None:
    hear(shop, "old", "settled")
    hear(shop, "stuck", "blocked")
    wrote(shop, "settled", "1", content())
    wrote(shop, "settled", "2", {"status": "x", "because_blocked": True})
    wrote(shop, "settled", "3", content(), state="sending")
    wrote(shop, "blocked", "4", content())
    settle(shop, "settled", "done")
    settle(shop, "blocked", "blocked")
    before = rows(shop, transfer_log), rows(shop, work)[:2]

    shop.clock.move_on(29 * DAY)
    tidy(shop)
    assert all(TRANSFER in str(row) for row in rows(shop, events))

    shop.clock.move_on(2 * DAY)
    shop.run()
    told = {row.identity: row.body for row in rows(shop, events)}
    assert told["old"] is None
    assert TRANSFER in str(told["stuck"])
    kept = {row.id: (row.payload, row.payload_hash) for row in rows(shop, effects)}
    assert kept["eff_1"] == (None, retention.hash_of(content()))
    assert kept["eff_2"][0] == {"status": "x", "because_blocked": True}
    assert kept["eff_3"] == kept["eff_4"] == (content(), None)
    hear(shop, "old", "settled")
    assert len(rows(shop, events)) == 2  # still known: a duplicate
    settle(shop, "settled", "done")

    shop.clock.move_on(60 * DAY)
    shop.run()
    assert [row.identity for row in rows(shop, events)] == ["stuck"]
    settle(shop, "blocked", "skipped")
    shop.clock.move_on(DAY)
    shop.run()
    assert rows(shop, events) == []
    assert TRANSFER not in str([row.payload for row in rows(shop, effects) if row.state == "done"])
    assert rows(shop, transfer_log) == before[0]
    assert [row.id for row in rows(shop, work)][:2] == [row.id for row in before[1]]


def test_many_go_in_bounded_batches_and_those_of_a_deleted_company_too(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 4)
    for number in range(10):
        hear(shop, f"msg_{number}", "settled")
    settle(shop, "settled", "done")
    other = connections.Document.model_validate({"name": "gone"})
    with shop.hall.db.transaction() as tx:
        connections.put(tx, shop.hall.vault, other, shop.clock())
        connections.delete(tx, shop.hall.vault, "gone", shop.clock())
    hear(shop, "msg_gone", "its", to="gone")
    settle(shop, "its", "done")
    shop.clock.move_on(91 * DAY)
    with shop.hall.db.transaction() as tx:
        before = retention.limits(shop.clock(), 30 * DAY)
        assert retention.forget(tx, ["acme"], before) == 8  # four go, of four the body
    tidy(shop)
    assert rows(shop, events) == []


def test_processes_that_are_no_more_go_but_the_last_of_each_kind(hall: Hall) -> None:
    now = hall.clock()
    for name, kind, days in (("w1", "worker", 40), ("w2", "worker", 31), ("s1", "sweeper", 50)):
        processes.beat(hall.db, name, kind, now - days * DAY)
    before = retention.limits(now, 30 * DAY)
    with hall.db.transaction() as tx:
        assert [retention.forget(tx, [], before) for _ in range(2)] == [1, 0]
        assert processes.seen_since(tx, "worker", now - 60 * DAY) == ["w2"]
        assert processes.seen_since(tx, "sweeper", now - 60 * DAY) == ["s1"]


def test_it_comes_back_every_day_and_is_planted_once(shop: Workshop) -> None:
    for _ in range(2):
        tidy(shop)
    found = [row for row in rows(shop, work) if row.kind == "retention"]
    assert [(row.key, row.state) for row in found] == [("all", "done")]
    assert timedelta(0) < found[0].due_at - shop.clock() <= DAY


def test_the_history_of_a_year_is_a_file_and_is_the_same_after_the_retention_time(
    shop: Workshop,
) -> None:
    hear(shop, "one", "1a000000-0000-4000-8000-000000000007")
    settle(shop, "1a000000-0000-4000-8000-000000000007", "done")
    wrote(shop, "1a000000-0000-4000-8000-000000000007", "1", content())
    wrote(shop, "1a000000-0000-4000-8000-000000000007", "2", content(), state="refused")
    app = FastAPI(openapi_url=None)
    api.mount(app, shop.hall, hint=lambda _: None, plan=lambda _: [], look=_nobody)
    client = TestClient(app)
    client.headers["Authorization"] = f"Bearer {shop.hall.keys.admin}"
    year = shop.clock().year
    first = asked(client, year)
    (line,) = csv.DictReader(io.StringIO(first))
    assert line["source_id"] == "1a000000-0000-4000-8000-000000000007"
    assert line["reference"] == "severa:1a000000-0000-4000-8000-000000000007"
    assert line["target_id"] == "'=1+1"  # no formula
    assert line["sha256"] == retention.hash_of(content())
    assert TRANSFER not in first
    assert len(asked(client, year - 1).splitlines()) == 1
    shop.clock.move_on(100 * DAY)
    tidy(shop)
    assert asked(client, year) == first


def asked(client: TestClient, year: int) -> str:
    at = f"/api/v1/connections/acme/history.csv?from={year}-01-01&to={year}-12-31"
    answer = client.get(at)
    assert answer.status_code == 200
    return answer.text


def _nobody(connection: object) -> Any:
    raise AssertionError("nothing here looks at the registers")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=cmd()", "'=cmd()"),
        ("+46 8", "'+46 8"),
        ("@x", "'@x"),
        ("-12.50", "-12.50"),
        ("-x", "'-x"),
        ("AB", "AB"),
        (None, ""),
    ],
)
def test_a_spreadsheet_sees_no_formula(value: Any, shown: str) -> None:
    assert spreadsheet.cell(value) == shown


def test_a_long_time_keeps_identities_as_long() -> None:
    now = datetime.fromisoformat("2026-11-24T00:00:00+00:00")
    assert retention.limits(now, 400 * DAY) == retention.Limits(now - 400 * DAY, now - 400 * DAY)
    assert retention.limits(now, DAY) == retention.Limits(now - DAY, now - 90 * DAY)
