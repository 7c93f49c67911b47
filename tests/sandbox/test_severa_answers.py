"""Every answer is held against Severa's own OpenAPI document, unknown properties refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.sandbox.severa import TRANSFER, Row
from tests.sandbox.severa_company import Company, company
from tests.sandbox.severa_spec import check, document

LISTS = [
    "customers", "addresses", "contactpersons", "invoicestatuses", "invoices", "invoicerows",
    "products", "worktypes", "travelexpensetypes", "projects", "phases", "projectfees",
    "deletedprojectfees", "projecttravelexpenses", "workhours", "flatrates", "salesaccounts",
    "costaccounts", "costcenters", "businessunits", "currencies", "vatrates", "salescases",
    "localization/countries", "localization/languages", "projectstatustypes", "salesstatustypes",
]  # fmt: skip
PARTS = [
    "invoicerows", "workhours", "projectfees", "projecttravelexpenses", "reimbursedworkhours",
    "reimbursedprojectfees", "reimbursedprojecttravelexpenses", "files",
]  # fmt: skip
ALONE = [path for path in LISTS if path not in ("deletedprojectfees", "salescases")]


@pytest.fixture(scope="module")
def full() -> Iterator[Company]:
    """One of everything, credit note, file and flat rate included."""
    document()
    with company() as acme:
        severa = acme.severa
        severa.add_country_setting(1001, "SE", taxFreeDescription="Omvänd skattskyldighet")
        severa.add_contact(1001, firstName="Kalle", lastName="Kund")
        flat = Row("flat_rate", 1, 5000, "Fast pris", cost_center="10", sales_account="3041")
        severa.add_invoice(1001, [3001, 3002], [flat], freeText1="Hej", status=TRANSFER)
        severa.add_file(acme.invoice(), "tid.pdf", b"%PDF-1.4")
        severa.add_credit_note(acme.invoice())
        severa.add_fee(3001, name="Utlägg", quantity=1, unitPrice=10, product="200")
        severa.delete("projectfees", severa.add_fee(3001, name="Bort", quantity=1, product="200"))
        opened = severa.find("salesstatustypes", "Pågående")["guid"]
        status = {"salesStatusTypeGuid": opened}
        severa.add_project(name="Kanske", customer=1001, salesStatus=status)
        yield acme


def look(acme: Company, path: str, method: str = "GET", **kwargs: Any) -> Any:
    response = acme.http.request(method, f"/{path}", **kwargs)
    content = response.json()
    check(method, f"/v1/{path}", response.status_code, content)
    return content


@pytest.mark.parametrize("path", LISTS)
def test_a_list_has_the_documents_shape_and_something_in_it(full: Company, path: str) -> None:
    assert look(full, path, params={"rowCount": 100})


@pytest.mark.parametrize("path", ALONE)
def test_one_record_has_the_documents_shape(full: Company, path: str) -> None:
    first = look(full, path)[0]
    look(full, f"{path}/{first['guid']}")


@pytest.mark.parametrize("path", PARTS)
def test_the_parts_of_an_invoice_have_the_documents_shape(full: Company, path: str) -> None:
    original, note = full.invoice(), full.invoice(4)
    assert note["isCreditNote"]
    for invoice in (original, note):
        look(full, f"invoices/{invoice['guid']}/{path}")
    invoice = note if path.startswith("reimbursed") else original
    items = look(full, f"invoices/{invoice['guid']}/{path}")
    assert items
    if path not in ("invoicerows", "files"):
        row = items[0]["invoiceRowGuid"]
        assert look(full, f"invoicerows/{row}/{path}") == items


@pytest.mark.parametrize(
    "path", ["organizationdetails", "organizationsettings", "localization/countries/SE"]
)
def test_settings_have_the_documents_shape(full: Company, path: str) -> None:
    assert look(full, path)


def test_what_belongs_to_a_customer_or_project_has_the_documents_shape(full: Company) -> None:
    customer = full.severa.find("customers", 1001)["guid"]
    project = full.severa.find("projects", 3001)["guid"]
    for path in ("addresses", "contactpersons", "projects", "customercountrysettings"):
        assert look(full, f"customers/{customer}/{path}")
    for path in ("phaseswithhierarchy", "projectfees"):
        assert look(full, f"projects/{project}/{path}")
    settings = look(full, f"invoices/{full.invoice()['guid']}/invoicesettings")
    file = look(full, f"invoices/{full.invoice()['guid']}/files")[0]["fileGuid"]
    look(full, f"files/{file}")
    change = [{"op": "Replace", "path": "/entryDate", "value": "2026-03-31"}]
    look(full, f"invoicesettings/{settings['guid']}", "PATCH", json=change)


ONE_KRONA = {"amount": 1, "currencyCode": "SEK"}
BODIES: list[tuple[str, dict[str, Any]]] = [
    ("customers", {"name": "Ny AB", "vatNumber": "SE556000000001"}),
    ("contactpersons", {"firstName": "A", "lastName": "B", "customer": "customers/1001"}),
    ("invoicestatuses", {"name": "Extra"}),
    ("products", {"name": "P", "code": "9", "unitPrice": ONE_KRONA}),
    ("worktypes", {"name": "W", "code": "8"}),
    ("travelexpensetypes", {"name": "T", "expenseClass": "Mileage", "unitCost": ONE_KRONA}),
    ("salesaccounts", {"number": "3999", "name": "Övrigt"}),
    ("costaccounts", {"number": "5999", "name": "Övrigt"}),
    ("costcenters", {"identifier": "99", "name": "Övrigt"}),
    ("vatrates", {"percentage": 17.5}),
    ("projects", {"name": "Nytt", "customer": "customers/1001", "projectOwner": "users/Anna Lind"}),
    ("projectfees", {"quantity": 2, "project": "projects/3001", "product": "products/200"}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body"), BODIES, ids=[path for path, _ in BODIES])
def test_posts_and_patches_answer_in_the_documents_shape(
    full: Company, path: str, body: dict[str, Any]
) -> None:
    sent = {name: _resolved(full, value) for name, value in body.items()}
    made = look(full, path, "POST", json=sent)
    guid = (made[0] if isinstance(made, list) else made)["guid"]
    name = "percentage" if path == "vatrates" else "name"
    name = "firstName" if path == "contactpersons" else name
    value = 18 if name == "percentage" else "Annat"
    change = [{"op": "replace", "path": f"/{name}", "value": value}]
    patched = look(full, f"{path}/{guid}", "PATCH", json=change)
    assert patched[0][name] == value
    assert full.http.delete(f"/{path}/{guid}").status_code == 204
    assert full.http.get(f"/{path}/{guid}").status_code == 404


def _resolved(acme: Company, value: Any) -> Any:
    if isinstance(value, str) and "/" in value:
        table, key = value.split("/")
        found = acme.severa.find(table, int(key) if key.isdigit() and table != "products" else key)
        return {"guid": found["guid"]}
    return value


def test_tokens_and_refusals_have_the_documents_shape(full: Company) -> None:
    login = {"client_id": "demo.apps.vismasevera.com", "client_secret": "demo-secret"}
    look(full, "token", "POST", json=login)
    for path, body in [("token", {**login, "client_secret": "no"}), ("customers", {})]:
        assert look(full, path, "POST", json=body)["error"]["httpStatusCode"] in (400, 401)
