"""A workshop between two sandboxes, connected as `acme`."""

from collections.abc import Iterator

import pytest

from app.hall import Hall
from tests.installation import Vendors, vendors
from tests.workshop import Workshop, workshop


@pytest.fixture
def partners() -> Iterator[Vendors]:
    with vendors() as both:
        yield both


@pytest.fixture
def shop(hall: Hall, redis_url: str, partners: Vendors) -> Iterator[Workshop]:
    with workshop(hall, redis_url, partners) as opened:
        opened.connect()
        yield opened
