"""Every part of the protocol is needed, and the proofs would see if it were missing.

Each schedule is the shortest story in which one part matters. The bridge comes through it with one
invoice; the bridge without that part makes none, or two.
"""

import os
import signal
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from app.models import effects
from app.sandbox.chaos import Fault, Kind
from app.sandbox.severa import DRAFT, TRANSFER
from tests import servers
from tests.installation import until
from tests.proof.stage import ROUNDS, Stage, stage
from tests.proof.weakened import WEAKNESSES

SMALL_PAGE = 10
POST = "POST fortnox /3/invoices"
QUARANTINE_OVER, SECOND_LOOK = 11, 13  # minutes


@pytest.fixture(scope="module")
def theatre(
    shared_redis: servers.RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("weakened")
    with stage(f"sqlite:///{folder}/bridge.db", shared_redis.url, folder) as opened:
        order(opened)
        opened.recover()
        yield opened


def order(stage: Stage, status: str = TRANSFER) -> str:
    guid: str = stage.partners.severa.add_simple_invoice()["guid"]
    stage.partners.severa.set_status(guid, status)
    stage.want(("invoice", guid))
    return guid


def made(stage: Stage, guid: str) -> int:
    return stage.partners.invoices_by_reference()[f"severa:{guid}"]


def fail_once(stage: Stage, kind: Kind) -> None:
    stage.partners.fortnox.chaos.faults.append(Fault(kind, "/3/invoices$", "POST"))


def land(stage: Stage, guid: str) -> None:
    """The call whose answer was never heard takes effect only now."""
    with stage.hall.db.reading() as tx:
        sent = effects.c.ref == f"severa:{guid}"
        payload = tx.execute(select(effects.c.payload).where(sent)).scalar_one()
    stage.partners.books.add_invoice(**payload)


def paused(stage: Stage, without: str, **where: str) -> int:
    """A process that was stopped at that call; its pid."""
    pid = stage.start(weakened=without, **where)
    until("it is stopped", lambda: state_of(pid) == "T", patience=60)
    return pid


def state_of(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


def wake(stage: Stage, pid: int) -> None:
    os.kill(pid, signal.SIGCONT)
    assert stage.wait(pid) in (0, -9), stage.log()


def a_call_lands_late(stage: Stage, without: str) -> int:
    guid = order(stage)
    fail_once(stage, "break")
    assert stage.die(POST, weakened=without)
    stage.run(weakened=without)
    land(stage, guid)
    stage.recover(weakened=without)
    return made(stage, guid)


def an_answer_is_lost(stage: Stage, without: str) -> int:
    guid = order(stage)
    fail_once(stage, "lose")
    stage.run(weakened=without)
    stage.recover(weakened=without)
    return made(stage, guid)


def a_process_wakes_up_late(stage: Stage, without: str) -> int:
    """It was stopped between its last check and the call; others go on meanwhile."""
    guid = order(stage)
    pid = paused(stage, without, stop_at=POST)
    stage.run(weakened=without, rounds=ROUNDS)
    wake(stage, pid)
    stage.recover(weakened=without)
    return made(stage, guid)


def a_process_wakes_up_late_sends_and_dies(stage: Stage, without: str) -> int:
    """Its call was on the way for a moment only, long after it had said that it would send."""
    guid = order(stage)
    fail_once(stage, "break")
    pid = paused(stage, without, stop_at=POST, die_at=POST)
    wake(stage, pid)
    stage.run(weakened=without, ahead=QUARANTINE_OVER)
    stage.run(weakened=without, ahead=SECOND_LOOK)
    land(stage, guid)
    stage.recover(weakened=without, ahead=SECOND_LOOK)
    return made(stage, guid)


def a_vendor_is_hours_late(stage: Stage, without: str) -> int:
    """Two calls are swallowed, and the work of one is done long after; a person then says retry."""
    guid = order(stage)
    fail_once(stage, "break")
    fail_once(stage, "break")
    stage.run(weakened=without, rounds=ROUNDS)
    land(stage, guid)
    stage.retry("invoice", guid)
    stage.recover(weakened=without)
    return made(stage, guid)


def the_index_lags(stage: Stage, without: str) -> int:
    """What was made shows in lists only after the first look."""
    guid = order(stage)
    fail_once(stage, "lose")
    stage.run(weakened=without)
    stage.partners.fortnox.options.search_delay = 3600
    stage.run(weakened=without, ahead=QUARANTINE_OVER)
    stage.partners.fortnox.options.search_delay = 0
    stage.recover(weakened=without)
    return made(stage, guid)


def the_hit_is_on_the_second_page(stage: Stage, without: str) -> int:
    """A pageful of references begin like ours; Fortnox's search does not tell them apart."""
    guid = order(stage)
    others(stage, guid, SMALL_PAGE)
    fail_once(stage, "lose")
    stage.run(weakened=without, page=SMALL_PAGE)
    stage.recover(weakened=without, page=SMALL_PAGE)
    return made(stage, guid)


def another_reference_is_like_ours(stage: Stage, without: str) -> int:
    guid = order(stage)
    others(stage, guid, 1)
    stage.recover(weakened=without)
    return made(stage, guid)


def others(stage: Stage, guid: str, count: int) -> None:
    books = stage.partners.books
    customer = next(iter(books.customers))
    for n in range(count):
        reference = f"severa:{guid}-{n}"
        books.add_invoice(
            CustomerNumber=customer, ExternalInvoiceReference1=reference, InvoiceRows=[]
        )


def a_process_dies_early(stage: Stage, without: str) -> int:
    guid = order(stage)
    assert stage.die("GET severa .*", "before", weakened=without)
    stage.recover(weakened=without)
    return made(stage, guid)


def it_is_moved_while_it_is_looked_at(stage: Stage, without: str) -> int:
    guid = order(stage, DRAFT)
    pid = paused(stage, without, stop_after=f"GET severa .*/invoices/{guid}")
    stage.partners.severa.set_status(guid, TRANSFER)
    stage.want(("invoice", guid))
    wake(stage, pid)
    stage.recover(weakened=without)
    return made(stage, guid)


Schedule = Callable[[Stage, str], int]
STORIES: dict[str, tuple[Schedule, int]] = {
    "no_intent_first": (a_call_lands_late, 2),
    "no_lock": (a_process_wakes_up_late, 2),
    "no_quarantine": (a_call_lands_late, 2),
    "quarantine_from_the_word": (a_process_wakes_up_late_sends_and_dies, 2),
    "one_look": (the_index_lags, 2),
    "no_person": (a_vendor_is_hours_late, 2),
    "no_lookup": (an_answer_is_lost, 2),
    "first_page_only": (the_hit_is_on_the_second_page, 2),
    "inexact_lookup": (another_reference_is_like_ours, 0),
    "transport_retry": (an_answer_is_lost, 2),
    "settled_before_done": (a_process_dies_early, 0),
    "wanted_again_forgotten": (it_is_moved_while_it_is_looked_at, 0),
    "dead_rows_forgotten": (a_process_dies_early, 0),
}


def test_there_is_a_story_for_every_weakness() -> None:
    assert set(STORIES) == set(WEAKNESSES)


@pytest.mark.processes
@pytest.mark.parametrize("schedule", dict.fromkeys(one for one, _ in STORIES.values()))
def test_the_bridge_comes_through_with_one_invoice(theatre: Stage, schedule: Schedule) -> None:
    assert schedule(theatre, "") == 1
    assert theatre.unsettled() == {}


@pytest.mark.processes
@pytest.mark.parametrize("without", STORIES)
def test_without_one_part_of_its_safety_it_loses_or_doubles(theatre: Stage, without: str) -> None:
    schedule, invoices = STORIES[without]
    assert schedule(theatre, without) == invoices
