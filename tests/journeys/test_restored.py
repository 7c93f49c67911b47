"""A database restored from an hour-old copy: what it has forgotten is found, and not made again."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app import moving
from app.db import Database
from app.hall import open_hall
from app.sandbox.chaos import Fault
from app.sandbox.severa import PAID, RECEIVED, TRANSFER
from app.sync.polls import planting
from tests.journeys.test_invoices import order, status
from tests.journeys.test_project_fees import amounts, bill, cost
from tests.journeys.test_registers import HAMN, addresses, customers
from tests.workshop import Workshop, workshop

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
PDF = b"%PDF-1.4 underlag"


def rounds(shop: Workshop, count: int = 2) -> None:
    """Polls, and what they hear of; longer than every doubt."""
    for _ in range(count):
        shop.clock.move_on(11 * MINUTE)
        shop.run()


def backed_up(shop: Workshop, file: Path) -> Path:
    moving.move(shop.hall.db, Database(f"sqlite:///{file}"), file.parent, lambda _table: None)
    return file


@contextmanager
def restored(shop: Workshop, file: Path, redis_url: str, url: str) -> Iterator[Workshop]:
    given = shop.hall.settings.model_copy(update={"database_url": url})
    hall = open_hall(given)
    moving.move(Database(f"sqlite:///{file}"), hall.db, given.var_dir, lambda _table: None)
    with workshop(hall, redis_url, shop.partners) as again:
        again.clock.follow(shop.clock)
        yield again
    hall.db.close()


def number_of(shop: Workshop, guid: str) -> str:
    books = shop.partners.books.invoices
    return next(
        number
        for number, one in books.items()
        if one["ExternalInvoiceReference1"] == f"severa:{guid}"
    )


def everything(shop: Workshop) -> dict[str, Any]:
    """What both books say, by what it is called there."""
    books, severa = shop.partners.books, shop.partners.severa
    return {
        "invoices": shop.partners.invoices_by_reference(),
        "credited": Counter(str(one["CreditInvoiceReference"]) for one in books.invoices.values()),
        "customers there": Counter(one["Name"] for one in books.customers.values()),
        "articles there": Counter(one["Description"] for one in books.articles.values()),
        "projects there": Counter(one["Description"] for one in books.projects.values()),
        "files": len(books.files),
        "attachments": len(books.attachments),
        "customers here": len(customers(shop, 5001)),
        "addresses here": addresses(shop, 5001),
        "products here": [one["code"] for one in severa.records("products")].count("7001"),
        "fees here": amounts(shop),
    }


def test_nothing_is_made_a_second_time_and_nothing_is_lost(
    shop: Workshop, redis_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    severa, books = shop.partners.severa, shop.partners.books
    shop.clock.stop()
    severa.world.clock = shop.partners.fortnox.options.clock = shop.clock
    shop.clock.move_on(HOUR)
    shop.connect(transfer_attachments=True)
    planting.plant(shop.hall.db, shop.hall.settings, shop.clock())
    shop.look_at("project", *(one["guid"] for one in severa.records("projects")))
    done, in_doubt, queued = (order(shop) for _ in range(3))
    shop.look_at("invoice", done)
    shop.partners.fortnox.chaos.faults.append(Fault("lose", "/3/invoices$", "POST"))
    shop.look_at("invoice", in_doubt)
    shop.hear_of("invoice", queued)
    copy = backed_up(shop, tmp_path / "copy.db")

    later, with_file, half = (order(shop) for _ in range(3))
    severa.add_file(with_file, "underlag.pdf", PDF)
    books.add_customer(**HAMN)
    books.add_article(ArticleNumber="7001", Description="Skylt", Unit="st", VAT=25)
    bill(shop, cost())
    rounds(shop)
    books.book(number_of(shop, done))
    note = severa.add_credit_note(done)["guid"]
    severa.set_status(note, TRANSFER)
    rounds(shop, 1)
    assert {status(shop, one) for one in (done, in_doubt, queued, later, note)} == {RECEIVED}
    with severa.silently():
        severa.set_status(half, TRANSFER)  # made in Fortnox, and the move back was not done yet
    before = everything(shop)
    assert (before["files"], before["customers here"], before["fees here"]) == (1, 1, [5000])

    books.pay(books.book(number_of(shop, later))["DocumentNumber"])
    url = f"sqlite:///{tmp_path}/again.db"
    if not shop.hall.db.is_sqlite:
        url = request.getfixturevalue("postgres").new_database()
    with restored(shop, copy, redis_url, url) as again:
        rounds(again, 1)
        again.look_at("invoice", done, in_doubt, queued, later, with_file, half, note)
        for one in (in_doubt, queued):
            books.pay(books.book(number_of(shop, one))["DocumentNumber"])
        rounds(again)
        assert everything(again) == before
        assert status(again, half) == RECEIVED
        assert {status(again, one) for one in (later, in_doubt, queued)} == {PAID}
