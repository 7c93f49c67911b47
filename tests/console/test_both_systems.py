"""Pages that read both systems, between two sandboxes: the console of a workshop, one for all."""

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app import api, clock, console
from app.checks.comparison import Verdict
from app.console.reconciliation import SENTENCES
from app.hall import open_hall
from app.sandbox.severa import TRANSFER
from app.sandbox.severa.demo import CLIENT_ID
from app.settings import Rate, Settings
from tests.installation import Addresses, addresses
from tests.servers import RedisServer
from tests.workshop import Workshop, workshop


@pytest.fixture(scope="module")
def homes() -> Iterator[Addresses]:
    with addresses() as both:
        yield both


@pytest.fixture
def shop(
    migrated: Path, tmp_path: Path, shared_redis: RedisServer, homes: Addresses
) -> Iterator[Workshop]:
    shared_redis.flush()
    (tmp_path / "bridge.db").write_bytes(migrated.read_bytes())
    fast = Rate(1000, 1)
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/bridge.db",
        var_dir=tmp_path,
        severa_rate=fast,
        fortnox_rate=fast,
    )
    hall = open_hall(settings)
    with workshop(hall, shared_redis.url, homes.move_in()) as opened:
        opened.connect()
        yield opened
    hall.db.close()


@pytest.fixture
def reader(shop: Workshop) -> TestClient:
    """Somebody who has logged in, in English."""
    app, room = FastAPI(), shop.process.room
    api.mount(
        app,
        shop.hall,
        hint=lambda _: None,
        plan=lambda _: [],
        look=lambda connection: room.sides(connection, 0),
    )
    console.mount(app)
    client = TestClient(app, "https://testserver", follow_redirects=False)
    client.headers["accept-language"] = "en"
    entered = client.post("/log-in", data={"name": "", "secret": shop.hall.keys.admin})
    assert entered.status_code == 303
    return client


def piece(reader: TestClient, path: str) -> str:
    answer = reader.get(f"/c/acme/{path}", headers={"hx-request": "true"})
    assert answer.status_code == 200
    return answer.text


def rows(reader: TestClient, path: str) -> list[list[str]]:
    text = reader.get(f"/c/acme/{path}").text
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=";"))


def carried_over(shop: Workshop) -> str:
    """An invoice, by its number in Fortnox."""
    invoice = shop.partners.severa.add_simple_invoice()
    shop.partners.severa.set_status(invoice["guid"], TRANSFER)
    shop.look_at("invoice", invoice["guid"])
    assert len(shop.partners.books.invoices) == 1
    return next(iter(shop.partners.books.invoices))


def test_a_period_whose_books_agree_says_so(shop: Workshop, reader: TestClient) -> None:
    carried_over(shop)
    page = reader.get("/c/acme/reconciliation").text
    today = clock.today(shop.clock())
    assert f'value="{today.replace(day=1)}"' in page
    told = piece(reader, "reconciliation")
    assert "The books agree, to the öre." in told
    assert "2 comparisons agree." in told


def test_every_difference_is_a_sentence_with_its_amounts_and_its_story(
    shop: Workshop, reader: TestClient
) -> None:
    number = carried_over(shop)
    invoice = shop.partners.books.invoices[number]
    invoice["Net"] += Decimal("0.01")
    invoice["RoundOff"] -= Decimal("0.01")
    told = piece(reader, "reconciliation")
    assert "1 difference has to be looked at." in told
    assert "Somebody changed one side after the transfer." in told
    (ours,) = re.findall(r'/c/acme/transfers\?(kind=invoice&amp;q=\d+)"', told)
    assert 'class="mark done"' in reader.get(f"/c/acme/transfers?{ours}").text
    written = shop.partners.writes()
    title, *found = rows(reader, "reconciliation.csv")
    assert title[:2] == ["Kind", "What it means"]
    assert [row[5] for row in found] == ["0,01", "0,00"]
    assert found[0][1] == SENTENCES["amount_differs"]
    assert shop.partners.writes() == written


def test_the_file_says_what_the_page_said(shop: Workshop, reader: TestClient) -> None:
    number = carried_over(shop)
    assert "The books agree" in piece(reader, "reconciliation")
    shop.partners.books.cancel(number)
    assert len(rows(reader, "reconciliation.csv")) == 3
    assert "is not in Fortnox" in piece(reader, "reconciliation")
    assert len(rows(reader, "reconciliation.csv")) == 2


def test_a_system_that_does_not_answer_is_named_in_place_of_the_books(
    shop: Workshop, reader: TestClient
) -> None:
    shop.connect(severa={"client_id": CLIENT_ID, "client_secret": "wrong"})
    told = piece(reader, "reconciliation")
    assert "That could not be read." in told
    assert "Severa" in told


@pytest.mark.parametrize("period", ["since=2026-02-01&until=2026-01-01", "since=2020-01-01"])
def test_a_period_that_is_none_or_too_long_is_refused(reader: TestClient, period: str) -> None:
    answer = reader.get(f"/c/acme/reconciliation?{period}")
    assert answer.status_code == 400
    assert "within 400 days" in answer.text


def test_every_verdict_of_the_books_has_a_sentence_and_no_other() -> None:
    assert set(SENTENCES) == set(get_args(Verdict))
