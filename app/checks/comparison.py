"""Two amounts side by side, one in each system, and what the difference is called."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from app.sync import money

Subject = Literal["invoice", "payment", "fee"]
Verdict = Literal[
    "agrees",
    "pending",
    "vat_rounded",
    "partly_paid",
    "amount_differs",
    "invoice_date_differs",
    "missing_in_fortnox",
    "surplus_in_fortnox",
    "twice_in_fortnox",
    "missing_in_severa",
    "surplus_in_severa",
    "twice_in_severa",
    "paid_only_in_fortnox",
    "paid_only_in_severa",
    "payment_date_differs",
]
FINE: tuple[Verdict, ...] = ("agrees", "pending", "vat_rounded", "partly_paid")
ONE_SIDED = ("pending", "partly_paid")  # Severa knows no part payments


@dataclass(frozen=True)
class Line:
    """One comparison, in `currency`: invoices and payments with VAT and without öresavrundning,
    fees without VAT.

    Of a fee, `fortnox_number` is the supplier invoice's and `severa_number` the project's.
    """

    subject: Subject
    verdict: Verdict
    currency: str
    severa_id: str = ""
    severa_number: str = ""
    fortnox_number: str = ""
    severa_amount: Decimal = money.ZERO
    fortnox_amount: Decimal = money.ZERO

    @property
    def difference(self) -> Decimal:
        return self.fortnox_amount - self.severa_amount


@dataclass(frozen=True)
class Sum:
    subject: Subject
    currency: str
    severa: Decimal
    fortnox: Decimal


@dataclass(frozen=True)
class Reconciliation:
    first: date
    last: date
    lines: tuple[Line, ...]

    @property
    def differences(self) -> list[Line]:
        return [line for line in self.lines if line.verdict not in FINE]

    @property
    def sums(self) -> list[Sum]:
        """The invoices, payments and fees of each currency, added up on both sides.

        Without those that one side cannot have yet: what is pending or paid in part.
        """
        found: dict[tuple[Subject, str], list[Decimal]] = {}
        for subject in ("invoice", "payment", "fee"):
            for line in self.lines:
                if line.subject == subject and line.verdict not in ONE_SIDED:
                    pair = found.setdefault((line.subject, line.currency), [money.ZERO, money.ZERO])
                    pair[0] += line.severa_amount
                    pair[1] += line.fortnox_amount
        return [Sum(*of, *pair) for of, pair in found.items()]
