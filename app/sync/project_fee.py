"""Project fees, Fortnox → Severa: every cost row with a project of a booked supplier invoice.

For each row, what its fees in Severa add up to is compared with what is booked. A difference goes
into the newest fee while that is not invoiced, and into a correcting fee afterwards; a row that is
gone, or whose invoice was cancelled, is worth nothing. Rows do not hold each other up.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal

from app import journal, links, overview, waiting, worklist
from app.errors import Blocked, ConnectionBlocked, Missing, NothingToDo, Reason, Refused, because
from app.fortnox.schemas import SupplierInvoice
from app.links import Link
from app.severa.schemas import Project
from app.sync import fee_ledger
from app.sync.article_names import shared
from app.sync.fee_content import CORRECTION, Content, translate
from app.sync.fee_desk import Desk
from app.sync.fee_ledger import KIND, Fee, in_force, total
from app.sync.fee_rows import SEK, FeeRow, amount_in, fee_rows
from app.sync.refusals import ending_of
from app.sync.sides import Sides
from app.worklist import Item, Want

TURNS = 2  # an attempt of long ago may have made a fee with what was booked then


def sync(sides: Sides, item: Item) -> Link | None:
    """`item.key`: the supplier invoice's GivenNumber."""
    try:
        invoice = sides.fortnox.supplier_invoice(item.key)
    except Missing as error:
        raise NothingToDo(because("supplier_invoice_gone", invoice=item.key)) from error
    _describe(sides, item, invoice)
    rows = {row.identity: row for row in fee_rows(invoice, sides.document.fee_accounts)}
    for _ in range(TURNS):
        run = Run(sides, item, invoice, Desk(sides, item, item.key))
        run.finish_begun()
        known = fee_ledger.read(sides, item.key)
        if not (rows or known or run.held_up):
            raise NothingToDo(_why_none(invoice))
        for row, fees in known.items():
            if row not in rows:
                run.settle(row, None, fees)
        for row, booked in rows.items():
            run.settle(row, booked, known.get(row, []))
        if run.held_up:
            raise run.held_up[0]
        if not run.is_unfinished:
            break
    return None


def look_again(sides: Sides, project_guid: str) -> None:
    """After a change of a project: fees that waited for it, and those being looked at just now."""
    with sides.db.transaction() as tx:
        now = sides.clock()
        link = links.of_severa(tx, sides.name, "project", project_guid)
        for name in (project_guid, link.fortnox_id if link else None):
            if name:
                waiting.wake(tx, sides.name, waiting_key(name), now)
        looking = overview.running(tx, sides.name, KIND)
        worklist.enqueue(tx, [Want(sides.name, KIND, key) for key in looking], now)


def waiting_key(project: str) -> str:
    """`project`: its GUID where it is known, else its number."""
    return f"severa:project:{project}"


@dataclass
class Run:
    """One look at a supplier invoice; `held_up`: the rows that could not go through, and why."""

    sides: Sides
    item: Item
    invoice: SupplierInvoice
    desk: Desk
    projects: dict[str, Project | None] = field(default_factory=dict)
    held_up: list[Blocked] = field(default_factory=list)
    is_unfinished: bool = False

    def finish_begun(self) -> None:
        if self.sides.plan is None:
            for one in self.desk.begun():
                with self._holding_up():
                    self.desk.finish(one)

    def settle(self, row: str, booked: FeeRow | None, fees: Sequence[Fee]) -> None:
        with self._holding_up():
            self._settle(row, booked, fees)

    @contextmanager
    def _holding_up(self) -> Iterator[None]:
        """What stops one fee does not stop the others."""
        try:
            yield
        except Blocked as blocked:
            self.held_up.append(blocked)
        except Refused as refused:
            ending = ending_of(refused)
            if not isinstance(ending, Blocked) or isinstance(ending, ConnectionBlocked):
                raise
            self.held_up.append(ending)

    def _settle(self, row: str, booked: FeeRow | None, fees: Sequence[Fee]) -> None:
        if any(fee.state == "removed" for fee in fees):
            return
        left, generations = in_force(fees), fee_ledger.next_generations(fees)
        if booked is not None:
            project = self._project_of(booked)
            amount, currency = amount_in(
                self.invoice, booked, project.currency.code if project.currency else None
            )
            ours = [fee for fee in left if fee.currency == currency]
            left = [fee for fee in left if fee.currency != currency]
            content = translate(self.invoice, booked, project.guid.lower())
            asked = Fee("", row, next(generations), content, amount, currency)
            for fee in fees:
                self._check_kept(fee, asked, project.currency.code if project.currency else SEK)
            self._carry(asked, booked, ours)
        for group in fee_ledger.by_currency(left):
            self._take_back(group, next(generations))

    def _carry(self, asked: Fee, booked: FeeRow, ours: Sequence[Fee]) -> None:
        difference = asked.amount - total(ours)
        if not ours and asked.amount:
            self._make(asked, booked)
        elif ours and (difference or not asked.content.says_as(ours[-1].content)):
            self._bring_up_to_date(ours[-1], asked, difference)

    def _bring_up_to_date(self, last: Fee, asked: Fee, difference: Decimal) -> None:
        theirs = self.desk.look(last)
        if theirs is None:
            self.desk.lose(last)
            return
        if not theirs.is_invoiced:
            self._check_open(last.content.project)
            amount = last.amount + difference
            if amount == 0:
                self._take_back([last], asked.generation)
                return
            try:
                self.desk.follow(last, asked.content, amount, theirs)
                return
            except Refused:
                theirs = self.desk.look(last)
                if theirs is None or not theirs.is_invoiced:
                    raise
        if difference:
            self._correct(replace(asked, amount=difference), last.content)

    def _take_back(self, fees: Sequence[Fee], generation: int) -> None:
        """Deletes what is not invoiced, and balances the rest."""
        if not total(fees):
            return
        left = [fee for fee in fees if not self._is_withdrawn(fee)]
        if rest := total(left):
            last = left[-1]
            self._correct(replace(last, generation=generation, amount=-rest), last.content)

    def _is_withdrawn(self, fee: Fee) -> bool:
        theirs = self.desk.look(fee)
        if theirs is None:  # an attempt before this one, or a person: as it should be
            self.desk.mark_withdrawn(fee)
            return True
        if theirs.is_invoiced:
            return False
        self._check_open(fee.content.project)
        return self.desk.withdraw(fee)

    def _make(self, asked: Fee, booked: FeeRow) -> None:
        self._check_open(asked.content.project)
        product = self._product_of(booked)
        made = self.desk.make(replace(asked, content=replace(asked.content, product=product)))
        if made is not None and made.state == "standing" and made.currency != asked.currency:
            self.desk.undo(made)
            self._check_kept(replace(made, state="unkept"), asked, made.currency)
        self.is_unfinished |= made is not None and made.amount != asked.amount
        if product is None and made is not None:
            article = booked.article or ""
            self._warn(because("fee_product_missing", invoice=self.item.key, article=article))

    def _correct(self, asked: Fee, corrected: Content) -> None:
        self._check_open(asked.content.project)
        before = CORRECTION[self.sides.document.language]
        content = replace(asked.content, before=before, product=corrected.product)
        made = self.desk.make(replace(asked, guid="", content=content))
        self.is_unfinished |= made is not None and made.amount != asked.amount

    def _project_of(self, booked: FeeRow) -> Project:
        """The one that was carried over under this number, else the one that bears it."""
        number = booked.project
        if number not in self.projects:
            self.projects[number] = self._find(number)
        project = self.projects[number]
        if project is None:
            raise Blocked(
                because("project_unknown", number=number, invoice=self.item.key),
                waits_for=waiting_key(number),
            )
        return project

    def _find(self, number: str) -> Project | None:
        with self.sides.db.reading() as tx:
            link = links.of_fortnox(tx, self.sides.name, "project", number)
        if link is None:
            return self.sides.severa.project_by_number(number)
        return self._read(link.severa_id)

    def _read(self, guid: str) -> Project | None:
        try:
            return self.sides.severa.project(guid)
        except Missing:
            return None

    def _check_open(self, guid: str) -> None:
        known = (one for one in self.projects.values() if one and one.guid.lower() == guid)
        project = next(known, None) or self._read(guid)
        if project is not None and project.is_closed:
            facts = {"number": project.number, "project": project.name, "invoice": self.item.key}
            raise Blocked(because("project_closed", **facts), waits_for=waiting_key(guid))

    def _check_kept(self, fee: Fee, asked: Fee, home: str) -> None:
        """Whether a fee may be in another currency than its project, Severa does not document."""
        if fee.state == "unkept" and fee.currency == home != asked.currency:
            facts = {"invoice": self.item.key, "asked": asked.currency, "got": home}
            raise Blocked(
                because("fee_currency_not_kept", **facts),
                waits_for=waiting_key(asked.content.project),
            )

    def _product_of(self, booked: FeeRow) -> str | None:
        if booked.article:
            found = self.sides.severa.products_by_code(booked.article)
            if len(found) > 1:
                raise shared(booked.article, [("product", one) for one in found])
            if found:
                return found[0].guid
        return self.sides.document.default_product

    def _warn(self, warning: Reason) -> None:
        with self.sides.db.transaction() as tx:
            now = self.sides.clock()
            journal.write(tx, self.sides.name, self.item.id, warning.code, now, **warning.facts)


def _describe(sides: Sides, item: Item, invoice: SupplierInvoice) -> None:
    parts = (invoice.given_number, invoice.supplier_name, invoice.invoice_number)
    with sides.db.transaction() as tx:
        worklist.describe(tx, item.id, source=" ".join(filter(None, parts)))


def _why_none(invoice: SupplierInvoice) -> Reason:
    if invoice.cancelled:
        return because("supplier_invoice_cancelled", invoice=invoice.given_number)
    if not invoice.booked:
        return because("supplier_invoice_not_booked", invoice=invoice.given_number)
    return because("no_project_costs", invoice=invoice.given_number)
