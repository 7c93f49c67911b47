"""What stands in Severa for each row of a supplier invoice: one link for every fee ever made."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import count
from typing import Literal

from app import links
from app.links import Link
from app.sync import money
from app.sync.fee_content import Content
from app.sync.sides import Sides

KIND = "project_fee"


@dataclass(frozen=True)
class Fee:
    """`generation` counts the fees of one row: corrections, and what was made anew.

    standing → withdrawn (by us) | removed (by a person: then the row is left alone for good)
    | unkept (Severa made it in another currency than was asked: never asked for again)
    """

    guid: str
    row: str
    generation: int
    content: Content
    amount: Decimal
    currency: str
    state: Literal["standing", "withdrawn", "removed", "unkept"] = "standing"


def read(sides: Sides, number: str) -> dict[str, list[Fee]]:
    """By row, oldest first; withdrawn ones too, because their generations are taken."""
    with sides.db.reading() as tx:
        found = links.below(tx, sides.name, KIND, number)
    rows: dict[str, list[Fee]] = defaultdict(list)
    for fee in sorted(map(_fee, found), key=lambda one: one.generation):
        rows[fee.row].append(fee)
    return rows


def link_of(number: str, fee: Fee) -> Link:
    """The first fee of a row is `<number>/<row>`, later ones have their generation behind it."""
    later = f"/{fee.generation}" if fee.generation > 1 else ""
    carried = {
        "generation": fee.generation,
        "content": asdict(fee.content),
        "amount": money.plain(fee.amount),
        "currency": fee.currency,
        "state": fee.state,
    }
    return Link(KIND, fee.guid, f"{number}/{fee.row}{later}", carried)


def in_force(fees: Iterable[Fee]) -> list[Fee]:
    return [fee for fee in fees if fee.state == "standing"]


def next_generations(fees: Iterable[Fee]) -> Iterator[int]:
    """A write that was begun but is not in a link yet takes the first of them again."""
    return count(max((fee.generation for fee in fees), default=0) + 1)


def total(fees: Iterable[Fee]) -> Decimal:
    return sum((fee.amount for fee in fees), money.ZERO)


def by_currency(fees: Iterable[Fee]) -> list[list[Fee]]:
    groups: dict[str, list[Fee]] = defaultdict(list)
    for fee in fees:
        groups[fee.currency].append(fee)
    return list(groups.values())


def _fee(link: Link) -> Fee:
    carried = link.carried
    return Fee(
        guid=link.severa_id,
        row=link.fortnox_id.split("/")[1],
        generation=carried["generation"],
        content=Content(**carried["content"]),
        amount=Decimal(carried["amount"]),
        currency=carried["currency"],
        state=carried["state"],
    )
