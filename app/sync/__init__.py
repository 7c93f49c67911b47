"""The table of contents: which bench carries over which kind of record, and how a run ends."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from app import connections, links, outages, overview, tracing, waiting, worklist
from app.errors import (
    CONSENT_LOST,
    Blocked,
    BridgeError,
    ConnectionBlocked,
    Ending,
    NotSent,
    System,
    TryLater,
    Unclear,
    VendorError,
    because,
)
from app.links import Link
from app.locks import LockLost
from app.outages import waiting_key
from app.retention import EVERY
from app.settings import Settings
from app.sync import (
    backfill,
    customer,
    doubt,
    invoice,
    mail,
    payment,
    polls,
    probe,
    product,
    project,
    project_fee,
    retention,
    second_look,
    voucher,
)
from app.sync.meeting import Renamed
from app.sync.polls import rhythm
from app.sync.probe import STOPPED_PROBE_EVERY
from app.sync.settling import DONE, settlement_of
from app.sync.sides import Planned, Sides
from app.worklist import Item, Settlement, Want

log = structlog.get_logger()

HANDLERS: dict[str, Callable[[Sides, Item], Link | None]] = {
    "backfill": backfill.sync,
    "customer": customer.sync,
    "invoice": invoice.sync,
    "invoice_payment": voucher.invoice_payment,
    "mail": mail.sync,
    "payment": payment.sync,
    "poll": polls.sync,
    "probe": probe.sync,
    "product": product.sync,
    "project": project.sync,
    "project_fee": project_fee.sync,
    "retention": retention.sync,
    "voucher": voucher.sync,
}


REGISTERS = ("customer", "product", "project")


def process(sides: Sides, item: Item, settings: Settings) -> Link | None:
    """One run of one row, to its settlement; the link where the record is carried over now."""
    try:
        link, settlement = _run(sides, item, settings)
        if item.kind == "project":
            project_fee.look_again(sides, item.key)
        if item.kind in REGISTERS and settlement.state in waiting.CHANGES:
            _wake_contradicted(sides, item, link)
        with sides.db.reading() as tx:
            settlement = second_look.arranged(tx, item, settlement, sides.clock())
    except Renamed:
        return None
    except BaseException:
        sides.holder.drop(item)
        raise
    sides.holder.settle(item, settlement)
    tracing.note({"bridge.state": settlement.state})
    say = log.debug if item.kind in ("poll", "mail") else log.info  # they come all day long
    say(
        "work.settled",
        connection=item.connection,
        kind=item.kind,
        key=item.key,
        state=settlement.state,
        reason=settlement.reason.code if settlement.reason else None,
    )
    return link


def ensure(sides: Sides, settings: Settings, kind: str, key: str) -> Link:
    """The link of another record. Its own row is claimed and run when there is none yet."""
    with sides.db.reading() as tx:
        known = links.of_severa(tx, sides.name, kind, key)
    if known is not None:
        return known
    want = Want(sides.name, kind, key)
    item = sides.holder.claim_now(want)
    if item is None:
        raise TryLater(
            because("other_record_running", kind=kind),
            after=settings.retry_wait(2),
            waits_for=f"work:{want.of}",
        )
    with tracing.span(f"run {kind}", facts={"bridge.kind": kind, "bridge.work_id": item.id}):
        link = process(sides, item, settings)
    if link is None:
        raise _ending_of_other(sides, want)
    return link


def plan(sides: Sides, item: Item) -> list[Planned]:
    """The writes a run would send now, without sending any; an ending that stops it is raised."""
    planned: list[Planned] = []
    dry = replace(sides, plan=planned, ensure=lambda kind, key: _planned(dry, kind, key))
    HANDLERS[item.kind](dry, item)
    return planned


def _planned(sides: Sides, kind: str, key: str) -> Link:
    """The other record as it would be, without carrying it over."""
    with sides.db.reading() as tx:
        known = links.of_severa(tx, sides.name, kind, key)
    if known is not None:
        return known
    link = HANDLERS[kind](sides, worklist.imagined(Want(sides.name, kind, key)))
    if link is None:
        raise Blocked(because("other_record_blocked", kind=kind, why=""))
    return link


def _run(sides: Sides, item: Item, settings: Settings) -> tuple[Link | None, Settlement]:
    if item.kind == "poll" and not settings.poll_interval:
        return None, DONE
    try:
        doubtful = _leave_alone_if_open(sides, item)
        link = HANDLERS[item.kind](sides, item)
    except Ending as ending:
        return None, _settlement(sides, item, ending, settings)
    except VendorError as error:
        _note_failure(sides, error)
        return None, _settlement(sides, item, doubt.ending(sides, item, error), settings)
    except (LockLost, OperationalError, InterfaceError, Renamed):
        raise
    except Exception as error:  # the boundary: a bug of ours must not lose the row
        log.exception("work.bug", connection=item.connection, kind=item.kind, key=item.key)
        bug = TryLater(because("our_bug", error=type(error).__name__))
        return None, _settlement(sides, item, bug, settings)
    for system in doubtful:
        with sides.db.transaction() as tx:
            outages.note_answer(tx, sides.name, system, sides.clock())
    return link, _done(item, settings, sides.clock())


def _done(item: Item, settings: Settings, now: datetime) -> Settlement:
    """What is never done with is due again."""
    if item.kind == "poll":
        return rhythm.settlement(item, settings, now)
    if item.kind == "retention":
        return Settlement("done", due_at=now + EVERY)
    if item.kind == "mail":
        return mail.settlement(item, settings, now)
    return DONE


def _wake_contradicted(sides: Sides, item: Item, link: Link | None) -> None:
    """Records that this one stood in the way of, by what it was or by its number in Fortnox."""
    keys = {item.key, f"fortnox:{link.fortnox_id}"} if link else {item.key}
    with sides.db.transaction() as tx:
        for key in keys:
            waiting.wake(tx, sides.name, waiting.changed_key(item.kind, key), sides.clock())


def _leave_alone_if_open(sides: Sides, item: Item) -> list[System]:
    """The vendors that failed lately; TryLater while one of them is only probed."""
    if item.kind in ("probe", "retention", "mail"):
        return []
    with sides.db.reading() as tx:
        known = outages.known(tx, sides.name)
    if item.kind == "poll":  # the other vendor's outage is none of its business
        known = {one: is_open for one, is_open in known.items() if item.key.startswith(one)}
    for system, is_open in known.items():
        if is_open:
            raise TryLater(
                because("vendor_silent", system=system, words=""), waits_for=waiting_key(system)
            )
    return list(known)


def _note_failure(sides: Sides, error: VendorError) -> None:
    if isinstance(error, NotSent | Unclear) and sides.plan is None:
        with sides.db.transaction() as tx:
            outages.note_failure(tx, sides.name, error.system, sides.clock())


def _settlement(sides: Sides, item: Item, ending: Ending, settings: Settings) -> Settlement:
    now = sides.clock()
    if item.kind == "poll" and not polls.stops_connection(item, ending):
        return rhythm.settlement(item, settings, now, ending)
    if item.kind == "mail":
        return mail.settlement(item, settings, now, ending)
    if isinstance(ending, ConnectionBlocked):
        system = ending.reason.facts.get("system", "")
        with sides.db.transaction() as tx:
            stopped = connections.stop(tx, sides.name, ending.reason, now, sides.connection)
            if ending.reason.code != CONSENT_LOST:
                again = now + STOPPED_PROBE_EVERY
                worklist.plant(tx, Want(sides.name, "probe", system), again, now)
        if stopped:
            log.error("connection.stopped", connection=sides.name, reason=ending.reason.code)
        return Settlement("blocked", ending.reason, waits_for=connections.WAITING)
    return settlement_of(ending, item, settings, now)


def _ending_of_other(sides: Sides, want: Want) -> BridgeError:
    """Why the other record did not go through, told of the one that needs it."""
    with sides.db.reading() as tx:
        state, reason = overview.standing(tx, *want.at)
    code = reason.code if reason else ""
    facts = {"kind": want.kind, "why": code} | (reason.facts if reason else {})
    waits_for = waiting.waiting_key(want.kind, want.key)
    if state in ("waiting", "queued", "running"):
        return TryLater(reason or because("other_record_waiting", **facts), waits_for=waits_for)
    return Blocked(because("other_record_blocked", **facts), waits_for=waits_for)
