"""Short rounds of what `make doors` does at length, and whether its verdict can be a bad one."""

from pathlib import Path

import pytest

from app.sandbox.fortnox import Fortnox
from app.sandbox.fortnox import seed_demo as seed_fortnox
from app.sandbox.severa import RECEIVED, Severa
from app.sandbox.severa import seed_demo as seed_severa
from tests import servers
from tests.installation import Vendors
from tests.proof.changes import SITE, Changes, Verdict
from tests.proof.doors import KINDS, Plan, Report, doors

SHORT = Plan(
    database="sqlite",
    changes=40,
    troubles=2,
    seconds=3,
    poll_interval=1,
    away=0.5,
    pace=0.2,
    seed=4,
)


@pytest.mark.processes
def test_without_webhooks_and_with_every_door_killed_both_systems_say_the_same_once(
    tmp_path: Path, shared_redis: servers.RedisServer
) -> None:
    report = doors(SHORT, shared_redis.url, tmp_path)
    assert report.verdict == Verdict()
    assert report.equal_after_seconds is not None, "not everything was done two minutes later"
    assert report.kills == dict.fromkeys(KINDS, 2)
    assert (report.heard, report.heard_twice) == (report.events, 0)
    assert report.records >= 40
    assert report.is_clean


def test_what_is_missing_double_or_different_in_one_system_is_seen() -> None:
    partners = Vendors(Severa(), Fortnox(), "", "")
    severa, books = partners.severa, seed_fortnox(partners.fortnox)
    seed_severa(severa)
    books.add_project(str(SITE))
    changes = Changes(partners, seed=1)
    changes.order()
    changes.add_customer()
    changes.book_a_cost()
    lost = changes.verdict().lost
    [guid], [bill], [number] = changes.ordered, changes.bills, changes.names["customers"]
    assert {f"invoice {guid}", f"cost {bill}", f"fortnox customers {number}"} <= {*lost}
    books.add_customer(CustomerNumber="10")
    for name in ("a", "b"):
        books.add_invoice(
            CustomerNumber="10", ExternalInvoiceReference1=f"severa:{guid}", InvoiceRows=[]
        )
        severa.add_fee(
            SITE, name=name, description=f"kostnad [FX-{bill}-1]", quantity=1, unitCost=1
        )
    books.add_customer(CustomerNumber=number, Name="Någon annan")
    found = changes.verdict()
    assert {f"invoice {guid}", f"cost {bill}", "fortnox customers 10, a stranger"} == {
        *found.doubled
    }
    wrong = {f"status of {guid}", f"sum of {guid}", f"cost {bill}"}
    assert wrong | {f"fortnox customers {number}: Någon annan"} <= {*found.unequal}
    severa.set_status(guid, RECEIVED)
    assert f"status of {guid}" not in changes.verdict().unequal


def test_a_report_with_an_event_that_was_not_heard_or_no_end_is_not_clean() -> None:
    whole = {"events": 2, "heard": 2, "equal_after_seconds": 1.0}
    bad = [{"heard": 1}, {"heard_twice": 1}, {"equal_after_seconds": None}]
    reports = [Report(1, "sqlite", **(whole | one)) for one in ({}, *bad)]
    reports.append(Report(1, "sqlite", **whole, verdict=Verdict(doubled=["x"])))
    assert [one.is_clean for one in reports] == [True, False, False, False, False]
