"""Whatever happens in whatever order: one invoice of each, and nothing of it is lost.

A machine that orders invoices, tells of them once or often, runs a worker, lets it die at any
commit or call, loses answers, lets a call take effect late, lets time pass, sets the clock back,
takes tokens away and presses retry. After every step the books are looked at. In the end the storm
is over, a person lets go on what was put before him, and everything has arrived.

`MACHINE=500 make test T=tests/journeys/test_any_order.py` tells so many stories, others each time.
"""

import os
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from app import inbox
from app.inbox import Heard
from app.models import effects, work
from app.sandbox.chaos import Fault
from app.sandbox.severa import RECEIVED, TRANSFER
from app.worklist import Want
from tests.installation import severa_event
from tests.journeys.test_invoices import order, status
from tests.proof import seams
from tests.workshop import Workshop
from workers.process import WorkingProcess

STORIES = int(os.environ.get("MACHINE", "0"))
STEPS = 30 if STORIES else 12
HOURS = timedelta(hours=1)
POST = "/3/invoices$"
REPLIES: dict[str, Fault | None] = {
    "as it should be": None,
    "made, and the answer is lost": Fault("lose", POST, "POST"),
    "not made, and no answer": Fault("break", POST, "POST"),
    "made, and a gateway answers": Fault("mask", POST, "POST", status=502, body="<html>"),
    "made, and cut short": Fault("mask", POST, "POST", status=200, body='{"Invoice": {"Docu'),
    "busy": Fault("refuse", POST, "POST", status=429, headers={"Retry-After": "1"}),
    "refused token": Fault("refuse", "/3/", status=401),
    "Severa is away": Fault("refuse", "/v1/invoices", "GET", status=503),
    "the move is lost": Fault("lose", "/v1/invoices", "PATCH"),
}
DOUBTS = sorted(reply for reply in REPLIES if "made" in reply)


class Died(BaseException):
    """As by SIGKILL: nothing that is under way is told to anybody."""


@dataclass
class Theatre:
    """One bridge and two partners for all stories: each has invoices of its own."""

    shop: Workshop
    redis_url: str
    told: int = 0

    def restart(self) -> None:
        """The lock of the old process is free from here on; its rows lie as it left them."""
        self.shop.process.close()
        self.shop.process = WorkingProcess(
            self.shop.hall, "worker", self.redis_url, lost=lambda: None
        )
        self.shop.process.room.holder.take_back_lost()

    def hear(self, guid: str, identity: str) -> None:
        body, want = severa_event(guid), Want(self.shop.name, "invoice", guid)
        heard = Heard(self.shop.name, "severa", "webhook", identity, body, "invoice.updated", want)
        with self.shop.hall.db.transaction() as tx:
            inbox.receive(tx, [heard], self.shop.clock())

    def effect(self, guid: str) -> Any:
        with self.shop.hall.db.reading() as tx:
            query = select(effects).where(effects.c.ref == f"severa:{guid}", effects.c.creates)
            return tx.execute(query).one_or_none()

    def row(self, guid: str) -> Any:
        with self.shop.hall.db.reading() as tx:
            return tx.execute(
                select(work).where(work.c.kind == "invoice", work.c.key == guid)
            ).one_or_none()


class Machine(RuleBasedStateMachine):
    theatre: Theatre
    invoices = Bundle("invoices")

    def __init__(self) -> None:
        super().__init__()
        self.shop = self.theatre.shop
        self.mine: dict[str, int] = {}  # by GUID, how often each was run at least
        self.told: set[str] = set()
        self.on_the_way: dict[str, datetime] = {}  # calls that may take effect until then

    @initialize(target=invoices, reply=st.sampled_from(DOUBTS))
    def the_first_of_two_is_in_doubt(self, reply: str) -> Any:
        guids = [self.a_person_orders_one(quantity) for quantity in (1, 2)]
        for guid in guids:
            self.it_is_told_of(guid, 1, again=False)
        self.a_worker_runs(reply)
        return multiple(*guids)

    @rule(target=invoices, quantity=st.integers(1, 9))
    def a_person_orders_one(self, quantity: int) -> str:
        guid = order(self.shop, quantity=quantity)
        self.mine[guid] = 0
        return guid

    @rule(guid=invoices, copies=st.integers(1, 3), again=st.booleans())
    def it_is_told_of(self, guid: str, copies: int, again: bool) -> None:
        for _ in range(copies):
            self.theatre.told += again
            self.theatre.hear(guid, f"msg_{guid}_{self.theatre.told if again else 0}")
        self.told.add(guid)

    @rule(guid=invoices)
    def a_person_moves_it_to_transfer_again(self, guid: str) -> None:
        self.shop.partners.severa.set_status(guid, TRANSFER)

    @rule(reply=st.sampled_from(sorted(REPLIES)))
    def a_worker_runs(self, reply: str) -> None:
        fault = REPLIES[reply]
        sandboxes = (self.shop.partners.fortnox, self.shop.partners.severa)
        for one in sandboxes:
            one.chaos.faults[:] = [replace(fault)] if fault else []
        before = self._sending()
        self.shop.run()
        for one in sandboxes:
            one.chaos.faults.clear()
        if reply == "not made, and no answer":
            new = {guid: effect for guid, effect in self._sending().items() if guid not in before}
            self.on_the_way |= {guid: effect.not_before for guid, effect in new.items()}

    def _sending(self) -> dict[str, Any]:
        found = {guid: self.theatre.effect(guid) for guid in self.mine}
        return {guid: one for guid, one in found.items() if one and one.state == "sending"}

    @rule(point=st.integers(0, 45), side=st.sampled_from(["before", "after"]))
    def a_worker_dies(self, point: int, side: Any) -> None:
        """At one of its commits or calls, if it comes so far."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(seams, "_die", _die)
            try:
                with seams.watched(die_at=point, side=side):
                    self.shop.run()
            except Died:
                pass  # what is left of it is for the next one
        self.theatre.restart()

    @precondition(lambda self: self.on_the_way)
    @rule()
    def a_call_takes_effect_late(self) -> None:
        """Within the time that a request may be on its way."""
        guid, until = self.on_the_way.popitem()
        if self.shop.clock() < until:
            payload = self.theatre.effect(guid).payload
            self.shop.partners.books.add_invoice(**payload)

    @rule(minutes=st.sampled_from([1, 5, 11, 60]))
    def time_passes(self, minutes: int) -> None:
        self.shop.clock.move_on(timedelta(minutes=minutes))

    @precondition(lambda self: not self.on_the_way)
    @rule(hours=st.sampled_from([-1, 1, 24]))
    def the_clock_jumps(self, hours: int) -> None:
        self.shop.clock.move_on(hours * HOURS)

    @rule()
    def everything_is_restarted_and_all_tokens_are_taken_away(self) -> None:
        self.shop.partners.fortnox.expire_tokens()
        self.shop.partners.severa.expire_tokens()
        self.theatre.restart()

    @rule(guid=invoices)
    def a_person_presses_retry(self, guid: str) -> None:
        if guid in self.told:
            self.shop.retry("invoice", guid)

    @invariant()
    def there_is_never_a_second_one(self) -> None:
        made = self.shop.partners.invoices_by_reference()
        assert all(made[f"severa:{guid}"] <= 1 for guid in self.mine)

    @invariant()
    def what_was_told_of_has_a_row_whose_runs_are_counted(self) -> None:
        for guid in self.told:
            row = self.theatre.row(guid)
            assert row is not None
            assert row.attempts >= self.mine[guid]
            self.mine[guid] = row.attempts
            if row.state == "done":
                self.check_arrived(guid)

    def check_arrived(self, guid: str) -> None:
        shop = self.shop
        books = shop.partners.books.invoices.values()
        nets = [
            Decimal(str(one["Net"]))
            for one in books
            if one["ExternalInvoiceReference1"] == f"severa:{guid}"
        ]
        theirs = shop.partners.severa.find("invoices", guid)
        assert nets == [Decimal(str(theirs["totalExcludingTax"]["amount"]))]

    def teardown(self) -> None:
        for guid in self.mine.keys() - self.told:
            self.it_is_told_of(guid, 1, again=False)
        for _ in range(2):
            for _ in range(5):
                self.shop.clock.move_on(12 * HOURS)
                self.shop.run()
            for guid in self.mine:
                state, reason = self.shop.outcome("invoice", guid)
                assert state in ("done", "skipped") or reason, f"{guid} is {state} without a reason"
                if state not in ("done", "skipped"):
                    self.shop.retry("invoice", guid)
        for guid in self.mine:
            self.check_arrived(guid)
            if status(self.shop, guid) != RECEIVED:  # moved again, and nobody was told
                self.it_is_told_of(guid, 1, again=True)
        self.shop.run()
        assert {status(self.shop, guid) for guid in self.mine} <= {RECEIVED}
        self.there_is_never_a_second_one()


def _die() -> None:
    raise Died


@pytest.mark.timeout(36_000 if STORIES else 300)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_there_is_one_of_each_whatever_happens_in_whatever_order(
    shop: Workshop, redis_url: str
) -> None:
    order(shop)
    shop.look_at("invoice", shop.partners.severa.records("invoices")[-1]["guid"])

    class Here(Machine):
        theatre = Theatre(shop, redis_url)

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=STORIES or 12,
            stateful_step_count=STEPS,
            derandomize=not STORIES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
