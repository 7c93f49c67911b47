"""The writes of one supplier invoice to Severa: fees made, changed and taken back, each once."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from app import effects, journal, links, worklist
from app.effects import Intent
from app.errors import Missing, Refused, Unauthorized
from app.severa.schemas import ProjectFee
from app.sync import money
from app.sync.fee_content import (
    Content,
    amount_of,
    amount_sent,
    bears,
    content_of,
    fee_in,
    first_open,
)
from app.sync.fee_ledger import KIND, Fee, link_of
from app.sync.fee_rows import marker
from app.sync.sides import Sides
from app.sync.writing import Created, Creation, Found, change, create, frozen
from app.worklist import Item

MAKING = "create_project_fee"
SCOPE_MISSING = "InsufficientApiScope"
AMOUNTS = ("quantity", "unitCost", "unitPrice")
WORDS = ("description", "invoiceRowDescription", "eventDate")


@dataclass(frozen=True)
class Desk:
    """`invoice`: the supplier invoice's number in Fortnox."""

    sides: Sides
    item: Item
    invoice: str

    def look(self, fee: Fee) -> ProjectFee | None:
        try:
            return self.sides.severa.project_fee(fee.guid)
        except Missing:
            return None

    def make(self, asked: Fee) -> Fee | None:
        """As it stands in Severa; None in a dry run."""
        mark = marker(self.invoice, asked.row, asked.generation)
        phase = first_open(self.sides.severa.phases(asked.content.project))
        payload = frozen(fee_in(asked.content, asked.amount, asked.currency, mark, phase))
        intent = Intent(
            self.sides.name,
            self.item.id,
            "severa",
            MAKING,
            f"fee:{self.invoice}/{asked.row}",
            payload,
            generation=asked.generation,
        )
        created = self._create(asked, intent)
        if self.sides.plan is not None:
            return None
        return self._made(replace(asked, guid=created.number), created.answer)

    def begun(self) -> list[Intent]:
        """Fees that were sent, or may have been, and are in no link yet.

        Their row may be gone from the invoice since, or have another text or project, and so be
        another row: nobody would ever ask for them again.
        """
        with self.sides.db.reading() as tx:
            known = {
                one.severa_id.lower()
                for one in links.below(tx, self.sides.name, KIND, self.invoice)
            }
            sent = effects.sent_for(tx, self.item.id, MAKING)
        return [
            Intent(
                self.sides.name,
                self.item.id,
                "severa",
                MAKING,
                one.ref,
                one.payload,
                generation=one.generation,
            )
            for one in sent
            if one.payload and (one.target_id or "").lower() not in known
        ]

    def finish(self, begun: Intent) -> None:
        """Puts into the ledger what came of it, with the content it had."""
        amount, currency = amount_sent(begun.payload)
        row, content = begun.ref.rpartition("/")[2], content_of(begun.payload)
        fee = Fee("", row, begun.generation, content, amount, currency)
        created = self._create(fee, begun)
        self._made(replace(fee, guid=created.number), created.answer)

    def follow(self, fee: Fee, content: Content, amount: Decimal, theirs: ProjectFee) -> None:
        """Brings a fee that is not invoiced yet up to date."""
        mark = marker(self.invoice, fee.row, fee.generation)
        new = replace(fee.content, text=content.text, date=content.date)
        before = frozen(fee_in(fee.content, fee.amount, fee.currency, mark))
        after = frozen(fee_in(new, amount, fee.currency, mark))
        sent = {name: after[name] for name in _differing(before, after, theirs) if name in after}
        intent = Intent(
            self.sides.name,
            self.item.id,
            "severa",
            "change_project_fee",
            fee.guid,
            sent,
            creates=False,
        )
        change(self.sides, intent, lambda: self.sides.severa.change_project_fee(fee.guid, sent))
        _note(self, replace(fee, content=new, amount=amount), "changed_project_fee")

    def withdraw(self, fee: Fee) -> bool:
        """Deletes a fee that is not invoiced; False where the credential may not delete."""
        intent = Intent(
            self.sides.name,
            self.item.id,
            "severa",
            "delete_project_fee",
            fee.guid,
            {},
            creates=False,
        )
        try:
            change(self.sides, intent, lambda: self._delete(fee.guid))
        except (Refused, Unauthorized) as error:
            if error.code == SCOPE_MISSING:
                return False
            raise
        self.mark_withdrawn(fee)
        return True

    def undo(self, fee: Fee) -> None:
        """A fee that is not what was asked for: nobody is to invoice it."""
        self.withdraw(fee)
        with self.sides.db.transaction() as tx:
            unkept = link_of(self.invoice, replace(fee, state="unkept"))
            links.remember(tx, self.sides.name, unkept, self.sides.clock())

    def mark_withdrawn(self, fee: Fee) -> None:
        _note(self, replace(fee, state="withdrawn"), "withdrew_project_fee")

    def lose(self, fee: Fee) -> None:
        """A person has deleted it in Severa, and Severa is where that is decided."""
        _note(self, replace(fee, state="removed"), "project_fee_removed")

    def _create(self, fee: Fee, intent: Intent) -> Created[ProjectFee]:
        mark = marker(self.invoice, fee.row, fee.generation)
        creation: Creation[ProjectFee] = Creation(
            intent,
            look=lambda: self._find(fee.content.project, mark),
            send=self.sides.severa.create_project_fee,
            number=lambda answer: answer.guid,
        )
        return create(self.sides, self.item, creation)

    def _made(self, fee: Fee, answer: ProjectFee | None) -> Fee:
        theirs = answer or self.look(fee)
        if theirs is None:
            self.lose(fee)
            return replace(fee, state="removed")
        real = amount_of(theirs)
        fee = fee if real is None else replace(fee, amount=real[0], currency=real[1])
        what = "corrected" if fee.content.before else "created"
        _note(self, fee, f"{what}_project_fee")
        return fee

    def _find(self, project: str, mark: str) -> Found | None:
        found = (one for one in self.sides.severa.project_fees(project) if bears(one, mark))
        first = next(found, None)
        return Found(first.guid) if first else None

    def _delete(self, guid: str) -> None:
        try:
            self.sides.severa.delete_project_fee(guid)
        except Missing:
            return  # an attempt before this one


def _note(desk: Desk, fee: Fee, what: str) -> None:
    """Remembers what stands now, with a sentence in the log."""
    if desk.sides.plan is not None:
        return
    with desk.sides.db.transaction() as tx:
        now = desk.sides.clock()
        links.remember(tx, desk.sides.name, link_of(desk.invoice, fee), now)
        worklist.describe(tx, desk.item.id, target_id=fee.guid, target=fee.content.text)
        journal.write(
            tx,
            desk.sides.name,
            desk.item.id,
            what,
            now,
            invoice=desk.invoice,
            text=fee.content.text,
            total=money.plain(fee.amount),
            currency=fee.currency,
        )


def _differing(before: dict[str, Any], after: dict[str, Any], theirs: ProjectFee) -> list[str]:
    """What a person has added to the price stays: then only the cost follows."""
    names = [name for name in WORDS if before.get(name) != after.get(name)]
    if all(before[name] == after[name] for name in AMOUNTS):
        return names
    if theirs.quantity != before["quantity"]:
        return [*names, *AMOUNTS]
    price = theirs.unit_price.amount if theirs.unit_price else None
    kept = {"quantity": before["quantity"] == after["quantity"]}
    kept["unitPrice"] = price is not None and price != Decimal(str(before["unitPrice"]["amount"]))
    return [*names, *(name for name in AMOUNTS if not kept.get(name))]
