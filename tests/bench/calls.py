"""Calls to the vendors for each invoice and payment of many, where all they need is known."""

import tempfile
from datetime import timedelta
from pathlib import Path

from app.hall import open_hall
from app.sandbox.severa import TRANSFER
from app.settings import Rate, Settings
from tests import servers
from tests.bench.figures import Row
from tests.installation import vendors
from tests.workshop import Workshop, workshop

MANY = 200


def measure(many: int = MANY) -> dict[str, Row]:
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.redis_server() as redis,
        vendors() as partners,
    ):
        settings = Settings(
            database_url=f"sqlite:///{folder}/bridge.db",
            var_dir=Path(folder),
            severa_rate=Rate(1000, 1),
            fortnox_rate=Rate(1000, 1),
        )
        hall = open_hall(settings)
        with workshop(hall, redis.url, partners) as shop:
            shop.connect()
            partners.fortnox.options.clock = shop.clock
            shop.look_at("invoice", *order(shop, 1))
            shop.clock.move_on(timedelta(minutes=3))
            found = {"invoice": invoices(shop, many), "payment": payments(shop, many)}
        hall.db.close()
        return found


def invoices(shop: Workshop, many: int) -> Row:
    guids = order(shop, many)
    counted(shop)
    shop.look_at("invoice", *guids)
    return per_record(shop, many)


def payments(shop: Workshop, many: int) -> Row:
    books = shop.partners.books
    numbers = list(books.invoices)[-many:]
    for number in numbers:
        books.book(number)
        books.pay(number)
    counted(shop)
    shop.look_at("payment", *numbers)
    return per_record(shop, many)


def per_record(shop: Workshop, many: int) -> Row:
    fortnox, severa = counted(shop)
    return {"records": many, "fortnox": round(fortnox / many, 3), "severa": round(severa / many, 3)}


def order(shop: Workshop, many: int) -> list[str]:
    guids = [str(shop.partners.severa.add_simple_invoice()["guid"]) for _ in range(many)]
    for guid in guids:
        shop.partners.severa.set_status(guid, TRANSFER)
    return guids


def counted(shop: Workshop) -> tuple[int, int]:
    """The calls to Fortnox and to Severa since the last count."""
    made = shop.partners.fortnox.chaos.calls, shop.partners.severa.chaos.calls
    count = len(made[0]), len(made[1])
    for calls in made:
        calls.clear()
    return count
