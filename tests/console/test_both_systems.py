"""Pages that read both systems, between two sandboxes: the console of a workshop, one for all."""

import csv
import html
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from app import clock, console, people
from app.checks import matching
from app.checks.comparison import Verdict
from app.console.readings import KEPT
from app.console.reconciliation import SENTENCES
from app.console.registers import VERDICTS, WHYS
from app.hall import open_hall
from app.models import work
from app.sandbox.severa import TRANSFER
from app.sandbox.severa.demo import CLIENT_ID
from app.settings import Rate, Settings
from tests.console.conftest import PASSWORD
from tests.installation import Addresses, addresses
from tests.servers import RedisServer
from tests.workshop import Workshop, admin_api, workshop


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
    app = admin_api(shop)
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


def test_a_period_that_is_none_or_too_long_is_refused(reader: TestClient) -> None:
    for period in ("since=2026-02-01&until=2026-01-01", "since=2020-01-01"):
        answer = reader.get(f"/c/acme/reconciliation?{period}")
        assert answer.status_code == 400
        assert "within 400 days" in answer.text


def test_every_verdict_of_the_books_has_a_sentence_and_no_other() -> None:
    assert set(SENTENCES) == set(get_args(Verdict))


def test_the_registers_stand_side_by_side_with_verdict_score_and_why(
    shop: Workshop, reader: TestClient
) -> None:
    books = shop.partners.books
    books.add_customer(CustomerNumber="77", Name="Nordbyggs AB")
    books.add_customer(CustomerNumber="1002", Name="Kustens Energi AB")
    books.add_article(ArticleNumber="777", Description="Något annat")
    shop.partners.severa.add_product(code="777", name="<b>Konsult</b>")
    asked = len(shop.partners.fortnox.chaos.calls)
    assert "being read" in reader.get("/c/acme/registers").text
    assert len(shop.partners.fortnox.chaos.calls) == asked
    told = piece(reader, "registers")
    assert "Would be linked: 1" in told
    assert "Near miss: 1" in told
    assert "under another number" in told
    assert "Conflict: 1" in piece(reader, "registers?register=products")
    shown = reader.get("/c/acme/registers?register=products&verdict=conflict").text
    assert "The same code under another name." in shown
    assert "&lt;b&gt;Konsult&lt;/b&gt;" in shown
    assert "Något annat" in shown
    found = rows(reader, "registers.csv?verdict=near_miss")
    assert [row[:5] for row in found[1:]] == [
        ["Near miss", "1001", "Nordbygg AB", "77", "Nordbyggs AB"]
    ]
    assert shop.partners.writes() == 0


def test_thousands_of_rows_are_paged_searched_and_read_once(
    shop: Workshop, reader: TestClient
) -> None:
    for number in range(1000):
        shop.partners.books.add_customer(CustomerNumber=f"{5000 + number}", Name=f"K {number} AB")
    assert "Only in Fortnox: 1,000" in piece(reader, "registers")
    read = len(shop.partners.fortnox.chaos.calls)
    second = reader.get("/c/acme/registers?verdict=only_fortnox&page=2").text
    assert "Page 2 of 20" in second
    assert second.count('<tr class="row">') == 50
    assert reader.get("/c/acme/registers?q=k+999+ab").text.count('<tr class="row">') == 1
    assert "Page 20 of 20" in reader.get("/c/acme/registers?verdict=only_fortnox&page=999").text
    assert len(rows(reader, "registers.csv?verdict=only_fortnox")) == 1001
    assert len(shop.partners.fortnox.chaos.calls) == read
    piece(reader, "registers?anew=1")
    assert len(shop.partners.fortnox.chaos.calls) > read


def test_what_was_read_is_read_again_after_a_while_and_with_other_settings(
    shop: Workshop, reader: TestClient
) -> None:
    piece(reader, "registers")
    assert "being read" not in reader.get("/c/acme/registers").text
    shop.connect(label="Another name")
    assert "being read" in reader.get("/c/acme/registers").text
    piece(reader, "registers")
    shop.clock.move_on(KEPT)
    assert "being read" in reader.get("/c/acme/registers").text


def test_every_verdict_on_a_pair_has_its_word_and_every_why_its_sentence() -> None:
    assert set(VERDICTS) == set(get_args(matching.Verdict))
    codes = set(re.findall(r'"((?:same|code)_\w+)"', Path(matching.__file__).read_text()))
    assert set(WHYS) == codes


def test_a_register_is_looked_at_before_it_is_carried_over_then_watched_and_cancelled(
    shop: Workshop, reader: TestClient
) -> None:
    carried_over(shop)  # one customer with it
    written = shop.partners.writes()
    way = "customer:severa_to_fortnox"
    assert "being read" in reader.get(f"/c/acme/backfills/ahead?way={way}").text
    told = piece(reader, f"backfills/ahead?way={way}")
    assert "4 records are in the register." in told
    assert "1 of them is linked already" in told
    assert "3 are not linked yet" in told
    assert told.count("new customer") == 3
    assert shop.partners.writes() == written

    send(reader, "backfills", way=way)
    assert "0 of 0" in piece(reader, "backfills")
    (cancel,) = re.findall(r"/c/acme/(backfills/\w+/cancel)", piece(reader, "backfills"))
    send(reader, cancel)
    shop.run()
    assert "Cancelled" in piece(reader, "backfills")
    assert shop.partners.writes() == written

    send(reader, "backfills", way=way)
    shop.run()
    assert "4 of 4" in piece(reader, "backfills")
    assert len(shop.partners.books.customers) == 4
    assert reader.get("/c/acme/backfills/ahead?way=customer:sideways").status_code == 400


def send(reader: TestClient, path: str, *, to: str = "backfills", **form: str) -> None:
    (token, *_) = re.findall(r'name="csrf" value="([^"]+)"', reader.get("/c/acme/").text)
    answer = reader.post(f"/c/acme/{path}", data={"csrf": token} | form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/c/acme/{to}")


def test_many_that_are_run_again_are_watched_and_cancelled_like_a_register(
    shop: Workshop, reader: TestClient
) -> None:
    carried_over(shop)
    stood = shop.row("invoice", only(shop, "invoice").key)
    send(reader, "retry?state=failed")
    assert "Transfers that a person runs again" not in piece(reader, "backfills")
    send(reader, "retry?state=done")
    found = piece(reader, "backfills")
    assert "Transfers that a person runs again" in found
    (cancel,) = re.findall(r"/c/acme/(backfills/\w+/cancel)", found)
    assert shop.row("invoice", stood.key).state == "queued"
    send(reader, cancel)
    assert shop.row("invoice", stood.key).state == "done"
    assert shop.row("invoice", stood.key).received_at == stood.received_at


def only(shop: Workshop, kind: str) -> Any:
    with shop.hall.db.reading() as tx:
        return tx.execute(select(work).where(work.c.kind == kind)).one()


def test_who_may_only_view_sets_nothing_going(shop: Workshop, reader: TestClient) -> None:
    with shop.hall.db.transaction() as tx:
        people.add(tx, "viewer", PASSWORD, "view", shop.clock())
    reader.cookies.clear()
    assert reader.post("/log-in", data={"name": "viewer", "secret": PASSWORD}).status_code == 303
    (token, *_) = re.findall(r'name="csrf" value="([^"]+)"', reader.get("/c/acme/").text)
    given = {"csrf": token, "way": "customer:severa_to_fortnox"}
    for path in ("backfills", "backfills/bfl_1/cancel", "retry?state=done"):
        assert reader.post(f"/c/acme/{path}", data=given).status_code == 403
    assert reader.get("/c/acme/backfills/ahead?way=project:severa_to_fortnox").status_code == 403
    with shop.hall.db.reading() as tx:
        assert tx.execute(select(work)).all() == []


def test_what_nearly_fits_leads_from_the_preflight_to_the_registers(
    shop: Workshop, reader: TestClient
) -> None:
    shop.partners.books.add_customer(CustomerNumber="77", Name="Nordbyggs AB")
    (query,) = re.findall(r'/c/acme/(registers\?[^"]+)"', piece(reader, "preflight"))
    shown = piece(reader, html.unescape(query))
    assert shown.count('<tr class="row">') == 1
    assert "Nordbyggs AB" in shown


def is_active(shop: Workshop) -> bool:
    return shop.connection().active


def test_what_stops_single_records_is_named_and_asked_before_activation(
    shop: Workshop, reader: TestClient
) -> None:
    switch_off(reader)
    told = piece(reader, "preflight")
    assert "Activate all the same" in told  # the demo company lacks a unit in Fortnox
    send(reader, "activate", to="preflight")
    assert not is_active(shop)
    send(reader, "activate", to="", anyway="on")
    assert is_active(shop)


def test_what_would_stop_every_record_refuses_activation_whatever_is_said(
    shop: Workshop, reader: TestClient
) -> None:
    shop.connect(severa={"client_id": CLIENT_ID, "client_secret": "wrong"})
    switch_off(reader)
    assert "Activate all the same" not in piece(reader, "preflight")
    send(reader, "activate", to="preflight", anyway="on")
    assert not is_active(shop)


def test_the_admin_api_refuses_a_missing_setting_and_reads_no_system(
    shop: Workshop, reader: TestClient
) -> None:
    switch_off(reader)
    reader.headers["Authorization"] = f"Bearer {shop.hall.keys.admin}"
    asked = len(shop.partners.severa.chaos.calls)
    assert reader.post("/api/v1/connections/acme/activate").status_code == 200
    reader.post("/api/v1/connections/acme/deactivate")
    changed = {"invoice_statuses": {"transfer": None}}
    reader.patch("/api/v1/connections/acme", json=changed)
    refused = reader.post("/api/v1/connections/acme/activate")
    assert refused.status_code == 409
    assert "invoice_statuses.transfer" in refused.text
    assert not is_active(shop)
    assert len(shop.partners.severa.chaos.calls) == asked


def switch_off(reader: TestClient) -> None:
    send(reader, "deactivate", to="connect")
