"""What an event names is not always the record to look at: vouchers and payments lead to it."""

from app import inbox, worklist
from app.errors import Missing, NothingToDo, because
from app.sync.sides import Sides
from app.worklist import Item, Want


def sync(sides: Sides, item: Item) -> None:
    """`item.key`: `year/series/number`. Its reference leads to the invoice or supplier invoice."""
    year, series, number = item.key.split("/", 2)
    try:
        read = sides.fortnox.voucher(series, number, year)
    except Missing as error:
        raise NothingToDo(because("voucher_gone", voucher=item.key)) from error
    kind, reference = read.reference_type or "MANUAL", read.reference_number
    if kind == "INVOICE" and reference:
        _pass_on(sides, item, "payment", reference)
    elif kind == "INVOICEPAYMENT" and reference:
        _pass_on(sides, item, "payment", _invoice_of_payment(sides, reference))
    elif kind == "SUPPLIERINVOICE" and reference:
        _pass_on(sides, item, "project_fee", reference)
    else:
        raise NothingToDo(because("voucher_of_no_concern", voucher=item.key, kind=kind))


def invoice_payment(sides: Sides, item: Item) -> None:
    """`item.key`: the payment's number; its invoice is looked at."""
    _pass_on(sides, item, "payment", _invoice_of_payment(sides, item.key))


def _invoice_of_payment(sides: Sides, number: str) -> str:
    try:
        return sides.fortnox.invoice_payment(number).invoice_number
    except Missing as error:
        raise NothingToDo(because("payment_gone", payment=number)) from error


def _pass_on(sides: Sides, item: Item, kind: str, key: str) -> None:
    want = Want(sides.name, kind, key, lane=item.lane)
    with sides.db.transaction() as tx:
        row_id = worklist.enqueue(tx, [want], sides.clock())[want.at]
        inbox.point_to(tx, item.id, row_id)
