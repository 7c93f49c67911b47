"""Crashes, dry runs and crowds: each register record is made once, and nothing of it is lost."""

from collections import Counter

from sqlalchemy import delete

from app import models, sync, worklist
from app.worklist import Want
from tests.journeys.echoes import Echoes
from tests.journeys.test_registers import HAMN, NORDBYGG, addresses, at_once, customers, guid_of
from tests.workshop import Workshop


def lose_links(shop: Workshop) -> None:
    """As when a process ends after the write was settled and before the link was kept."""
    with shop.hall.db.transaction() as tx:
        tx.execute(delete(models.links))


def planned(shop: Workshop, key: str) -> list[str]:
    sides = shop.process.room.sides(shop.connection(), worklist.LIVE)
    item = worklist.imagined(Want(shop.name, "customer", key))
    return [one.action for one in sync.plan(sides, item)]


def test_a_crash_before_the_link_is_kept_makes_no_second_customer_in_severa(
    shop: Workshop,
) -> None:
    shop.partners.books.add_customer(**HAMN)
    shop.look_at("customer", "fortnox:5001")
    lose_links(shop)
    writes = shop.partners.writes()
    shop.look_at("customer", "fortnox:5001")
    shop.look_at("customer", guid_of(shop, 5001))
    assert shop.partners.writes() == writes
    assert (len(customers(shop, 5001)), len(addresses(shop, 5001))) == (1, 3)
    assert shop.outcome("customer", guid_of(shop, 5001)) == ("done", None)


def test_a_change_after_such_a_crash_still_reaches_fortnox(shop: Workshop) -> None:
    guid = guid_of(shop, NORDBYGG)
    shop.look_at("customer", guid)
    lose_links(shop)
    shop.partners.severa.change("customers", NORDBYGG, name="Nordbygg Sverige AB")
    shop.look_at("customer", guid)
    assert shop.partners.books.customers["1001"]["Name"] == "Nordbygg Sverige AB"
    assert list(shop.partners.books.customers) == ["1001"]


def test_a_dry_run_tells_the_writes_and_does_none(shop: Workshop) -> None:
    shop.partners.books.add_customer(**HAMN)
    shop.partners.books.add_customer(CustomerNumber="1002", Name="Kustens Energi AB")
    writes = shop.partners.writes()
    assert planned(shop, "fortnox:5001") == ["create_customer", *["create_address"] * 3]
    assert planned(shop, guid_of(shop, NORDBYGG)) == ["create_customer"]
    assert planned(shop, "fortnox:1002") == []
    assert planned(shop, guid_of(shop, 1002)) == []
    assert shop.partners.writes() == writes


def test_many_customers_made_on_both_sides_in_many_threads_are_one_each(shop: Workshop) -> None:
    echoes = Echoes(shop)
    echoes.listen()
    severa, books = shop.partners.severa, shop.partners.books
    made = [str(number) for number in range(5001, 5006)]
    for number in made:
        books.add_customer(**HAMN | {"CustomerNumber": number, "Name": f"Kund {number}"})
    for number in range(6001, 6004):
        guid = severa.add_customer(name=f"Kund {number}", number=number, vatNumber="5567001234")
        severa.add_address(guid, addressline="Gatan 1", city="Lund")
    rows = [one.want for one in echoes.heard if one.want]
    at_once(shop, *((row.kind, row.key) for row in rows), threads=6)
    echoes.settle()
    numbers = Counter(str(one["number"]) for one in severa.records("customers"))
    everybody = [*made, "6001", "6002", "6003"]
    assert {number: numbers[number] for number in everybody} == dict.fromkeys(everybody, 1)
    assert sorted(books.customers) == sorted(everybody)
    assert echoes.settle() == 0
