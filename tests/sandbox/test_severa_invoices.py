"""Invoices made by a user: totals to the öre, what lies under the rows, credit notes, fees."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.sandbox.severa import DRAFT, TRANSFER, Item, Problem, Row
from tests.sandbox.severa_company import Company, company


@pytest.fixture
def acme() -> Iterator[Company]:
    with company() as made:
        yield made


def totals(invoice: dict[str, Any]) -> tuple[float, float, float]:
    names = ("totalExcludingTax", "totalTax", "totalIncludingTax")
    net, tax, gross = (invoice[name]["amount"] for name in names)
    return net, tax, gross


def test_each_row_is_rounded_half_up(acme: Company) -> None:
    rows = [Row("hours", "0.5", "0.01"), Row("hours", "0.5", "0.01"), Row("fee", "1.5", "33.33")]
    invoice = acme.severa.add_invoice(1001, 3001, rows)
    assert totals(invoice) == (50.02, 12.5, 62.52)  # 0.01 + 0.01 + 50.00 and VAT 0 + 0 + 12.50


def test_vat_may_be_rounded_per_rate_instead() -> None:
    rows = [Row("fee", 1, "0.10"), Row("fee", 1, "0.10"), Row("fee", 1, "0.10", vat=12)]
    with company(vat_rounding="rate") as acme:
        assert totals(acme.severa.add_invoice(1001, 3001, rows)) == (0.3, 0.06, 0.36)
        acme.severa.options.vat_rounding = "row"
        assert totals(acme.severa.add_invoice(1001, 3001, rows)) == (0.3, 0.07, 0.37)


def test_an_hour_row_without_vat_takes_the_invoices(acme: Company) -> None:
    rows = [Row("hours", 10, 100, vat=None), Row("fee", 1, 100, vat=12)]
    invoice = acme.severa.add_invoice(1001, 3001, rows, work_hour_vat=6)
    shown = acme.get(f"/invoices/{invoice['guid']}/invoicerows")
    assert [row["vatRate"] for row in shown] == [None, 12.0]
    assert invoice["workHourValueAddedTax"] == 6.0
    assert totals(invoice) == (1100.0, 72.0, 1172.0)


def test_totals_are_kept_per_kind_of_row(acme: Company) -> None:
    rows = [Row("hours", 2, 100), Row("fee", 1, 50), Row("travel", 10, 3), Row("flat_rate", 1, 900)]
    invoice = acme.get(f"/invoices/{acme.severa.add_invoice(1001, 3001, rows)['guid']}")
    kinds = ("workHours", "projectFees", "projectTravelExpenses", "flatRates")
    assert [invoice[f"{k}TotalExcludingTax"]["amount"] for k in kinds] == [200, 50, 30, 900]
    assert invoice["workHoursQuantity"] == 2


def test_a_number_comes_with_the_first_numbering_status(acme: Company) -> None:
    invoice = acme.invoice()
    assert (invoice["number"], invoice["canBeDeleted"]) == (None, True)
    acme.severa.set_status(invoice, TRANSFER)
    acme.severa.set_status(invoice, DRAFT)
    acme.severa.set_status(invoice, TRANSFER)
    assert (invoice["number"], invoice["referenceNumber"]) == (2077, "20776")
    assert acme.get("/organizationsettings")["nextInvoiceNumber"] == 2078


def test_the_buyer_may_be_another_than_the_customer(acme: Company) -> None:
    made = acme.severa.add_invoice(1001, 3001, [Row(price=1)], billing_customer=1002)
    invoice = acme.get(f"/invoices/{made['guid']}")
    assert (invoice["customer"]["number"], invoice["billingCustomer"]["number"]) == (1001, 1002)
    assert invoice["receiverAddress"]["city"] == "Göteborg"
    assert invoice["paymentTerm"] == 20


def test_every_item_knows_its_row_its_project_and_its_code(acme: Company) -> None:
    items = (Item(2, article="100", project=3001), Item(3, article="110", project=3002))
    row = Row("hours", price=1000, items=items, description="Samlat")
    invoice = acme.severa.add_invoice(1001, [3001, 3002], [row])
    shown = acme.get(f"/invoices/{invoice['guid']}/invoicerows")[0]
    assert (shown["code"], shown["quantity"]) == (["100", "110"], 5.0)
    hours = acme.get(f"/invoicerows/{shown['guid']}/workhours")
    assert [(h["workType"]["code"], h["project"]["number"]) for h in hours] == [
        ("100", 3001),
        ("110", 3002),
    ]
    assert {hour["invoiceRowGuid"] for hour in hours} == {shown["guid"]}


@pytest.mark.parametrize(
    ("direction", "shown"), [("to_organization", 11.5), ("from_organization", 0.08695652)]
)
def test_the_rate_of_a_currency_has_a_direction(direction: str, shown: float) -> None:
    with company(currency_rate=direction) as acme:
        made = acme.severa.add_invoice(1004, 3003, [Row(price=1)], currency="EUR", rate="11.5")
        invoice = acme.get(f"/invoices/{made['guid']}")
        assert (invoice["currencyRate"], invoice["currency"]["code"]) == (shown, "EUR")


def test_a_full_credit_note_mirrors_its_invoice(acme: Company) -> None:
    original = acme.invoice()
    note = acme.severa.add_credit_note(original)
    shown = acme.get(f"/invoices/{note['guid']}")
    assert shown["isCreditNote"]
    assert totals(shown) == (-13750.0, -3437.5, -17187.5)
    assert shown["reimburseInvoice"] == {"guid": original["guid"], "number": None}
    credited = acme.get(f"/invoices/{original['guid']}")["creditNoteInvoice"]
    assert credited == {"guid": note["guid"], "number": note["number"]}
    rows = acme.get(f"/invoices/{note['guid']}/invoicerows")
    assert [row["quantity"] for row in rows] == [-10.0, -1.0, -100.0]
    hours = acme.get(f"/invoices/{note['guid']}/reimbursedworkhours")
    assert [(h["invoiceRowGuid"], h["workType"]["name"]) for h in hours] == [
        (rows[0]["guid"], "Konsultarbete")
    ]
    fees = acme.get(f"/invoices/{note['guid']}/reimbursedprojectfees")
    assert fees[0]["project"]["number"] == "3001"
    assert acme.get(f"/invoices/{note['guid']}/workhours") == []


def test_a_partial_credit_note_may_carry_the_sign_in_the_price() -> None:
    with company(credit_note_sign="price") as acme:
        first = acme.severa.rows(acme.invoice())[0]
        note = acme.severa.add_credit_note(acme.invoice(), {first["guid"]: "2.5"})
        rows = acme.get(f"/invoices/{note['guid']}/invoicerows")
        assert [(r["quantity"], r["unitPrice"]["amount"]) for r in rows] == [(2.5, -1100.0)]
        assert totals(note) == (-2750.0, -687.5, -3437.5)
        hours = acme.get(f"/invoices/{note['guid']}/reimbursedworkhours")
        assert [(h["quantity"], h["unitPrice"]["amount"]) for h in hours] == [(2.5, -1100.0)]


def test_a_patched_row_changes_the_totals_and_bumps_the_invoice(acme: Company) -> None:
    invoice = acme.invoice()
    row = acme.severa.rows(invoice)[0]
    acme.severa.world.change(invoice, lastUpdatedDateTime="")
    assert acme.patch(f"/invoicerows/{row['guid']}", "/quantity", 1).status_code == 200
    assert totals(invoice) == (3850.0, 962.5, 4812.5)
    changed = acme.get("/invoices", changedSince=row["lastUpdatedDateTime"])
    assert invoice["guid"] in [shown["guid"] for shown in changed]
    acme.severa.set_status(invoice, TRANSFER)
    assert acme.patch(f"/invoicerows/{row['guid']}", "/quantity", 2).status_code == 400


def test_a_deleted_invoice_is_gone_and_its_work_can_be_invoiced_again(acme: Company) -> None:
    invoice = acme.invoice()
    fee = acme.get(f"/invoices/{invoice['guid']}/projectfees")[0]
    assert acme.http.delete(f"/invoices/{invoice['guid']}").status_code == 204
    assert acme.http.get(f"/invoices/{invoice['guid']}").status_code == 404
    assert acme.http.get(f"/invoices/{invoice['guid']}/invoicerows").status_code == 404
    freed = acme.get(f"/projectfees/{fee['guid']}")
    assert (freed["invoice"], freed["invoiceRowGuid"]) == (None, None)


def test_a_file_is_fetched_by_its_file_guid(acme: Company) -> None:
    acme.severa.add_file(acme.invoice(), "tid.pdf", b"%PDF-1.4 hej")
    file = acme.get(f"/invoices/{acme.invoice()['guid']}/files")[0]
    data = acme.http.get(f"/files/{file['fileGuid']}/filedata")
    assert (data.content, data.headers["content-type"]) == (b"%PDF-1.4 hej", "application/pdf")
    assert file["size"] == 12
    assert acme.http.get(f"/files/{file['guid']}/filedata").status_code == 404


def fee(acme: Company, **fields: Any) -> dict[str, Any]:
    project = {"guid": acme.severa.find("projects", 3001)["guid"]}
    return {
        "project": project,
        "quantity": 1,
        "unitPrice": {"amount": 9.5, "currencyCode": "SEK"},
        **fields,
    }


def test_a_posted_fee_is_answered_in_an_array_and_listed_on_its_project(acme: Company) -> None:
    product = {"guid": acme.severa.find("products", "200")["guid"]}
    made = acme.http.post("/projectfees", json=fee(acme, product=product, name="Lev 5521")).json()
    assert [(f["name"], f["product"]["code"], f["measurementUnit"]) for f in made] == [
        ("Lev 5521", "200", "st")
    ]
    project = made[0]["project"]["guid"]
    listed = acme.get(f"/projects/{project}/projectfees", isBilled="false")
    assert [f["guid"] for f in listed] == [made[0]["guid"]]
    assert made[0]["phase"] is None


def test_a_fee_may_be_given_the_first_open_phase() -> None:
    with company(fee_gets_first_phase=True) as acme:
        made = acme.http.post("/projectfees", json=fee(acme)).json()
        assert made[0]["phase"]["name"] == "Genomförande"


def test_a_closed_project_takes_no_fee(acme: Company) -> None:
    acme.severa.change("projects", 3001, isClosed=True)
    answer = acme.http.post("/projectfees", json=fee(acme))
    assert answer.json()["error"]["type"] == "InvalidOperation"
    acme.severa.options.fee_on_closed_project = True
    assert acme.http.post("/projectfees", json=fee(acme)).status_code == 201


def test_an_invoiced_fee_is_neither_changed_nor_deleted(acme: Company) -> None:
    invoiced = acme.get(f"/invoices/{acme.invoice()['guid']}/projectfees")[0]["guid"]
    assert acme.patch(f"/projectfees/{invoiced}", "/quantity", 2).status_code == 400
    assert acme.http.delete(f"/projectfees/{invoiced}").status_code == 400
    with pytest.raises(Problem):
        acme.severa.delete("projectfees", invoiced)


def test_a_deleted_fee_is_remembered(acme: Company) -> None:
    made = acme.http.post("/projectfees", json=fee(acme)).json()[0]["guid"]
    assert acme.http.delete(f"/projectfees/{made}").status_code == 204
    assert [f["guid"] for f in acme.get("/deletedprojectfees")] == [made]


def test_a_sales_case_becomes_a_project_when_it_is_won(acme: Company) -> None:
    opened = {"salesStatusTypeGuid": acme.severa.find("salesstatustypes", "Pågående")["guid"]}
    case = acme.severa.add_project(name="Kanske", customer=1001, salesStatus=opened)["guid"]
    assert [c["guid"] for c in acme.get("/salescases")] == [case]
    assert case not in [p["guid"] for p in acme.get("/projects")]
    won = acme.severa.find("salesstatustypes", "Vunnen")["guid"]
    assert acme.patch(f"/projects/{case}", "/salesStatusTypeGuid", won).status_code == 200
    assert case in [p["guid"] for p in acme.get("/projects")]


def test_a_renamed_customer_is_shown_everywhere_but_not_on_what_was_printed(acme: Company) -> None:
    acme.severa.change("customers", 1001, name="Nordbygg Sverige AB")
    invoice = acme.get(f"/invoices/{acme.invoice()['guid']}")
    assert invoice["customer"]["name"] == "Nordbygg Sverige AB"
    assert invoice["receiverCustomerName"] == "Nordbygg AB"


def test_a_misspelt_field_is_told_to_whoever_writes_a_test(acme: Company) -> None:
    with pytest.raises(LookupError, match="vatnumber"):
        acme.severa.add_customer(name="Ny AB", vatnumber="SE556000000001")
