"""One invoice of ours side by side: what it comes to, and how far it is paid, in both systems."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from app import links
from app.checks.comparison import Line, Subject, Verdict
from app.fortnox import schemas as fortnox
from app.severa import schemas as severa
from app.severa.shape import Money
from app.sync import invoice_rows, money
from app.sync.invoice_document import SEK, shows_without_sign, unrounded
from app.sync.sides import Sides
from app.sync.standing import Standing, standing_of

Amounts = Iterable[tuple[Decimal, Decimal]]  # net and VAT percent


@dataclass
class Pair:
    """`item`: from a list of Fortnox's, which tells neither öresavrundning nor rows."""

    sides: Sides
    guid: str
    invoice: severa.Invoice
    item: fortnox.InvoiceListItem

    def lines(self) -> Iterator[Line]:
        yield self._line("invoice", self._verdict(), self._ours, self._theirs)
        if self.sides.document.invoice_statuses.paid is not None:
            yield self._payment()

    @cached_property
    def _ours(self) -> Decimal:
        return total_of(self.invoice)

    @cached_property
    def _read(self) -> fortnox.Invoice | None:
        """The whole invoice, where the list leaves something open."""
        if self.item.total == self._ours and not _may_be_rounded(self.item):
            return None
        return self.sides.fortnox.invoice(self.item.document_number)

    @cached_property
    def _sign(self) -> int:
        """-1 where Fortnox shows without its sign what is given back."""
        net = amount_of(self.invoice.total_excluding_tax)
        if self._read is None or net >= 0:
            return 1
        by_credit = bool(self._remembered.get("by_credit"))
        return -1 if shows_without_sign(net, self._read, by_credit=by_credit) else 1

    @cached_property
    def _theirs(self) -> Decimal:
        """Without öresavrundning."""
        if self._read is None:
            return self.item.total or money.ZERO
        return self._sign * unrounded(self._read)

    @cached_property
    def _remembered(self) -> dict[str, object]:
        with self.sides.db.reading() as tx:
            link = links.of_severa(tx, self.sides.name, "invoice", self.guid)
        return link.carried if link else {}

    @cached_property
    def _is_vat_rounded(self) -> bool:
        """Whether both did right by the same amounts, and rounded the VAT on them differently."""
        read = self._read
        if read is None or self._ours == self._theirs:
            return False
        rows = self.sides.severa.invoice_rows(self.guid)
        ours = invoice_rows.net_and_vat(self.invoice, rows)
        theirs = [(row.total or money.ZERO, row.vat or money.ZERO) for row in read.invoice_rows]
        if sum(net for net, _ in ours) * sum(net for net, _ in theirs) < 0:
            theirs = [(-net, percent) for net, percent in theirs]
        vat = self._sign * (read.total_vat or money.ZERO)
        return (
            _by_rate(ours) == _by_rate(theirs)
            and self._sign * (read.net or money.ZERO) == sum(net for net, _ in ours)
            and money.rounded(amount_of(self.invoice.total_tax)) in money.vats(ours)
            and vat in money.vats(theirs)
            and self._theirs - self._sign * (read.net or money.ZERO) == vat
        )

    def _verdict(self) -> Verdict:
        if currency_of(self.invoice) != (self.item.currency or SEK):
            return "amount_differs"
        if self._ours != self._theirs and not self._is_vat_rounded:
            return "amount_differs"
        if self._is_dated_otherwise():
            return "invoice_date_differs"
        return "agrees" if self._ours == self._theirs else "vat_rounded"

    def _is_dated_otherwise(self) -> bool:
        ours, theirs = self.invoice.date, self.item.invoice_date
        return ours is not None and theirs is not None and ours != theirs

    def _payment(self) -> Line:
        """What was rounded is paid with the rest, and is no part of the debt in Severa."""
        standing = standing_of(self._read or self.item)
        status = self.invoice.status.guid.lower()
        is_paid = status == self.sides.document.invoice_statuses.paid
        rounding = self._read.round_off if self._read and standing.is_paid else None
        ours = self._ours if is_paid else money.ZERO
        theirs = self._sign * (standing.paid - (rounding or money.ZERO))
        verdict = self._payment_verdict(standing, ours, theirs, is_paid=is_paid)
        return self._line("payment", verdict, ours, theirs)

    def _payment_verdict(
        self, standing: Standing, ours: Decimal, theirs: Decimal, *, is_paid: bool
    ) -> Verdict:
        if standing.is_paid != is_paid:
            return "paid_only_in_fortnox" if standing.is_paid else "paid_only_in_severa"
        if not is_paid:
            return "partly_paid" if theirs else "agrees"
        if ours != theirs and not (self._is_vat_rounded and theirs == self._theirs):
            return "amount_differs"
        if not self._is_paid_on(standing.paid_on):
            return "payment_date_differs"
        return "agrees" if ours == theirs else "vat_rounded"

    def _is_paid_on(self, day: date | None) -> bool:
        """No date is right too where Severa takes none."""
        ours = self.invoice.payment_date
        return ours == day or (ours is None and bool(self._remembered.get("undated")))

    def _line(self, subject: Subject, verdict: Verdict, ours: Decimal, theirs: Decimal) -> Line:
        number = str(self.invoice.number or "")
        return Line(
            subject,
            verdict,
            currency_of(self.invoice),
            self.guid,
            number,
            self.item.document_number,
            ours,
            theirs,
        )


def total_of(invoice: severa.Invoice) -> Decimal:
    return money.rounded(amount_of(invoice.total_including_tax))


def amount_of(given: Money | None) -> Decimal:
    return given.amount if given and given.amount is not None else money.ZERO


def currency_of(invoice: severa.Invoice) -> str:
    return invoice.currency.code if invoice.currency else SEK


def _may_be_rounded(item: fortnox.InvoiceListItem) -> bool:
    """A whole number of crowns may hide öre behind öresavrundning, which is in no list."""
    total = item.total or money.ZERO
    return (item.currency or SEK) == SEK and total == total.to_integral_value()


def _by_rate(rows: Amounts) -> dict[Decimal, Decimal]:
    """The net of each VAT rate."""
    sums: dict[Decimal, Decimal] = defaultdict(lambda: money.ZERO)
    for net, percent in rows:
        sums[percent] += net
    return {percent: net for percent, net in sums.items() if net}
