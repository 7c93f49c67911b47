"""What a person does with invoices in Severa, as methods: for the demo and for tests."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from app.sandbox.severa import views
from app.sandbox.severa.amounts import Number, exact
from app.sandbox.severa.crediting import add_credit_note
from app.sandbox.severa.drafting import Draft, add_invoice
from app.sandbox.severa.entity import apply
from app.sandbox.severa.invoices import INVOICE
from app.sandbox.severa.keeping import Keeper, spelled_out
from app.sandbox.severa.rows import Key, Row, read_row
from app.sandbox.severa.veil import Record

STOCKHOLM = ZoneInfo("Europe/Stockholm")


class User(Keeper):
    """Dates are ISO texts or dates, today in Stockholm unless given."""

    def add_invoice(  # noqa: PLR0913  what stands on the form
        self,
        customer: Key,
        projects: Sequence[Key] | Key = (),
        rows: Sequence[Row | Mapping[str, Any]] = (),
        *,
        billing_customer: Key | None = None,
        currency: Key = "SEK",
        rate: Number | None = None,
        date: date | str | None = None,
        status: Key | None = None,
        payment_term: int | None = None,
        work_hour_vat: Number | None = 25,
        reverse_charge: bool = False,
        **header: Any,
    ) -> Record:
        """`rate`: organisation currency per unit, the register's unless given; `date` today.

        `header` has the names of InvoiceOutputModel: notes, orderNumber, freeText1, dueDate…
        """
        with self.world.lock:
            world = self.world
            money = world.need("currencies", currency)
            buyer = world.need("customers", customer)
            keys = projects if isinstance(projects, list | tuple) else [projects]
            guid = header.pop("guid", None)
            draft = Draft(
                customer=buyer,
                billing=world.need("customers", billing_customer) if billing_customer else buyer,
                projects=[world.need("projects", key) for key in keys],
                rows=[read_row(row) for row in rows],
                status=self._status(status, "isDefault"),
                currency=money,
                rate=money["rate"] if rate is None else rate,
                date=self._day(date),
                payment_term=payment_term,
                work_hour_vat=work_hour_vat,
                reverse_charge=reverse_charge,
                header=spelled_out(world, INVOICE, header),
            )
            invoice = add_invoice(world, draft, guid)
        self.announce("invoice.created", invoice["guid"])
        return invoice

    def add_credit_note(
        self,
        invoice: Key,
        rows: Mapping[str, Number] | None = None,
        *,
        date: date | str | None = None,
        status: Key | None = None,
    ) -> Record:
        """`rows`: row guid → positive quantity to credit; None credits everything."""
        quantities = None if rows is None else {key: exact(n) for key, n in rows.items()}
        with self.world.lock:
            original = self.world.need("invoices", invoice)
            standing = self._status(status, "isDefaultForCreditNote")
            note = add_credit_note(self.world, original, standing, self._day(date), quantities)
        self.announce("invoice.created", note["guid"])
        return note

    def set_status(self, invoice: Key, status: Key) -> Record:
        """`status` by guid or name."""
        with self.world.lock:
            record = self.world.need("invoices", invoice)
            found = self.world.need("invoicestatuses", status)
            shown = self.world.view(views.status, found)
            apply(self.world, INVOICE, record, {"status": shown})
        self.announce("invoice.status_changed", record["guid"])
        return record

    def change_invoice(self, invoice: Key, **fields: Any) -> Record:
        return self.change("invoices", invoice, **fields)

    def change_row(self, row: Key, **fields: Any) -> Record:
        """Announces the invoice."""
        return self.change("invoicerows", row, **fields)

    def delete_invoice(self, invoice: Key) -> None:
        """Whatever its status is; its hours and fees can be invoiced again."""
        self.delete("invoices", invoice)

    def add_file(
        self,
        invoice: Key,
        name: str,
        data: bytes,
        *,
        content_type: str = "application/pdf",
        description: str | None = None,
    ) -> Record:
        with self.world.lock:
            record = self.world.need("invoices", invoice)
            shared: Record = {"name": name, "description": description, "contentType": content_type}
            shared.update(category="Invoice", size=float(len(data)), isInternal=False)
            file = self.world.insert("files", dict(shared))
            self.world.blobs[file["guid"]] = (content_type, data)
            link = {**shared, "fileGuid": file["guid"], "invoiceGuid": record["guid"]}
            link["sortOrder"] = len(self.world.all("invoicefiles", record["guid"])) + 1
            self.world.insert("invoicefiles", link, [record["guid"]])
        self.announce("invoice.updated", record["guid"])
        return link

    def rows(self, invoice: Key) -> list[Record]:
        with self.world.lock:
            return self.records("invoicerows", self.world.need("invoices", invoice)["guid"])

    def _status(self, key: Key | None, usual: str) -> Record:
        if key is not None:
            return self.world.need("invoicestatuses", key)
        return next(s for s in self.world.all("invoicestatuses") if s[usual])

    def _day(self, given: date | str | None) -> str:
        if given is None:
            return self.world.clock().astimezone(STOCKHOLM).date().isoformat()
        return given if isinstance(given, str) else given.isoformat()
