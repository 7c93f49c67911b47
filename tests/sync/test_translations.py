"""The worked examples of invoices, customers, products and projects, Severa → Fortnox."""

import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from app.errors import Blocked
from app.fortnox import schemas as fortnox
from app.severa import schemas as severa
from app.severa.billed import BilledItem
from app.sync import customer, invoice_rows, product, project
from app.sync.invoice_document import Translation, differences, translate
from app.sync.invoice_rows import Facts
from app.sync.writing import frozen
from tests.sync.case_files import CASES, Case, cases, document, read

COUNTRIES = customer.countries_of(
    [severa.Country.model_validate(one) for one in read(CASES / "customer" / "countries.json")]
)


@cases("invoice")
def test_an_invoice_reaches_fortnox_as_its_example_says(case: Case) -> None:
    if "blocked" in case.fortnox:
        with pytest.raises(Blocked) as stopped:
            translate(facts_of(case))
        assert stopped.value.reason.code == case.fortnox["blocked"]
        return

    asked = translate(facts_of(case))

    assert sent(asked.invoice) == case.fortnox["Invoice"]
    assert [one.code for one in asked.warnings] == case.fortnox.get("warnings", [])
    assert differences(asked, answer_to(asked, case.fortnox["sums"])) == []


@cases("customer")
def test_a_customer_reaches_fortnox_as_its_example_says(case: Case) -> None:
    given = case.severa

    def translated() -> fortnox.CustomerIn:
        return customer.translate(
            severa.Customer.model_validate(given["customer"]),
            [severa.Address.model_validate(one) for one in given["addresses"]],
            [
                severa.CountrySetting.model_validate(one)
                for one in given.get("country_settings", [])
            ],
            countries=COUNTRIES,
            terms=set(given["fortnox"]["terms"]),
            vat_types=document(given.get("settings", {})).vat_types,
        )

    compare(translated, case.fortnox, "Customer")


@cases("product")
def test_a_product_reaches_fortnox_as_its_example_says(case: Case) -> None:
    article = severa.Article.model_validate(case.severa["record"])

    compare(lambda: product.translate(article), case.fortnox, "Article")


@cases("project")
def test_a_project_reaches_fortnox_as_its_example_says(case: Case) -> None:
    theirs = severa.Project.model_validate(case.severa["project"])

    compare(lambda: project.translate(theirs), case.fortnox, "Project")


def compare(translated: Any, expected: dict[str, Any], wrapper: str) -> None:
    if "blocked" in expected:
        with pytest.raises(Blocked) as stopped:
            translated()
        assert stopped.value.reason.code == expected["blocked"]
    else:
        assert sent(translated()) == expected[wrapper]


def sent(content: BaseModel) -> dict[str, Any]:
    """What is put on the wire, read back as an example is."""
    read_back: dict[str, Any] = json.loads(json.dumps(frozen(content)), parse_float=Decimal)
    return read_back


def facts_of(case: Case) -> Facts:
    given, known = case.severa, case.severa["fortnox"]
    units = known.get("business_units", {})
    items: dict[str, list[BilledItem]] = {}
    for one in given.get("billed", []):
        item = BilledItem.model_validate(one)
        items.setdefault(item.invoice_row_guid or "", []).append(item)
    invoice = severa.Invoice.model_validate(given["invoice"])
    rows = [severa.InvoiceRow.model_validate(one) for one in given["rows"]]
    return Facts(
        invoice=invoice,
        rows=rows,
        document=document(given.get("settings", {})),
        customer_number=known["customer_number"],
        projects={guid: (number, units.get(guid)) for guid, number in known["projects"].items()},
        articles=known["articles"],
        items=items if invoice_rows.needs_items(invoice, rows) else {},
        flat_rates={one["guid"]: one["project"]["guid"] for one in given.get("flat_rates", [])},
        terms=frozenset(known["terms"]),
        register_rate=known.get("currency_rate"),
        register_unit=Decimal(known.get("currency_unit", 1)),
        credits=known.get("credits"),
    )


def answer_to(asked: Translation, sums: dict[str, Any]) -> fortnox.Invoice:
    """Fortnox's answer to what was sent, with the sums that Fortnox comes to."""
    invoice = asked.invoice
    answer = {
        "DocumentNumber": "1027",
        "CustomerNumber": invoice.customer_number,
        "Currency": invoice.currency,
        "CurrencyRate": invoice.currency_rate or 1,
        "InvoiceRows": [{} for _ in invoice.invoice_rows],
        **sums,
    }
    return fortnox.Invoice.model_validate(answer)
