"""The worked examples of project fees: what is booked in Fortnox, and what Severa is to get."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from app import worklist
from app.connections import Connection
from app.errors import Ending, Missing
from app.fortnox import schemas as fortnox
from app.hall import Hall, open_hall
from app.settings import Settings
from app.severa import schemas as severa
from app.sync import project_fee
from app.sync.fee_content import MARK
from app.sync.sides import Planned, Registers, Sides
from app.worklist import Want
from tests.sync.case_files import Case, cases, document

PHASE = "ba000000-0000-0000-0000-000000000001"


@dataclass
class SeveraWindow:
    """Projects with one open phase each, and products."""

    given: dict[str, Any]

    def project_by_number(self, number: str) -> severa.Project | None:
        found = (one for one in self.given["projects"] if str(one["number"]) == number)
        project = next(found, None)
        return severa.Project.model_validate(project) if project else None

    def project(self, guid: str) -> severa.Project:
        for one in self.given["projects"]:
            if one["guid"] == guid:
                return severa.Project.model_validate(one)
        raise Missing("severa")

    def phases(self, guid: str) -> list[severa.Phase]:
        return [severa.Phase(guid=PHASE)]

    def products_by_code(self, code: str) -> list[severa.Article]:
        found = [one for one in self.given.get("products", []) if one["code"] == code]
        return [severa.Article.model_validate(one) for one in found]

    def create_project_fee(self, payload: dict[str, Any]) -> severa.ProjectFee:
        raise AssertionError("a dry run sends nothing")


@dataclass
class FortnoxWindow:
    given: dict[str, Any]

    def supplier_invoice(self, number: str) -> fortnox.SupplierInvoice:
        assert number == self.given["GivenNumber"]
        return fortnox.SupplierInvoice.model_validate(self.given)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """One empty database for all examples: nothing is written to it."""
    folder: Path = tmp_path_factory.mktemp("hall")
    opened = open_hall(Settings(database_url=f"sqlite:///{folder}/bridge.db", var_dir=folder))
    yield opened
    opened.db.close()


@cases("project_fee")
def test_a_supplier_invoice_reaches_severa_as_its_example_says(case: Case, hall: Hall) -> None:
    planned: list[Planned] = []
    sides = sides_of(case, hall, planned)
    item = worklist.imagined(Want(sides.name, "project_fee", number_of(case)))

    ended = None
    try:
        project_fee.sync(sides, item)
    except Ending as ending:
        ended = ending.reason.code

    assert ended == case.severa.get("ended")
    assert [told(one) for one in planned] == [expected(one) for one in case.severa["fees"]]
    marks = [MARK.findall(one.payload["description"]) for one in planned]
    assert all(len(found) == 1 for found in marks)
    assert len({found[0] for found in marks}) == len(planned)


def number_of(case: Case) -> str:
    number: str = case.fortnox["SupplierInvoice"]["GivenNumber"]
    return number


def sides_of(case: Case, hall: Hall, planned: list[Planned]) -> Sides:
    settings = document(case.severa.get("settings", {}))
    nobody = cast(Any, None)  # holder and ensure: what is only planned asks for neither
    return Sides(
        connection=Connection(settings.name, settings, True, None, hall.clock()),
        severa=cast(Any, SeveraWindow(case.severa)),
        fortnox=cast(Any, FortnoxWindow(case.fortnox["SupplierInvoice"])),
        db=hall.db,
        clock=hall.clock,
        holder=nobody,
        ensure=nobody,
        quarantine=nobody,
        registers=Registers(hall.clock),
        retention=timedelta(days=400),
        post=nobody,
        is_alone=lambda: True,
        plan=planned,
    )


def told(planned: Planned) -> dict[str, Any]:
    """The fee that would be made, with its mark taken off, read as an example is read."""
    assert (planned.system, planned.action) == ("severa", "create_project_fee")
    fee: dict[str, Any] = json.loads(json.dumps(planned.payload), parse_float=Decimal)
    return fee | {"description": MARK.sub("", fee["description"]).rstrip()}


def expected(short: dict[str, Any]) -> dict[str, Any]:
    """An example says `cost` once: it is the price too, until a project lead adds to it."""
    fee = {name: value for name, value in short.items() if name not in ("cost", "currency")}
    money = {"amount": short["cost"], "currencyCode": short.get("currency", "SEK")}
    for name in ("project", "product"):
        if name in fee:
            fee[name] = {"guid": fee[name]}
    return fee | {
        "phase": {"guid": PHASE},
        "invoiceRowDescription": fee["description"],
        "unitCost": money,
        "unitPrice": money,
    }
