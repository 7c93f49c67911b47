"""Customer invoices, Severa → Fortnox: once each, checked to the öre, then moved to received."""

from collections.abc import Collection
from typing import Any

from app import journal, links, worklist
from app.effects import Intent
from app.errors import Blocked, Missing, NothingToDo, Refused, TryLater, VendorError, because
from app.links import Link
from app.severa.schemas import Invoice
from app.sync import (
    attachments,
    cancelled,
    credit_note,
    doubt,
    error_status,
    first_look,
    invoice_update,
    not_kept,
    reading,
)
from app.sync.credit_note import Made
from app.sync.invoice_document import Translation, differences, reference, translate
from app.sync.invoice_facts import gather
from app.sync.invoice_job import Carried, Job
from app.sync.shown import looked_for, wait_for_our_write
from app.sync.sides import Sides
from app.sync.writing import CancelledByPerson, Creation, Found, change, create
from app.worklist import Item


def sync(sides: Sides, item: Item) -> Link | None:
    try:
        with looked_for(sides, item):
            return _sync(sides, item)
    except Blocked as blocked:
        error_status.show(sides, item, blocked)
        raise
    except VendorError as error:
        error_status.show(sides, item, doubt.ending(sides, item, error))
        raise


def _sync(sides: Sides, item: Item) -> Link | None:
    link = _known(sides, item)
    try:
        invoice = reading.to_carry(sides, item)
    except Missing as error:
        raise NothingToDo(because("severa_invoice_gone")) from error
    _describe(sides, item, invoice)
    if not error_status.is_to_be_carried(sides, item, invoice):
        if link is not None:
            cancelled.note_left(sides, item, link)
            return link
        raise NothingToDo(
            because("not_in_transfer_status", status=invoice.status.name or invoice.status.guid)
        )
    original = credit_note.original_of(sides, invoice)
    asked = translate(gather(sides, invoice, original))
    carried = _carry(sides, item, link, Job(invoice, asked, original))
    _check(sides, item, asked, carried)
    link = attachments.attach(sides, item, carried.link)
    _book(sides, item, link)
    return _receive(sides, item, link)


def _known(sides: Sides, item: Item) -> Link | None:
    with sides.db.reading() as tx:
        return links.of_severa(tx, sides.name, "invoice", item.key)


def _describe(sides: Sides, item: Item, invoice: Invoice) -> None:
    payer = invoice.billing_customer or invoice.customer
    parts = (str(invoice.number or "–"), payer.name if payer and payer.name else "")
    with sides.db.transaction() as tx:
        worklist.describe(tx, item.id, source=" ".join(parts).strip())


def _carry(sides: Sides, item: Item, link: Link | None, job: Job) -> Carried:
    """The invoice in Fortnox, made or brought up to date."""
    if link is None:
        return _make(sides, item, job, {"generation": 1, "replaced": ()})
    theirs = sides.fortnox.invoice(link.fortnox_id)
    if theirs.cancelled:
        return _create_anew(sides, item, link, job)
    is_same, is_again = link.carried.get("payload") == job.payload, link.carried.get("moved")
    if theirs.booked and (is_again or not is_same):
        raise Blocked(because("already_booked", number=link.fortnox_id))
    if is_same:
        return Carried(link, theirs, is_read=True)
    try:
        return _update(sides, item, link, job.payload)
    except Refused:  # booked or cancelled since it was read: then that decides
        theirs = sides.fortnox.invoice(link.fortnox_id)
        if theirs.booked:
            raise Blocked(because("already_booked", number=link.fortnox_id)) from None
        if not theirs.cancelled:
            raise
        return _create_anew(sides, item, link, job)


def _create_anew(sides: Sides, item: Item, link: Link, job: Job) -> Carried:
    """In the place of one that was cancelled; CancelledByPerson until somebody wants that."""
    if not cancelled.is_wanted_again(sides, item, link, job.invoice):
        raise cancelled.ask(sides, link)
    generation = int(link.carried.get("generation", 1)) + 1
    replaced = (*link.carried.get("replaced", ()), link.fortnox_id)
    return _make(sides, item, job, {"generation": generation, "replaced": replaced})


def _make(sides: Sides, item: Item, job: Job, carried: dict[str, Any]) -> Carried:
    """Brought up to date where an earlier attempt made it, with what Severa said then.

    `carried`: which generation this is, and the numbers of those that it replaces.
    """
    try:
        made = _create(sides, item, job, carried | {"moved": False})
    except CancelledByPerson as found:
        raise cancelled.ask(sides, Link("invoice", item.key, found.number, carried)) from found
    if made.link.carried["payload"] == job.payload:
        return made
    return _carry(sides, item, made.link, job)


def _create(sides: Sides, item: Item, job: Job, carried: dict[str, Any]) -> Carried:
    payload, generation = job.payload, carried["generation"]
    ref = reference(item.key)
    intent = Intent(
        sides.name, item.id, "fortnox", "create_invoice", ref, payload, generation=generation
    )
    intent = credit_note.recorded(sides, intent, job.asked, job.original)
    creation: Creation[Made] = Creation(
        intent,
        look=lambda: _look(sides, intent, carried["replaced"]),
        send=lambda content: credit_note.send(sides, content),
        number=lambda made: made.number,
        is_surely_new=lambda: _is_surely_new(sides, intent),
    )
    try:
        created = create(sides, item, creation)
    except Refused as error:
        if credit_note.is_by_credit(intent.payload):
            credit_note.look_again_if_credited(sides, intent.payload, error)
        raise
    answer = created.answer.answer if created.answer else None
    by_credit = credit_note.is_by_credit(intent.payload)
    carried["payload"] = payload if by_credit else created.sent or payload
    carried["credits"] = job.original.number if job.original else ""
    if by_credit:
        answer = credit_note.complete(sides, item.id, created.number, payload)
        carried["by_credit"] = True
        carried["turned"] = bool(answer and credit_note.has_turned_rows(payload, answer))
    link = Link("invoice", item.key, created.number, carried)
    _tell_created(sides, item, link, job)
    return Carried(link, answer)


def _tell_created(sides: Sides, item: Item, link: Link, job: Job) -> None:
    if sides.plan is not None:
        return
    number, by_credit = link.fortnox_id, bool(link.carried.get("by_credit"))
    what = "credit_note" if job.invoice.is_credit_note else "invoice"
    original = link.carried.get("credits") or ""
    warnings = credit_note.warnings(job.invoice, number, job.original, by_credit=by_credit)
    _remember(sides, item, link)
    with sides.db.transaction() as tx:
        now = sides.clock()
        facts = {"number": number, "original": original}
        journal.write(tx, sides.name, item.id, f"created_{what}", now, **facts)
        for one in (*job.asked.warnings, *warnings, *not_kept.number(job.asked, number)):
            journal.write(tx, sides.name, item.id, one.code, now, **one.facts)


def _is_surely_new(sides: Sides, intent: Intent) -> bool:
    """What is made by `credit`, or made anew, is asked for in its own way."""
    if intent.generation > 1 or credit_note.is_by_credit(intent.payload):
        return False
    return first_look.is_surely_new(sides, intent.ref)


def _look(sides: Sides, intent: Intent, replaced: Collection[str]) -> Found | None:
    """A cancelled one counts, unless this is made in its place."""
    found = sides.fortnox.invoices_with_reference(intent.ref)
    living = [one for one in found if not one.cancelled]
    if len(living) > 1:
        numbers = ", ".join(one.document_number for one in living)
        raise Blocked(because("invoice_twice", numbers=numbers))
    if living:
        return Found(living[0].document_number)
    gone = [one.document_number for one in found if one.document_number not in replaced]
    if gone:
        return Found(gone[-1], cancelled=True)
    if credit_note.is_by_credit(intent.payload):
        return credit_note.look(sides, intent.payload, intent.ref)
    return None


def _update(sides: Sides, item: Item, link: Link, payload: dict[str, object]) -> Carried:
    number, answer = link.fortnox_id, invoice_update.send(sides, item, link, payload)
    link = Link("invoice", item.key, number, link.carried | {"payload": payload, "moved": False})
    if sides.plan is None:
        _remember(sides, item, link)
        _note(sides, item, "updated_invoice", number=number)
    return Carried(link, answer)


def _check(sides: Sides, item: Item, asked: Translation, carried: Carried) -> None:
    """A difference stops the transfer before Severa's status is moved."""
    if sides.plan is not None:
        return
    link, answer = carried.link, carried.answer
    is_read = carried.is_read or answer is None
    answer = answer or sides.fortnox.invoice(link.fortnox_id)
    if answer.cancelled:
        raise cancelled.ask(sides, link)
    found = differences(asked, answer, by_credit=bool(link.carried.get("by_credit")))
    if found and is_read:
        wait_for_our_write(sides, link.fortnox_id)
    if found:
        field, ours, theirs = found[0]
        raise Blocked(
            because(
                "read_back_differs",
                number=answer.document_number,
                field=field,
                asked=ours,
                got=theirs,
            )
        )
    for one in [] if carried.is_read else not_kept.projects(asked, answer):
        _note(sides, item, one.code, **one.facts)


def _book(sides: Sides, item: Item, link: Link) -> None:
    if not sides.document.bookkeep_invoices:
        return
    number = link.fortnox_id
    if sides.plan is None and sides.fortnox.invoice(number).booked:
        return
    intent = Intent(
        sides.name, item.id, "fortnox", "bookkeep_invoice", f"invoice:{number}", {}, creates=False
    )
    try:
        change(sides, intent, lambda: sides.fortnox.bookkeep_invoice(number), number=number)
    except Refused:  # somebody was faster
        if not sides.fortnox.invoice(number).booked:
            raise
        return
    if sides.plan is None:
        _note(sides, item, "bookkept_invoice", number=number)


def _receive(sides: Sides, item: Item, link: Link) -> Link:
    received = sides.document.invoice_statuses.received
    if received is None:
        raise TryLater(because("setting_missing", setting="invoice_statuses.received"))
    intent = Intent(
        sides.name, item.id, "severa", "move_invoice", item.key, {"status": received}, creates=False
    )
    change(sides, intent, lambda: sides.severa.move_invoice(item.key, received))
    link = Link(link.kind, link.severa_id, link.fortnox_id, link.carried | {"moved": True})
    if sides.plan is None:
        _remember(sides, item, link)
        _note(sides, item, "moved_to_received", number=link.fortnox_id)
    return link


def _remember(sides: Sides, item: Item, link: Link) -> None:
    with sides.db.transaction() as tx:
        links.remember(tx, sides.name, link, sides.clock())
        worklist.describe(tx, item.id, target_id=link.fortnox_id, target=link.fortnox_id)


def _note(sides: Sides, item: Item, what: str, **facts: object) -> None:
    with sides.db.transaction() as tx:
        journal.write(tx, sides.name, item.id, what, sides.clock(), **facts)
