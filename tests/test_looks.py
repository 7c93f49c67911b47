"""Looks at whole lists: who may begin one, and what is kept of what it found; on both databases."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from app import looks
from app.columns import EPOCH
from app.hall import Hall
from app.looks import NEVER, Look
from app.models import effects

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def begin(hall: Hall, now: datetime, company: str = "654896") -> bool:
    with hall.db.transaction() as tx:
        return looks.begin(tx, "acme", company, now)


def keep(hall: Hall, now: datetime, *found: str) -> Look:
    with hall.db.transaction() as tx:
        return looks.keep(tx, "acme", "654896", now, found)


def find(hall: Hall, company: str = "654896") -> Look:
    with hall.db.reading() as tx:
        return looks.find(tx, "acme", company)


def wrote(hall: Hall, ref: str, state: str, sends: int = 0, settled: datetime = NOW) -> None:
    with hall.db.transaction() as tx:
        tx.execute(
            insert(effects).values(
                id=f"eff_{ref}",
                connection="acme",
                work_id=f"trf_{ref}",
                system="fortnox",
                action="create_invoice",
                ref=ref,
                generation=1,
                creates=True,
                state=state,
                payload={"ExternalInvoiceReference1": ref},
                sends=sends,
                looks=0,
                prepared_at=NOW,
                settled_at=settled,
            )
        )


def test_one_looks_while_the_others_wait(hall: Hall) -> None:
    assert find(hall) == NEVER
    assert begin(hall, NOW)
    assert not begin(hall, NOW + SECOND)
    assert keep(hall, NOW, "severa:a") == find(hall) == Look(NOW, frozenset({"severa:a"}))
    assert not begin(hall, NOW + 4 * SECOND)
    assert begin(hall, NOW + 5 * SECOND)
    assert find(hall).looked_at == NOW  # until it is kept, the look before it counts
    assert find(hall, "another") == NEVER
    assert begin(hall, NOW + 6 * SECOND, "another")
    assert find(hall) == NEVER


def test_a_look_that_is_not_believed_is_not_begun_again_for_an_hour(hall: Hall) -> None:
    begin(hall, NOW)
    keep(hall, NOW)
    with hall.db.transaction() as tx:
        looks.disbelieve(tx, "acme")
    assert find(hall).looked_at is None
    assert not begin(hall, NOW + timedelta(minutes=59))
    assert begin(hall, NOW + timedelta(minutes=60))


def test_a_stranger_is_what_was_never_sent_from_here(hall: Hall) -> None:
    begin(hall, NOW)
    wrote(hall, "severa:done", "done")
    wrote(hall, "severa:sending", "sending", sends=1)
    wrote(hall, "severa:intended", "prepared")
    many = [f"severa:{number}" for number in range(600)]
    look = keep(hall, NOW, "severa:done", "severa:sending", "severa:intended", *many)
    assert look.strangers == {"severa:intended", *many}


def test_a_witness_is_an_invoice_that_was_made_here_in_that_time(hall: Hall) -> None:
    wrote(hall, "severa:early", "done", settled=NOW - 9 * SECOND)
    wrote(hall, "severa:late", "done", settled=NOW)
    wrote(hall, "severa:open", "sending", sends=1, settled=NOW - 5 * SECOND)
    with hall.db.reading() as tx:
        assert looks.witness(tx, "acme", EPOCH, NOW - SECOND) == "severa:early"
        assert looks.witness(tx, "acme", NOW - 9 * SECOND, NOW - SECOND) is None
        assert looks.witness(tx, "other", EPOCH, NOW) is None
