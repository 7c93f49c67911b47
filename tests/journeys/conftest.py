"""A workshop between two sandboxes, connected as `acme`."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from app.hall import Hall
from app.sync.polls import planting
from tests.installation import Addresses, Vendors, addresses
from tests.journeys.echoes import Echoes
from tests.workshop import Workshop, workshop


@pytest.fixture(scope="session")
def homes() -> Iterator[Addresses]:
    with addresses() as both:
        yield both


@pytest.fixture
def partners(homes: Addresses) -> Vendors:
    """New ones for every test, at addresses that stay."""
    return homes.move_in()


@pytest.fixture
def shop(hall: Hall, redis_url: str, partners: Vendors) -> Iterator[Workshop]:
    with workshop(hall, redis_url, partners) as opened:
        opened.connect()
        yield opened


@pytest.fixture
def echoes(shop: Workshop) -> Echoes:
    heard = Echoes(shop)
    heard.listen()
    return heard


@pytest.fixture
def polled(shop: Workshop) -> Workshop:
    """Everybody by one clock; activated an hour after the registers were filled."""
    shop.clock.stop()
    shop.partners.severa.world.clock = shop.clock
    shop.partners.fortnox.options.clock = shop.clock
    shop.clock.move_on(timedelta(hours=1))
    shop.connect()
    planting.plant(shop.hall.db, shop.hall.settings, shop.clock())
    return shop
