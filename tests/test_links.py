"""Links: which Severa record is which Fortnox record, one to one."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import links
from app.hall import Hall
from app.links import Link
from app.models import links as table
from tests.halls import emptied

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def hall(opened: Hall) -> Hall:
    return emptied(opened)


def remember(hall: Hall, link: Link, to: str = "acme", at: datetime = NOW) -> None:
    with hall.db.transaction() as tx:
        links.remember(tx, to, link, at)


def of_severa(hall: Hall, kind: str, severa_id: str, to: str = "acme") -> Link | None:
    with hall.db.reading() as tx:
        return links.of_severa(tx, to, kind, severa_id)


def of_fortnox(hall: Hall, kind: str, fortnox_id: str, to: str = "acme") -> Link | None:
    with hall.db.reading() as tx:
        return links.of_fortnox(tx, to, kind, fortnox_id)


def test_a_link_is_found_from_both_sides(hall: Hall) -> None:
    link = Link("invoice", "1a00", "88", {"payload": {"Å": ["1.10", None, True]}, "generation": 1})
    remember(hall, link)
    assert of_severa(hall, "invoice", "1a00") == link
    assert of_fortnox(hall, "invoice", "88") == link


def test_a_link_belongs_to_its_connection_and_kind(hall: Hall) -> None:
    for to, kind in (("acme", "invoice"), ("other", "invoice"), ("acme", "customer")):
        remember(hall, Link(kind, "1", "88", {"to": to, "kind": kind}), to)
    found = of_severa(hall, "invoice", "1", "other")
    assert found is not None
    assert found.carried == {"to": "other", "kind": "invoice"}
    assert of_severa(hall, "project", "1") is None
    assert of_fortnox(hall, "invoice", "88", "nobody") is None
    assert of_severa(hall, "invoice", "88") is None


def test_what_is_carried_over_again_replaces_what_was(hall: Hall) -> None:
    remember(hall, Link("invoice", "1", "88", {"generation": 1}))
    remember(hall, Link("invoice", "1", "89", {"generation": 2}), at=LATER)
    with hall.db.reading() as tx:
        [row] = tx.execute(select(table))
    assert (row.fortnox_id, row.carried) == ("89", {"generation": 2})
    assert (row.created_at, row.updated_at) == (NOW, LATER)
    assert of_fortnox(hall, "invoice", "88") is None


def test_two_severa_records_are_never_the_same_fortnox_record(hall: Hall) -> None:
    first = Link("product", "product:1", "1001", {})
    remember(hall, first)
    with pytest.raises(IntegrityError):
        remember(hall, Link("product", "work_type:1", "1001", {}))
    assert of_fortnox(hall, "product", "1001") == first
    assert of_severa(hall, "product", "work_type:1") is None
