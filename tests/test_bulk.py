"""Many rows by one statement: whatever they hold and however many they are, both databases keep
and answer them alike.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, Text, insert, select
from sqlalchemy.exc import IntegrityError

from app.bulk import AT_ONCE, Bulk, Lookup
from app.db import Database
from app.hall import Hall
from app.models import events

FLATS = Table(
    "flats",
    MetaData(),
    Column("street", String(60), primary_key=True),
    Column("number", String(60), primary_key=True),
    Column("tenants", Integer),
    Column("key", LargeBinary),
    Column("note", Text),
)
COLUMNS = ("street", "number", "tenants", "key", "note")
KEEP = Bulk(
    FLATS,
    COLUMNS,
    lambda statement: statement.on_conflict_do_nothing().returning(FLATS.c.number),
)
FIND = Lookup((FLATS.c.number, FLATS.c.note), (FLATS.c.street, FLATS.c.number))
STRANGE: list[tuple[Any, ...]] = [
    ("Storgatan", "1", 0, b"", ""),
    ("Storgatan", "2", None, None, None),
    ("Storgatan", '"3"', -7, bytes(range(256)), "'; DROP TABLE flats; --"),
    ("Åsgränd 😀", "?", 2, b"\x00\xff", "%(rows)s :rows $1 \\ \t\n\x7f"),
    ("Åsgränd 😀", "{}", 2**31 - 1, b"{}", "[null]"),
]


@pytest.fixture
def db(opened: Hall) -> Iterator[Database]:
    FLATS.create(opened.db.engine)
    yield opened.db
    FLATS.drop(opened.db.engine)


def keep(db: Database, *rows: tuple[Any, ...]) -> list[str]:
    with db.transaction() as tx:
        return [number for (number,) in KEEP.insert(tx, rows)]


def kept(db: Database) -> list[tuple[Any, ...]]:
    with db.reading() as tx:
        return [tuple(row) for row in tx.execute(select(FLATS))]


def test_rows_are_kept_as_they_are_given(db: Database) -> None:
    assert keep(db, *STRANGE) == [row[1] for row in STRANGE]
    assert sorted(kept(db)) == sorted(STRANGE)


def test_they_are_the_rows_that_one_statement_for_each_would_have_kept(db: Database) -> None:
    keep(db, *STRANGE)
    at_once = sorted(kept(db))
    with db.transaction() as tx:
        tx.execute(FLATS.delete())
        for row in STRANGE:
            tx.execute(insert(FLATS).values(row))
    assert sorted(kept(db)) == at_once


@pytest.mark.parametrize("many", [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_however_many_they_are_each_is_kept_and_answered_once(db: Database, many: int) -> None:
    rows = [("Storgatan", f"{number:03d}", number, b"", "") for number in range(many)]
    assert keep(db, *rows) == [row[1] for row in rows]
    assert sorted(kept(db)) == rows


def test_only_what_was_not_there_is_answered(db: Database) -> None:
    keep(db, STRANGE[0])
    assert keep(db, *STRANGE[:3]) == [STRANGE[1][1], STRANGE[2][1]]
    assert keep(db, *STRANGE[:3]) == []


def test_rows_are_found_by_their_whole_key(db: Database) -> None:
    keep(db, *STRANGE)
    keys = [row[:2] for row in STRANGE]
    with db.reading() as tx:
        found = FIND.find(tx, [*keys[1:], ("Storgatan", "?"), ("Åsgränd 😀", "1")])
        assert FIND.find(tx, []) == []
    assert sorted(found) == sorted((row[1], row[4]) for row in STRANGE[1:])


def test_more_keys_than_go_into_one_statement_are_all_looked_for(db: Database) -> None:
    rows = [("Storgatan", f"{number:03d}", number, b"", "") for number in range(2 * AT_ONCE + 1)]
    keep(db, *rows)
    with db.reading() as tx:
        found = FIND.find(tx, [row[:2] for row in rows])
    assert sorted(number for number, _ in found) == [row[1] for row in rows]


def test_what_is_refused_takes_the_whole_statement_along(db: Database) -> None:
    with pytest.raises(IntegrityError):
        keep(db, STRANGE[0], (None, "2", 0, b"", ""))
    assert kept(db) == []


def test_columns_in_another_order_than_the_tables_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="order"):
        Bulk(FLATS, ("number", "street"), lambda statement: statement.returning(FLATS.c.number))


def test_a_lookup_says_whose_rows_it_means() -> None:
    with pytest.raises(ValueError, match="connection"):
        Lookup((events.c.id,), (events.c.source, events.c.identity))
