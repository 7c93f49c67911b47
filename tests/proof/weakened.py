"""The bridge with one part of its safety taken out: what shows that the proofs can see.

Only a process that a test forked is weakened, and only by name; the product has no such switch.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
from sqlalchemy import update

from app import calls, effects, sync, worklist
from app.errors import Unclear
from app.fortnox import client as fortnox
from app.fortnox import rest
from app.locks import FileLock
from app.models import work
from app.sync import invoice, writing
from app.worklist import Settlement


def no_intent_first() -> None:
    """What is about to be sent is not written down."""
    _replace(writing, "_announce", lambda _sides, _effect: None)


def no_lock() -> None:
    """Whoever asks is told that the others are gone: as a lease that ended under a paused one."""
    _replace(FileLock, "is_gone", lambda self, name: name != self.name)


def no_quarantine() -> None:
    """A look is believed at once."""
    _replace(writing, "_wait_out", lambda _sides, _creation, _effect: None)
    _replace(writing, "_count_empty_look", lambda *_: None)


def quarantine_from_the_word() -> None:
    """It counts from when the dead process said that it would send, whenever it did."""
    _replace(effects, "leave_alone", lambda _tx, _ids, _until: None)


def one_look() -> None:
    """The first empty look is believed."""
    _replace(writing, "_count_empty_look", lambda *_: None)


def no_person() -> None:
    """However many outcomes are unknown, it is sent once more after two empty looks."""
    count = writing._count_empty_look

    def patient(sides: Any, item: Any, creation: Any, effect: Any) -> None:
        count(sides, item, creation, replace(effect, sends=min(effect.sends, 1)))

    _replace(writing, "_count_empty_look", patient)


def no_lookup() -> None:
    _replace(invoice, "_look", lambda *_: None)


def first_page_only() -> None:
    _replace(rest, "total_pages", lambda _data: 1)


def inexact_lookup() -> None:
    """Whatever the search brings is taken for ours."""

    def found(self: fortnox.Fortnox, reference: str) -> list[Any]:
        pages = self._pages(
            fortnox.schemas.InvoiceListItem,
            "invoices",
            "Invoices",
            externalinvoicereference1=reference,
        )
        return [replace_reference(one, reference) for one in pages][:1]

    def replace_reference(one: Any, reference: str) -> Any:
        return one.model_copy(update={"external_invoice_reference1": reference})

    _replace(fortnox.Fortnox, "invoices_with_reference", found)


def transport_retry() -> None:
    """The HTTP client sends again when no answer comes."""
    once = calls.Ask._send

    def twice(self: calls.Ask, client: Any, request: httpx.Request, largest: int | None) -> Any:
        try:
            return once(self, client, request, largest)
        except Unclear:
            return once(self, client, request, largest)

    _replace(calls.Ask, "_send", twice)


def settled_before_done() -> None:
    """The row is taken off the list before its work is done, as with an early acknowledgement."""
    process = sync.process

    def early(sides: Any, item: Any, settings: Any) -> Any:
        worklist.settle(sides.db, item, Settlement("done"), sides.clock())
        return process(sides, item, settings)

    _replace(sync, "process", early)


def wanted_again_forgotten() -> None:
    """What is heard of a record while it is looked at is not looked at again."""
    settle = worklist.settle

    def forgetful(db: Any, item: Any, settlement: Settlement, now: Any) -> None:
        with db.transaction() as tx:
            running = work.c.id == item.id
            tx.execute(update(work).where(running).values(wanted=work.c.claimed_wanted))
        settle(db, item, settlement, now)

    _replace(worklist, "settle", forgetful)


def dead_rows_forgotten() -> None:
    """Nobody looks for the rows of processes that ended."""
    _replace(FileLock, "is_gone", lambda _self, _name: False)


WEAKNESSES: dict[str, Callable[[], None]] = {
    one.__name__: one
    for one in (
        no_intent_first,
        no_lock,
        no_quarantine,
        quarantine_from_the_word,
        one_look,
        no_person,
        no_lookup,
        first_page_only,
        inexact_lookup,
        transport_retry,
        settled_before_done,
        wanted_again_forgotten,
        dead_rows_forgotten,
    )
}


def apply(name: str) -> None:
    """Nothing is taken out where the name is empty."""
    if name:
        WEAKNESSES[name]()


def _replace(owner: Any, name: str, weaker: Any) -> None:
    getattr(owner, name)  # what is not there cannot be weakened
    setattr(owner, name, weaker)
