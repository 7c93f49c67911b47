"""The worked examples of payments: what Fortnox says of an invoice, and what Severa is told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from app import journal, links, locks
from app.connections import Connection
from app.errors import NothingToDo
from app.fortnox import schemas as fortnox
from app.hall import open_hall
from app.holder import Holder
from app.links import Link
from app.settings import Settings
from app.severa import schemas as severa
from app.sync import payment
from app.sync.sides import Registers, Sides
from app.worklist import Item, Want
from tests.sync.case_files import Case, cases, document

GUID = "1a000000-0000-0000-0000-000000002077"
NAME = "nordbygg"


@dataclass
class SeveraWindow:
    """One invoice, and what is written to it."""

    stands: dict[str, Any]
    written: list[dict[str, Any]] = field(default_factory=list)

    def invoice(self, guid: str) -> severa.Invoice:
        return severa.Invoice.model_validate({"guid": guid, **self.stands})

    def move_invoice(self, guid: str, status: str, payment_date: date | None = None) -> None:
        assert guid == GUID
        self.written.append({"status": status, "paymentDate": payment_date})


@dataclass
class FortnoxWindow:
    given: dict[str, Any]

    def invoice(self, number: str) -> fortnox.Invoice:
        assert number == self.given["DocumentNumber"]
        return fortnox.Invoice.model_validate(self.given)


@pytest.fixture(scope="module")
def holder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Holder]:
    """One database for all examples; each of them has a connection of its own in it."""
    folder: Path = tmp_path_factory.mktemp("hall")
    hall = open_hall(Settings(database_url=f"sqlite:///{folder}/bridge.db", var_dir=folder))
    lock = locks.take(hall.db, "test", folder)
    yield Holder(hall.db, lock, hall.clock, hall.settings.quarantine_time)
    lock.release()
    hall.db.close()


@cases("payment")
def test_a_payment_reaches_severa_as_its_example_says(
    case: Case, holder: Holder, request: pytest.FixtureRequest
) -> None:
    window = SeveraWindow(case.severa["before"])
    sides = sides_of(case, holder, window, connection=request.node.callspec.id.replace("_", "-"))
    item = claimed(case, sides)

    skipped = None
    try:
        payment.sync(sides, item)
    except NothingToDo as nothing:
        skipped = nothing.reason.code

    assert skipped == case.severa.get("skipped")
    assert window.written == written(case.severa.get("written"))
    assert told(sides, item) == case.severa.get("log", [])


def sides_of(case: Case, holder: Holder, window: SeveraWindow, *, connection: str) -> Sides:
    settings = document(case.fortnox.get("settings", {})).model_copy(update={"name": connection})
    return Sides(
        connection=Connection(connection, settings, True, None, holder.clock()),
        severa=cast(Any, window),
        fortnox=cast(Any, FortnoxWindow(case.fortnox["Invoice"])),
        db=holder.db,
        clock=holder.clock,
        holder=holder,
        ensure=cast(Any, None),  # a payment needs no other record
        quarantine=timedelta(minutes=1),
        registers=Registers(holder.clock),
        retention=timedelta(days=400),
        post=cast(Any, None),
        is_alone=lambda: True,
    )


def claimed(case: Case, sides: Sides) -> Item:
    """The row of the payment, and the invoice as it was carried over before."""
    number = case.fortnox["Invoice"]["DocumentNumber"]
    if case.severa["carried_over"]:
        link = Link("invoice", GUID, number, case.severa.get("told_before", {}))
        with sides.db.transaction() as tx:
            links.remember(tx, sides.name, link, sides.clock())
    want = Want(sides.name, "payment", number, subject=f"invoice:{GUID}")
    item = sides.holder.claim_now(want)
    assert item is not None
    return item


def written(expected: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What an example says is written, as one move."""
    if expected is None:
        return []
    day = expected.get("paymentDate")
    return [
        {
            "status": expected["status"]["guid"],
            "paymentDate": date.fromisoformat(day) if day else None,
        }
    ]


def told(sides: Sides, item: Item) -> list[dict[str, str]]:
    with sides.db.reading() as tx:
        return [{"what": one.what, **one.facts} for one in journal.read(tx, item.id)]
