"""Registers of a company with nothing but the two official APIs, each changed on either side."""

import pytest

from app.sandbox.chaos import Fault
from app.sandbox.severa import RECEIVED
from tests.journeys.polled import heard, rounds
from tests.journeys.test_invoices import order, status
from tests.workshop import Workshop


def test_what_is_changed_in_severas_registers_reaches_fortnox(polled: Workshop) -> None:
    severa, books = polled.partners.severa, polled.partners.books
    guid = order(polled)
    rounds(polled, 4)
    assert status(polled, guid) == RECEIVED
    severa.change("customers", 1001, name="Nordbygg Sverige AB")
    severa.change("projects", 3001, name="Nya stationen")
    work_type = severa.find("worktypes", "100")
    severa.change("worktypes", work_type["guid"], name="Konsultarbete senior")
    rounds(polled)
    assert books.customers["1001"]["Name"] == "Nordbygg Sverige AB"
    assert books.projects["3001"]["Description"] == "Nya stationen"
    assert books.articles["100"]["Description"] == "Konsultarbete senior"
    product = severa.add_product(name="Nytt material", code="777", measurementUnit="st")
    travel = severa.add_travel_type(name="Ny bilersättning", code="778", measurementUnit="km")
    rounds(polled)
    assert books.articles["777"]["Description"] == product["name"]
    assert books.articles["778"]["Description"] == travel["name"]


@pytest.mark.parametrize("bumps", [True, False])
def test_a_changed_address_is_a_change_of_its_customer(polled: Workshop, bumps: bool) -> None:
    severa = polled.partners.severa
    order(polled)
    rounds(polled, 4)
    severa.options.address_bumps_customer = bumps
    customer = severa.find("customers", 1001)
    address = severa.records("addresses", customer["guid"])[0]
    severa.change("addresses", address["guid"], city="Umeå")
    rounds(polled)
    assert polled.partners.books.customers["1001"]["City"] == "Umeå"


def test_a_changed_record_is_looked_at_once_whatever_the_overlap(polled: Workshop) -> None:
    severa = polled.partners.severa
    project = severa.change("projects", 3001, name="Ett annat namn")["guid"]
    polled.look_at("project", project)
    rounds(polled, 6)
    assert polled.row("project", project).attempts == 2  # the event, and the first poll
    assert polled.log("project", project) == ["created_project"]


def test_what_was_there_before_the_activation_is_left_to_a_backfill(polled: Workshop) -> None:
    rounds(polled, 15)
    assert heard(polled) == 0
    assert polled.partners.writes() == 0


@pytest.mark.parametrize("master", ["severa", "fortnox"])
def test_the_first_change_of_what_both_had_before_goes_over_where_its_side_is_the_master(
    polled: Workshop, master: str
) -> None:
    """As after another integration: the books are full of records that were never linked."""
    severa, books = polled.partners.severa, polled.partners.books
    polled.connect(customer_master=master, product_master=master)
    books.add_customer(CustomerNumber="1001", Name="Nordbygg i Norr", Comments="Ring Eva")
    books.add_project("3001", "Stationen")
    severa.change("customers", 1001, name="Nordbygg Sverige AB")
    severa.change("projects", 3001, name="Nya stationen")
    rounds(polled)
    assert books.projects["3001"]["Description"] == "Nya stationen"
    name = "Nordbygg Sverige AB" if master == "severa" else "Nordbygg i Norr"
    assert books.customers["1001"]["Name"] == name
    assert books.customers["1001"]["Comments"] == "Ring Eva"  # Severa knows no such thing
    writes = polled.partners.writes()
    rounds(polled, 3)
    assert polled.partners.writes() == writes


@pytest.mark.parametrize("master", ["severa", "fortnox"])
def test_and_so_does_one_that_is_changed_in_fortnox(polled: Workshop, master: str) -> None:
    polled.connect(customer_master=master)
    polled.partners.books.add_customer(CustomerNumber="1001", Name="Nordbygg i Norr")
    writes = polled.partners.writes()
    rounds(polled)
    customer = polled.partners.severa.find("customers", 1001)
    assert (customer["name"] == "Nordbygg i Norr") == (master == "fortnox")
    assert (polled.partners.writes() > writes) == (master == "fortnox")
    writes = polled.partners.writes()
    rounds(polled, 3)
    assert polled.partners.writes() == writes


def test_a_first_change_that_severa_refuses_at_first_goes_over_later(polled: Workshop) -> None:
    polled.connect(customer_master="fortnox")
    polled.partners.books.add_customer(CustomerNumber="1001", Name="Nordbygg i Norr")
    polled.partners.severa.chaos.faults.append(Fault("refuse", "/customers/", "PATCH", status=503))
    rounds(polled, 4)
    assert polled.row("customer", "fortnox:1001").attempts > 1
    assert polled.partners.severa.find("customers", 1001)["name"] == "Nordbygg i Norr"


def test_a_customer_made_in_fortnox_reaches_severa_by_poll_alone(polled: Workshop) -> None:
    polled.partners.books.add_customer(
        CustomerNumber="5005",
        Name="Ny i Fortnox AB",
        OrganisationNumber="556677-8899",
        Address1="Storgatan 1",
        City="Växjö",
        ZipCode="35246",
        CountryCode="SE",
        VATNumber="SE556677889901",
    )
    rounds(polled, 2)
    assert polled.partners.severa.find("customers", 5005)["name"] == "Ny i Fortnox AB"
    rounds(polled, 8)
    assert len([c for c in polled.partners.severa.records("customers") if c["number"] == 5005]) == 1
