"""Customers exist in both systems, whichever one they were made in, and settle in silence."""

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest

from app import worklist
from app.sandbox.chaos import Fault
from tests.journeys.echoes import Echoes
from tests.workshop import Workshop

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NORDBYGG = 1001
LATER = timedelta(minutes=11)
HAMN: dict[str, Any] = {
    "CustomerNumber": "5001",
    "Name": "Hamnbolaget AB",
    "VATNumber": "SE556700123401",
    "Email": "faktura@hamn.example",
    "WWW": "www.hamn.example",
    "TermsOfPayment": "20",
    "Currency": "EUR",
    "Address1": "Kajen 1",
    "Address2": "Port C",
    "ZipCode": "411 01",
    "City": "Göteborg",
    "CountryCode": "SE",
    "Phone1": "031-12 34 56",
    "DeliveryAddress1": "Lagret 2",
    "DeliveryZipCode": "411 02",
    "DeliveryCity": "Göteborg",
    "DeliveryCountryCode": "SE",
    "VisitingAddress": "Kontoret 3",
    "VisitingZipCode": "411 03",
    "VisitingCity": "Göteborg",
    "VisitingCountryCode": "SE",
}


def guid_of(shop: Workshop, number: int) -> str:
    return str(shop.partners.severa.find("customers", number)["guid"])


def carried(shop: Workshop, number: int = NORDBYGG) -> str:
    """The GUID of a customer of Severa's that was carried over."""
    guid = guid_of(shop, number)
    shop.look_at("customer", guid)
    assert shop.outcome("customer", guid) == ("done", None)
    return guid


def customers(shop: Workshop, number: int) -> list[dict[str, Any]]:
    everybody = shop.partners.severa.records("customers")
    return [one for one in everybody if one["number"] == number]


def addresses(shop: Workshop, number: int) -> list[tuple[Any, ...]]:
    """Line, city, country, phone, and the types: b, p and v."""
    found = shop.partners.severa.records("addresses", guid_of(shop, number))
    flags = {"b": "isBillingAddress", "p": "isPostalAddress", "v": "isVisitAddress"}
    return [
        (
            one["addressline"],
            one["city"],
            one["country"]["englishName"] if one["country"] else None,
            one["phone"],
            "".join(letter for letter, flag in flags.items() if one[flag]),
        )
        for one in found
    ]


# --- made in Fortnox ---


def test_a_company_made_in_fortnox_becomes_a_customer_with_its_addresses(
    shop: Workshop, echoes: Echoes
) -> None:
    shop.partners.books.add_customer(**HAMN)
    assert echoes.settle() == 4
    made = shop.partners.severa.find("customers", 5001)
    assert made["name"] == "Hamnbolaget AB"
    assert made["vatNumber"] == "SE556700123401"
    assert made["email"] == "faktura@hamn.example"
    assert made["website"] == "www.hamn.example"
    assert made["paymentTerm"] == 20
    assert made["currency"]["code"] == "EUR"
    assert made["isActive"] is True
    assert addresses(shop, 5001) == [
        ("Kajen 1\nPort C", "Göteborg", "Sweden", "031-12 34 56", "b"),
        ("Lagret 2", "Göteborg", "Sweden", None, "p"),
        ("Kontoret 3", "Göteborg", "Sweden", None, "v"),
    ]
    assert shop.log("customer", "fortnox:5001") == ["created_in_severa"]


@SQLITE
def test_addresses_that_are_one_in_fortnox_are_one_in_severa(
    shop: Workshop, echoes: Echoes
) -> None:
    same = {"Address1": "Kajen 1", "Address2": "Port C", "City": "Åbo", "CountryCode": "FI"}
    delivery = {f"Delivery{name}": value for name, value in same.items()}
    visiting = {"VisitingAddress": "Kajen 1, Port C", "VisitingCity": "Åbo"}
    fields = {**same, **delivery, **visiting, "VisitingCountryCode": "FI", "Phone1": "+358 1"}
    shop.partners.books.add_customer(CustomerNumber="5002", Name="Åbo Oy", **fields)
    assert echoes.settle() == 2
    assert addresses(shop, 5002) == [("Kajen 1\nPort C", "Åbo", "Finland", "+358 1", "bpv")]


def test_an_organisation_number_alone_gives_the_swedish_vat_number(
    shop: Workshop, echoes: Echoes
) -> None:
    books = shop.partners.books
    books.add_customer(CustomerNumber="5003", Name="Kort AB", OrganisationNumber="556700-1234")
    assert echoes.settle() == 1
    assert shop.partners.severa.find("customers", 5003)["vatNumber"] == "SE556700123401"


@pytest.mark.parametrize(
    ("number", "fields", "reason"),
    [
        ("6001", {"Type": "PRIVATE"}, "customer_not_company"),
        ("K-17", {}, "customer_number_not_numeric"),
        ("0042", {}, "customer_number_not_numeric"),
        ("9223372036854775808", {}, "customer_number_not_numeric"),
    ],
)
def test_who_severa_cannot_hold_is_skipped_with_the_reason(
    shop: Workshop, echoes: Echoes, number: str, fields: dict[str, Any], reason: str
) -> None:
    shop.partners.books.add_customer(CustomerNumber=number, Name="X", **fields)
    before = len(shop.partners.severa.records("customers"))
    assert echoes.settle() == 0
    assert shop.outcome("customer", f"fortnox:{number}") == ("skipped", reason)
    assert len(shop.partners.severa.records("customers")) == before


def test_the_largest_number_that_severa_holds_is_taken(shop: Workshop, echoes: Echoes) -> None:
    shop.partners.books.add_customer(CustomerNumber=str(2**63 - 1), Name="Störst AB")
    assert echoes.settle() == 1
    assert len(customers(shop, 2**63 - 1)) == 1


def test_a_customer_that_severa_has_is_linked_and_nothing_is_written(shop: Workshop) -> None:
    shop.partners.books.add_customer(CustomerNumber="1001", Name="Nordbygg i Norr")
    writes = shop.partners.writes()
    shop.look_at("customer", "fortnox:1001")
    shop.look_at("customer", guid_of(shop, NORDBYGG))
    assert shop.partners.writes() == writes
    assert shop.log("customer", "fortnox:1001") == ["found_by_reference", "linked_in_severa"]
    assert shop.outcome("customer", guid_of(shop, NORDBYGG)) == ("done", None)


def test_a_customer_that_fortnox_has_is_linked_and_nothing_is_written(shop: Workshop) -> None:
    shop.partners.books.add_customer(CustomerNumber="1001", Name="Nordbygg i Norr")
    writes = shop.partners.writes()
    guid = carried(shop)
    shop.look_at("customer", "fortnox:1001")
    assert shop.partners.writes() == writes
    assert shop.log("customer", guid) == ["found_by_reference", "linked_customer"]
    assert shop.outcome("customer", "fortnox:1001") == ("done", None)


def test_a_customer_deleted_in_fortnox_is_left_in_severa(shop: Workshop, echoes: Echoes) -> None:
    carried(shop)
    echoes.settle()
    shop.partners.books.delete_customer(NORDBYGG)
    assert echoes.settle() == 0
    assert shop.outcome("customer", "fortnox:1001") == ("skipped", "fortnox_record_gone")
    assert len(customers(shop, NORDBYGG)) == 1


def test_a_customer_deleted_in_severa_is_left_in_fortnox(shop: Workshop, echoes: Echoes) -> None:
    customer = shop.partners.severa.add_customer(
        name="Kort AB", number=7001, vatNumber="5567001234"
    )
    shop.partners.severa.add_address(customer, addressline="Gatan 1", city="Lund")
    echoes.settle()
    shop.partners.severa.delete("customers", 7001)
    assert echoes.settle() == 0
    assert shop.outcome("customer", customer["guid"]) == ("skipped", "severa_record_gone")
    assert shop.partners.books.customers["7001"]["Active"] is True


# --- made at once, made twice, made in doubt ---


def test_a_customer_made_in_severa_comes_back_as_an_event_and_costs_no_write(
    shop: Workshop, echoes: Echoes
) -> None:
    customer = shop.partners.severa.add_customer(
        name="Kort AB", number=7001, vatNumber="5567001234"
    )
    shop.partners.severa.add_address(customer, addressline="Gatan 1", city="Lund")
    assert echoes.settle() == 1
    assert shop.outcome("customer", "fortnox:7001") == ("done", None)
    row = shop.row("customer", "fortnox:7001")
    assert (row.target_id, row.target_label) == (customer["guid"], "7001")


@pytest.mark.parametrize("refuses_doubles", [True, False])
@pytest.mark.parametrize("kind", ["lose", "break"])
def test_a_lost_answer_makes_one_customer_in_severa(
    shop: Workshop, echoes: Echoes, kind: Any, refuses_doubles: bool
) -> None:
    shop.partners.severa.options.unique_customer_numbers = refuses_doubles
    fault = Fault(kind, "/v1/customers$", "POST")
    shop.partners.severa.chaos.faults.append(fault)
    shop.partners.books.add_customer(**HAMN)
    echoes.settle()
    assert shop.outcome("customer", "fortnox:5001")[0] == "waiting"
    for _ in range(6):
        shop.clock.move_on(LATER)
        shop.run()
    assert len(customers(shop, 5001)) == 1
    assert len(addresses(shop, 5001)) == 3
    assert shop.outcome("customer", "fortnox:5001") == ("done", None)


@pytest.mark.parametrize("kind", ["lose", "break"])
def test_a_lost_answer_makes_one_address_in_severa(
    shop: Workshop, echoes: Echoes, kind: Any
) -> None:
    shop.partners.severa.chaos.faults.append(Fault(kind, "/addresses$", "POST"))
    shop.partners.books.add_customer(**HAMN)
    echoes.settle()
    for _ in range(6):
        shop.clock.move_on(LATER)
        shop.run()
    assert len(addresses(shop, 5001)) == 3
    assert shop.outcome("customer", "fortnox:5001") == ("done", None)


def test_a_lost_answer_of_fortnox_and_a_change_meanwhile_lose_nothing(
    shop: Workshop, echoes: Echoes
) -> None:
    """Fortnox tells of the new customer before we know that we made it."""
    shop.partners.fortnox.chaos.faults.append(Fault("lose", "/3/customers$", "POST"))
    guid = guid_of(shop, NORDBYGG)
    shop.look_at("customer", guid)
    assert shop.outcome("customer", guid)[0] == "waiting"
    with shop.partners.severa.silently():
        shop.partners.severa.change("customers", NORDBYGG, name="Nordbygg Sverige AB")
    echoes.settle()
    for _ in range(6):
        shop.clock.move_on(LATER)
        shop.run()
    assert shop.outcome("customer", guid) == ("done", None)
    assert shop.outcome("customer", "fortnox:1001") == ("done", None)
    assert shop.partners.books.customers["1001"]["Name"] == "Nordbygg Sverige AB"


def test_two_customers_of_severa_with_one_number_are_a_conflict(shop: Workshop) -> None:
    shop.partners.severa.options.unique_customer_numbers = False
    carried(shop)
    other = shop.partners.severa.add_customer(
        name="Annan AB", number=NORDBYGG, vatNumber="5567001234"
    )
    shop.partners.severa.add_address(other, addressline="Gatan 1", city="Lund")
    writes = shop.partners.writes()
    shop.look_at("customer", other["guid"])
    assert shop.outcome("customer", other["guid"]) == ("blocked", "customer_number_shared")
    assert shop.partners.writes() == writes


def test_a_number_whose_customer_was_deleted_in_severa_goes_to_the_next_one(
    shop: Workshop,
) -> None:
    severa = shop.partners.severa
    old = severa.add_customer(name="Gamla AB", number=7001, vatNumber="5567001234")
    severa.add_address(old, addressline="Gatan 1", city="Lund")
    shop.look_at("customer", old["guid"])
    severa.delete("customers", 7001)
    new = severa.add_customer(name="Nya AB", number=7001, vatNumber="5567001234")
    severa.add_address(new, addressline="Gatan 2", city="Lund")
    shop.look_at("customer", new["guid"])
    assert shop.outcome("customer", new["guid"]) == ("done", None)
    assert shop.partners.books.customers["7001"]["Name"] == "Nya AB"


def test_both_rows_of_one_customer_at_once_make_one_link_and_no_double(shop: Workshop) -> None:
    shop.partners.books.add_customer(**HAMN)
    severa = shop.partners.severa
    made = severa.add_customer(name="Hamnbolaget AB", number=5001, vatNumber="SE556700123401")
    severa.add_address(made, addressline="Kajen 1", city="Göteborg")
    writes = shop.partners.writes()
    at_once(shop, ("customer", "fortnox:5001"), ("customer", made["guid"]))
    assert shop.partners.writes() == writes
    assert shop.outcome("customer", "fortnox:5001") == ("done", None)
    assert shop.outcome("customer", made["guid"]) == ("done", None)
    assert len(customers(shop, 5001)) == 1


def test_a_burst_of_one_customer_in_many_threads_makes_one(shop: Workshop, echoes: Echoes) -> None:
    shop.partners.books.add_customer(**HAMN)
    rows = [("customer", "fortnox:5001"), ("customer", guid_of(shop, NORDBYGG))]
    at_once(shop, *rows, threads=6)
    assert len(customers(shop, 5001)) == 1
    assert list(shop.partners.books.customers) == ["5001", "1001"]
    assert echoes.settle() == 0


def at_once(shop: Workshop, *rows: tuple[str, str], threads: int = 2) -> None:
    """Every row wanted, and several threads that run what is due."""
    wanted = [worklist.Want(shop.name, kind, key) for kind, key in rows]
    with shop.hall.db.transaction() as tx:
        worklist.enqueue(tx, wanted, shop.clock())
    together = Barrier(threads)
    ended: list[int] = []

    def turn() -> None:
        together.wait(timeout=10)
        ended.append(shop.run())

    workers = [Thread(target=turn) for _ in range(threads)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(timeout=60)
    assert len(ended) == threads
    shop.run()


# --- changed ---


def test_a_change_in_severa_goes_to_fortnox_in_one_write(shop: Workshop, echoes: Echoes) -> None:
    carried(shop)
    echoes.settle()
    shop.partners.severa.change("customers", NORDBYGG, name="Nordbygg Sverige AB")
    assert echoes.settle() == 1
    assert shop.partners.books.customers["1001"]["Name"] == "Nordbygg Sverige AB"


def test_what_is_emptied_in_severa_is_emptied_in_fortnox(shop: Workshop, echoes: Echoes) -> None:
    severa = shop.partners.severa
    severa.change("customers", NORDBYGG, website="www.nordbygg.example")
    guid = carried(shop)
    echoes.settle()
    before = shop.partners.books.customers["1001"]
    assert before["WWW"] == "www.nordbygg.example"
    severa.change("customers", NORDBYGG, website=None, email=None)
    assert echoes.settle() == 1
    after = shop.partners.books.customers["1001"]
    assert not after["WWW"]
    assert not after["Email"]
    assert not after["EmailInvoice"]
    assert after["TermsOfPayment"] == "30"
    assert shop.log("customer", guid) == ["created_customer", "updated_customer"]


def test_a_postal_address_taken_away_in_severa_is_emptied_in_fortnox(
    shop: Workshop, echoes: Echoes
) -> None:
    guid = carried(shop)
    assert shop.partners.books.customers["1001"]["DeliveryCity"] == "Stockholm"
    echoes.settle()
    address = shop.partners.severa.records("addresses", guid)[0]
    shop.partners.severa.change("addresses", address["guid"], isPostalAddress=False)
    assert echoes.settle() == 1
    assert not shop.partners.books.customers["1001"]["DeliveryCity"]


def test_deactivation_goes_over_and_back_again(shop: Workshop, echoes: Echoes) -> None:
    carried(shop)
    echoes.settle()
    for active in (False, True):
        shop.partners.severa.change("customers", NORDBYGG, isActive=active)
        assert echoes.settle() == 1
        assert shop.partners.books.customers["1001"]["Active"] is active


def test_a_number_used_up_by_a_deleted_customer_is_blocked_with_the_explanation(
    shop: Workshop,
) -> None:
    shop.partners.books.add_customer(CustomerNumber="1001", Name="Raderad AB")
    shop.partners.books.delete_customer(1001)
    guid = guid_of(shop, NORDBYGG)
    shop.look_at("customer", guid)
    assert shop.outcome("customer", guid) == ("blocked", "fortnox_customer_number_taken")
    assert list(shop.partners.books.customers) == []


def test_a_country_setting_of_the_customer_decides_its_vat_type(
    shop: Workshop, echoes: Echoes
) -> None:
    carried(shop)
    echoes.settle()
    shop.partners.severa.add_country_setting(NORDBYGG, "SE")
    assert echoes.settle() == 1
    assert shop.partners.books.customers["1001"]["VATType"] == "SEREVERSEDVAT"


def test_with_severa_as_master_a_change_in_fortnox_writes_nothing_and_is_not_undone(
    shop: Workshop, echoes: Echoes
) -> None:
    carried(shop)
    echoes.settle()
    shop.partners.books.change_customer(1001, Name="Nordbygg (Kalle)")
    assert echoes.settle() == 0
    assert shop.outcome("customer", "fortnox:1001") == ("skipped", "severa_is_master")
    assert shop.partners.books.customers["1001"]["Name"] == "Nordbygg (Kalle)"
    shop.partners.severa.change("customers", NORDBYGG, email="ny@nordbygg.example")
    assert echoes.settle() == 1
    assert shop.partners.books.customers["1001"]["Name"] == "Nordbygg AB"


def test_with_fortnox_as_master_a_change_in_severa_writes_nothing_and_is_not_undone(
    shop: Workshop, echoes: Echoes
) -> None:
    shop.connect(customer_master="fortnox")
    guid = carried(shop)
    echoes.settle()
    shop.partners.severa.change("customers", NORDBYGG, name="Nordbygg (Lisa)")
    assert echoes.settle() == 0
    assert shop.outcome("customer", guid) == ("skipped", "fortnox_is_master")
    assert shop.partners.severa.find("customers", NORDBYGG)["name"] == "Nordbygg (Lisa)"
    shop.partners.books.change_customer(1001, Email="ny@nordbygg.example")
    assert echoes.settle() == 1
    after = shop.partners.severa.find("customers", NORDBYGG)
    assert (after["name"], after["email"]) == ("Nordbygg AB", "ny@nordbygg.example")


@pytest.mark.parametrize("master", ["severa", "fortnox"])
@pytest.mark.parametrize("born", ["severa", "fortnox"])
def test_a_customer_changed_on_both_sides_settles_on_the_masters_word_in_two_writes_at_most(
    shop: Workshop, echoes: Echoes, master: str, born: str
) -> None:
    shop.connect(customer_master=master)
    if born == "fortnox":
        shop.partners.books.add_customer(**HAMN)
        number = 5001
    else:
        carried(shop)
        number = NORDBYGG
    echoes.settle()
    shop.partners.severa.change("customers", number, name="Enligt Severa AB")
    shop.partners.books.change_customer(number, Name="Enligt Fortnox AB")
    assert echoes.settle() <= 2
    names = {
        shop.partners.severa.find("customers", number)["name"],
        shop.partners.books.customers[str(number)]["Name"],
    }
    assert names == {f"Enligt {master.capitalize()} AB"}
    assert replayed(shop, number) == 0


def replayed(shop: Workshop, number: int) -> int:
    """How many writes it takes to look at both rows again, three times."""
    before = shop.partners.writes()
    for _ in range(3):
        shop.look_at("customer", guid_of(shop, number), f"fortnox:{number}")
    return shop.partners.writes() - before


@pytest.mark.parametrize("master", ["severa", "fortnox"])
def test_looking_again_writes_nothing(shop: Workshop, echoes: Echoes, master: str) -> None:
    shop.connect(customer_master=master)
    shop.partners.books.add_customer(**HAMN)
    carried(shop)
    echoes.settle()
    assert replayed(shop, 5001) == 0
    assert replayed(shop, NORDBYGG) == 0


@pytest.mark.parametrize(
    ("fields", "writes", "expected"),
    [
        ({"Address1": "Kajen 9"}, 1, ("Kajen 9\nPort C", "031-12 34 56", "b")),
        ({"Address1": "Kajen 9", "Name": "Hamnen AB"}, 2, ("Kajen 9\nPort C", "031-12 34 56", "b")),
        ({"Phone1": "API_BLANK"}, 1, ("Kajen 1\nPort C", None, "b")),
    ],
)
def test_with_fortnox_as_master_an_address_is_changed_where_it_stands(
    shop: Workshop, echoes: Echoes, fields: dict[str, Any], writes: int, expected: tuple[Any, ...]
) -> None:
    shop.connect(customer_master="fortnox")
    shop.partners.books.add_customer(**HAMN)
    echoes.settle()
    shop.partners.books.change_customer(5001, **fields)
    assert echoes.settle() == writes
    line, _, _, phone, kinds = addresses(shop, 5001)[0]
    assert (line, phone, kinds) == expected
    assert len(addresses(shop, 5001)) == 3


@SQLITE
def test_an_address_of_two_types_is_parted_when_fortnox_parts_them(
    shop: Workshop, echoes: Echoes
) -> None:
    shop.connect(customer_master="fortnox")
    carried(shop)
    echoes.settle()
    shop.partners.books.change_customer(1001, DeliveryAddress1="Lagret 7")
    assert echoes.settle() == 2
    assert addresses(shop, NORDBYGG) == [
        ("Storgatan 1", "Stockholm", "Sweden", None, "b"),
        ("Lagret 7", "Stockholm", "Sweden", None, "p"),
    ]
    assert replayed(shop, NORDBYGG) == 0


@SQLITE
def test_an_address_of_two_types_that_both_move_away_from_each_other(
    shop: Workshop, echoes: Echoes
) -> None:
    shop.connect(customer_master="fortnox")
    carried(shop)
    echoes.settle()
    shop.partners.books.change_customer(1001, Address1="Kajen 1", DeliveryAddress1="Lagret 7")
    assert echoes.settle() == 3
    assert addresses(shop, NORDBYGG) == [
        ("Lagret 7", "Stockholm", "Sweden", None, "p"),
        ("Kajen 1", "Stockholm", "Sweden", None, "b"),
    ]
    assert replayed(shop, NORDBYGG) == 0


@SQLITE
def test_an_address_of_two_types_that_moves_as_one_is_changed_once(
    shop: Workshop, echoes: Echoes
) -> None:
    shop.connect(customer_master="fortnox")
    carried(shop)
    echoes.settle()
    shop.partners.books.change_customer(1001, Address1="Kajen 1", DeliveryAddress1="Kajen 1")
    assert echoes.settle() == 1
    assert addresses(shop, NORDBYGG) == [("Kajen 1", "Stockholm", "Sweden", None, "bp")]


@SQLITE
def test_an_address_emptied_in_fortnox_is_kept_in_severa_without_its_type(
    shop: Workshop, echoes: Echoes
) -> None:
    shop.connect(customer_master="fortnox")
    shop.partners.books.add_customer(**HAMN)
    echoes.settle()
    names = ("DeliveryAddress1", "DeliveryZipCode", "DeliveryCity", "DeliveryCountryCode")
    shop.partners.books.change_customer(5001, **dict.fromkeys(names, "API_BLANK"))
    assert echoes.settle() == 1
    assert addresses(shop, 5001)[1] == ("Lagret 2", "Göteborg", "Sweden", None, "")


@SQLITE
def test_an_address_that_is_emptied_and_then_given_again_is_there_again(
    shop: Workshop, echoes: Echoes
) -> None:
    shop.connect(customer_master="fortnox")
    shop.partners.books.add_customer(**HAMN)
    echoes.settle()
    names = ("DeliveryAddress1", "DeliveryZipCode", "DeliveryCity", "DeliveryCountryCode")
    for address in (dict.fromkeys(names, "API_BLANK"), {name: HAMN[name] for name in names}) * 2:
        shop.partners.books.change_customer(5001, **address)
        echoes.settle()
    postal = [one for one in addresses(shop, 5001) if "p" in one[-1]]
    assert postal == [("Lagret 2", "Göteborg", "Sweden", None, "p")]


@SQLITE
def test_what_is_emptied_in_fortnox_is_emptied_in_severa_when_fortnox_is_master(
    shop: Workshop, echoes: Echoes
) -> None:
    shop.connect(customer_master="fortnox")
    shop.partners.books.add_customer(**HAMN)
    echoes.settle()
    shop.partners.books.change_customer(5001, WWW="API_BLANK", Active=False)
    assert echoes.settle() == 1
    after = shop.partners.severa.find("customers", 5001)
    assert (after["website"], after["isActive"]) == (None, False)


def test_a_customer_of_fortnox_is_known_when_its_first_invoice_comes(
    shop: Workshop, echoes: Echoes
) -> None:
    shop.partners.books.add_customer(CustomerNumber="5004", Name="Utan Moms AB")
    echoes.settle()
    guid = guid_of(shop, 5004)
    shop.look_at("customer", guid)
    assert shop.outcome("customer", guid) == ("done", None)
