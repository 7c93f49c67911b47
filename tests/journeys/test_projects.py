"""Projects go from Severa to Fortnox, whatever becomes of them there."""

import pytest

from app.sandbox.severa import TRANSFER
from tests.journeys.echoes import Echoes
from tests.workshop import Workshop

WEBBPLATS = 3001


def guid_of(shop: Workshop, number: int = WEBBPLATS) -> str:
    return str(shop.partners.severa.find("projects", number)["guid"])


def sales_state(shop: Workshop, name: str) -> dict[str, str]:
    kind = shop.partners.severa.find("salesstatustypes", name)
    return {"salesStatusTypeGuid": kind["guid"]}


def sales_case(shop: Workshop) -> str:
    project = shop.partners.severa.add_project(
        name="Offert bro", number=8001, customer=1001, salesStatus=sales_state(shop, "Pågående")
    )
    return str(project["guid"])


def test_a_project_is_made_renamed_closed_and_opened_again(shop: Workshop, echoes: Echoes) -> None:
    severa, guid = shop.partners.severa, guid_of(shop)
    shop.look_at("project", guid)
    made = shop.partners.books.projects["3001"]
    assert (made["Description"], made["Status"]) == ("Ny webbplats", "ONGOING")
    assert made["StartDate"] == "2026-01-01"
    severa.change(
        "projects", WEBBPLATS, name="Ny webbplats med e-tjänster för kunder och leverantörer"
    )
    assert echoes.settle() == 1
    severa.change("projects", WEBBPLATS, isClosed=True)
    assert echoes.settle() == 1
    closed = shop.partners.books.projects["3001"]
    assert (closed["Status"], len(closed["Description"])) == ("COMPLETED", 50)
    assert closed["EndDate"] == severa.find("projects", WEBBPLATS)["closedDate"]
    severa.change("projects", WEBBPLATS, isClosed=False)
    assert echoes.settle() == 1
    opened = shop.partners.books.projects["3001"]
    assert (opened["Status"], opened["EndDate"]) == ("ONGOING", None)
    assert shop.log("project", guid) == ["created_project", *["updated_project"] * 3]


def test_an_internal_project_goes_over_too(shop: Workshop) -> None:
    project = shop.partners.severa.add_project(
        name="Intern tid", number=8002, customer=1001, isInternal=True
    )
    shop.look_at("project", project["guid"])
    assert shop.partners.books.projects["8002"]["Description"] == "Intern tid"


def test_looking_again_writes_nothing(shop: Workshop) -> None:
    shop.look_at("project", guid_of(shop))
    writes = shop.partners.writes()
    for _ in range(3):
        shop.look_at("project", guid_of(shop))
    assert shop.partners.writes() == writes


@pytest.mark.parametrize("among_projects", [True, False])
def test_a_sales_case_becomes_a_project_when_it_is_won(
    shop: Workshop, echoes: Echoes, among_projects: bool
) -> None:
    shop.partners.severa.options.sales_cases_among_projects = among_projects
    guid = sales_case(shop)
    assert echoes.settle() == 0
    assert shop.outcome("project", guid) == ("skipped", "project_not_won")
    shop.partners.severa.change("projects", 8001, salesStatus=sales_state(shop, "Förlorad"))
    assert echoes.settle() == 0
    shop.partners.severa.change("projects", 8001, salesStatus=sales_state(shop, "Vunnen"))
    assert echoes.settle() == 1
    assert shop.partners.books.projects["8001"]["Description"] == "Offert bro"


def test_a_project_that_was_carried_over_follows_whatever_its_sales_status_becomes(
    shop: Workshop, echoes: Echoes
) -> None:
    guid = guid_of(shop)
    shop.look_at("project", guid)
    lost = sales_state(shop, "Förlorad")
    shop.partners.severa.change("projects", WEBBPLATS, salesStatus=lost, name="Nerlagd")
    assert echoes.settle() == 1
    assert shop.partners.books.projects["3001"]["Description"] == "Nerlagd"


def test_a_project_that_fortnox_has_is_linked_and_nothing_is_written(shop: Workshop) -> None:
    shop.partners.books.add_project("3001", "Webben")
    writes = shop.partners.writes()
    guid = guid_of(shop)
    shop.look_at("project", guid)
    assert shop.partners.writes() == writes
    assert shop.log("project", guid) == ["found_by_reference", "linked_project"]


def test_two_projects_with_one_number_are_a_conflict(shop: Workshop) -> None:
    shop.look_at("project", guid_of(shop))
    other = shop.partners.severa.add_project(name="Annat", number=WEBBPLATS, customer=1001)
    writes = shop.partners.writes()
    shop.look_at("project", other["guid"])
    assert shop.outcome("project", other["guid"]) == ("blocked", "project_number_shared")
    assert shop.partners.writes() == writes


def test_a_project_deleted_in_severa_is_left_in_fortnox(shop: Workshop, echoes: Echoes) -> None:
    project = shop.partners.severa.add_project(name="Kort", number=8003, customer=1001)
    echoes.settle()
    shop.partners.severa.delete("projects", 8003)
    assert echoes.settle() == 0
    assert shop.outcome("project", project["guid"]) == ("skipped", "severa_record_gone")
    assert shop.partners.books.projects["8003"]["Status"] == "ONGOING"


def test_a_project_that_moves_to_another_unit_takes_its_cost_centre_along(
    shop: Workshop,
) -> None:
    """Fortnox's project has no cost centre: the rows of the invoice have it."""
    centers = {"from": "business_unit", "map": {"STH": "STH", "GBG": "GBG"}}
    shop.connect(cost_centers=centers)
    severa, guid = shop.partners.severa, guid_of(shop)
    shop.look_at("project", guid)
    writes = shop.partners.writes()
    severa.change("projects", WEBBPLATS, businessUnit="GBG")
    shop.look_at("project", guid)
    assert shop.partners.writes() == writes
    invoice = severa.add_simple_invoice(project=WEBBPLATS)["guid"]
    severa.set_status(invoice, TRANSFER)
    shop.look_at("invoice", invoice)
    made = next(iter(shop.partners.books.invoices.values()))
    assert made["InvoiceRows"][0]["CostCenter"] == "GBG"
