"""Whatever nonsense a vendor answers to any call of any handler that writes: nothing wrong is
written, the row says why it waits, and when sense has come back there is one of everything.

Here every thirteenth call meets one kind of nonsense; each of them meets every kind by
`BABBLE=1 make test T=tests/journeys/test_babble.py`.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from app.models import looks, outages, work
from tests.installation import Addresses, Vendors
from tests.journeys.babble import WAYS, Babble
from tests.proof.scenarios import SCENARIOS, Key, scenes
from tests.servers import RedisServer
from tests.workshop import Workshop, long_shop

EVERYTHING = bool(os.environ.get("BABBLE"))
LATER = timedelta(hours=1)
ROUNDS = 6
EVERY = 13  # th call of each scenario is among those that are tried
OURS_TO_NUMBER = 20_000
# What both systems keep of a record that is the same whichever record it is.
ROW = ("AccountNumber", "DeliveredQuantity", "Discount", "Price", "Unit", "VAT")
ALIKE: dict[str, tuple[str, ...]] = {
    "invoices": ("Address1", "Booked", "City", "Currency", "Net", "TotalVAT", "YourReference"),
    "customers": ("Active", "Address1", "City", "CountryCode", "VATNumber", "ZipCode", "vatNumber"),
    "articles": ("Active", "SalesAccount", "Type", "Unit", "VAT"),
    "projects": ("Status", "StartDate", "EndDate"),
    "attachments": ("entityType", "includeOnSend"),
    "addresses": ("addressline", "city", "postalCode"),
    "products": ("isActive", "measurementUnit", "type", "vatRate"),
    "projectfees": ("quantity", "unitCost", "unitPrice", "vatRate", "isBilled"),
}

pytestmark = pytest.mark.xdist_group("babble")


@dataclass
class Ground:
    """What the scenarios of dying processes stand on, in this one process."""

    shop: Workshop
    babble: Babble = field(default_factory=Babble)
    counted: int = OURS_TO_NUMBER

    @property
    def partners(self) -> Vendors:
        return self.shop.partners

    def number(self) -> int:
        self.counted += 1
        return self.counted

    def want(self, *keys: Key) -> None:
        for kind, key in keys:
            self.shop.hear_of(kind, key)

    def forget(self) -> None:
        """Everything that spares a call."""
        with self.shop.hall.db.transaction() as tx:
            tx.execute(delete(looks))
            tx.execute(delete(outages))
        self.shop.process.room.registers.clear()
        self.shop.process.room.together.clear()

    def recover(self) -> None:
        """Time passes; a person retries what was put before him."""
        for _ in range(ROUNDS):
            self.shop.run()
            for (kind, key), (state, _) in self.unsettled().items():
                if state == "blocked":
                    self.shop.retry(kind, key)
            if not self.unsettled():
                return
            self.shop.clock.move_on(LATER)

    def unsettled(self) -> dict[Key, tuple[str, Any]]:
        with self.shop.hall.db.reading() as tx:
            asked = work.c.state.not_in(("done", "skipped")) & work.c.kind.not_in(("poll", "probe"))
            rows = tx.execute(select(work).where(asked))
            return {(row.kind, row.key): (row.state, row.reason) for row in rows}

    def log(self) -> str:
        return str(self.unsettled())

    def written(self) -> Counter[str]:
        """What stands in both systems, as far as it is the same for every record of its kind."""
        books, severa = self.partners.books, self.partners.severa
        ours = ("invoices", "customers", "articles", "projects", "attachments")
        theirs = ("customers", "addresses", "products", "projectfees")
        shelves = [(name, list(getattr(books, name).values())) for name in ours]
        shelves += [(name, severa.records(name)) for name in theirs]
        return Counter(f"{name} {alike(name, one)}" for name, records in shelves for one in records)


def alike(shelf: str, record: Any) -> str:
    rows = [[row.get(name) for name in ROW] for row in record.get("InvoiceRows", [])]
    kept = {name: record[name] for name in ALIKE[shelf] if name in record}
    return json.dumps([kept, rows], sort_keys=True, default=str)


@pytest.fixture(scope="module")
def ground(
    migrated: Path,
    shared_redis: RedisServer,
    homes: Addresses,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("babble")
    with long_shop(migrated, shared_redis, homes, folder) as shop:
        severa = shop.partners.severa
        product = severa.find("products", "290")["guid"]
        shop.connect(bookkeep_invoices=True, transfer_attachments=True, default_product=product)
        opened = Ground(shop)
        opened.babble.before(shop.partners)
        opened.want(("project", severa.find("projects", 3001)["guid"]))
        opened.recover()
        yield opened


@pytest.mark.timeout(3600 if EVERYTHING else 120)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nonsense_holds_up_and_spoils_nothing(ground: Ground, scenario: str) -> None:
    before = ground.written()
    [undisturbed] = scenes(ground, SCENARIOS[scenario], 1)
    ground.forget()
    ground.babble.listen()
    ground.want(*undisturbed.keys)
    ground.shop.run()
    heard = list(ground.babble.heard)
    assert set(undisturbed.count().values()) == {1}
    right = ground.written() - before
    assert len(heard) >= 3
    met = chosen(scenario, len(heard))
    disturbed = scenes(ground, SCENARIOS[scenario], len(met))
    for (at, way), scene in zip(met, disturbed, strict=True):
        ground.forget()
        ground.babble.listen(way, at)
        ground.want(*scene.keys)
        ground.shop.run()
        for key, (state, reason) in ground.unsettled().items():
            assert state in ("waiting", "blocked"), (heard[at], way, key, state)
            assert reason["code"] != "our_bug", (heard[at], way, key, reason)
    ground.babble.listen()
    ground.forget()
    ground.recover()
    assert ground.unsettled() == {}
    counts = {
        f"{way}: {heard[at]}": scene.count()
        for (at, way), scene in zip(met, disturbed, strict=True)
    }
    assert {told: one for told, one in counts.items() if set(one.values()) != {1}} == {}
    assert set(ground.written() - before) == set(right)


def chosen(scenario: str, calls: int) -> list[tuple[int, str]]:
    """Which call meets which nonsense."""
    ways = list(WAYS)
    if EVERYTHING:
        return [(at, way) for at in range(calls) for way in ways]
    first = list(SCENARIOS).index(scenario) % EVERY
    sample = range(min(first, calls - 1), calls, EVERY)
    return [(at, ways[(5 * first + 7 * at) % len(ways)]) for at in sample]
