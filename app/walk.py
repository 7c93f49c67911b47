"""`bridge walk`: the start guide from top to bottom, as a new company goes through it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from app import clock
from app.demo import DOCUMENT, NAME, Story

ACCESS = {"grant_type": "client_credentials"}
FORTNOX = ("demo-client", "demo-secret")
COMPANY = "654896"
UNTOUCHED = "SE556123456701"  # the VAT number that Kustens Energi AB really has
VERDICTS = {
    "link": "would be linked",
    "near_miss": "nearly alike",
    "conflict": "in conflict",
    "only_severa": "only in Severa",
    "only_fortnox": "only in Fortnox",
}


class Walk(Story):
    """Acts as the company's administrator and accountant in both systems; ends by itself."""

    def tell(self) -> None:
        with self._http:
            self._until("the bridge is ready", lambda: self._get(f"{self._place.bridge}/ready"))
            self._leave_things_unfinished()
            self._forget_a_setting()
            self._see_what_is_wrong()
            self._mend()
            self._activate()
            self._see_customers()
            self._carry_registers()
            self._carry_project()
            number = self._carry_invoice()
            self._see_payment(number)
            self._carry_costs()
            self._compare_books()
            self._show_log()

    def _leave_things_unfinished(self) -> None:
        """As two systems look that have not known each other."""
        self._headline("1. Two systems that do not know each other yet")
        kustens = self._customer("Kustens Energi AB")
        self._change("customers", kustens["guid"], vatNumber=None)
        self._fortnox(
            "POST", "articles", Article={"ArticleNumber": "100", "Description": "Konsult"}
        )
        self._say("Severa has 4 customers, 4 projects and 8 products; Fortnox has one article.")

    def _forget_a_setting(self) -> None:
        self._headline("2. Settings; nothing is activated before they are complete")
        statuses = {**DOCUMENT["invoice_statuses"], "received": None}
        self._settle(DOCUMENT | {"invoice_statuses": statuses, "error_emails": []})
        answer = self._http.post(f"{self._connection}/activate", headers=self._admin)
        self._expect(answer.status_code == 409, "an incomplete connection is not activated")
        self._say(f"Activation refused: {answer.json()['detail']}")
        self._settle(DOCUMENT | {"error_emails": []})

    def _see_what_is_wrong(self) -> None:
        self._headline("3. The preflight, before anything is carried over")
        report = self._show_preflight()
        wrong = {one["check"] for one in report["checks"] if one["status"] == "error"}
        self._expect(wrong == {"units", "product_conflicts"}, f"two errors are found: {wrong}")

    def _mend(self) -> None:
        self._headline("4. Mended in both systems")
        self._fortnox("POST", "units", Unit={"Code": "mån", "Description": "månad"})
        self._say("Fortnox: the unit “mån” was added.")
        self._fortnox("PUT", "articles/100", Article={"Description": "Konsultarbete"})
        self._say("Fortnox: article 100 was given the name it has in Severa, “Konsultarbete”.")
        kustens = self._customer("Kustens Energi AB")
        self._change("customers", kustens["guid"], vatNumber=UNTOUCHED)
        self._say(f"Severa:  Kustens Energi AB was given its VAT number, {UNTOUCHED}.")
        product = next(one for one in self._records("products") if one["code"] == "290")
        self._settle(
            DOCUMENT | {"default_product": product["guid"], "transfer_all_customers": True}
        )
        self._say(
            f"Bridge:  an e-mail address for errors, the standard product “{product['name']}”, "
            "and “transfer all customers”, Severa being their master."
        )

    def _activate(self) -> None:
        self._headline("5. The preflight again, and activation")
        report = self._show_preflight()
        self._expect(report["ok"], "the preflight has no errors left")
        self._do("POST", f"{self._connection}/activate", headers=self._admin)
        self._say("Activated.")

    def _see_customers(self) -> None:
        self._headline("6. All customers, by themselves")
        self._until("all customers are in Fortnox", lambda: len(self._books()["customers"]) == 4)
        for one in self._books()["customers"]:
            self._say(f"Fortnox: customer {one['CustomerNumber']} {one['Name']}")

    def _carry_registers(self) -> None:
        self._headline("7. Products and projects")
        for kind in ("product", "project"):
            self._carry_register(kind)

    def _carry_register(self, kind: str) -> None:
        path = f"{self._connection}/backfill"
        asked = {"kind": kind, "direction": "severa_to_fortnox"}
        started = self._do("POST", path, headers=self._admin, json=asked).json()["id"]
        self._until(
            f"every {kind} is carried over", lambda: self._backfill(started)["state"] == "done"
        )
        ended = self._backfill(started)
        self._expect(ended["failed"] == 0, f"no {kind} was held up")
        self._say(f"Fortnox: {ended['done']} {kind}s are there.")

    def _carry_project(self) -> None:
        customer = {"guid": self._customer("Nordbygg AB")["guid"]}
        made = self._do(
            "POST",
            f"{self._place.severa}/_sandbox/records/projects",
            json={"name": "Intranät", "number": 3005, "customer": customer["guid"]},
        ).json()
        self._until("the new project is in Fortnox", lambda: self._has_project("3005"))
        self._say(f"Severa:  project {made['number']} “Intranät” was made; Fortnox has it too.")

    def _carry_invoice(self) -> str:
        self._headline("8. A customer invoice")
        number = self._see_received(self._order_transfer())
        found = next(one for one in self._books()["invoices"] if one["DocumentNumber"] == number)
        self._say(f"Fortnox: invoice {number} is to {found['CustomerName']}, not booked yet.")
        return number

    def _see_payment(self, number: str) -> None:
        self._headline("9. Its payment")
        self._pay(number)
        invoice = next(one for one in self._books()["invoices"] if one["DocumentNumber"] == number)
        guid = invoice["ExternalInvoiceReference1"].removeprefix("severa:")
        self._see_paid(guid, number)

    def _carry_costs(self) -> None:
        self._headline("10. A supplier invoice with a project on its row")
        given = {"amount": 5000, "project": "3001", "invoice_number": "UK-310", "book": True}
        self._do("POST", f"{self._place.fortnox}/_sandbox/supplierinvoices", json=given)
        self._say("Fortnox: supplier invoice UK-310 of 5 000 SEK without VAT was booked on 3001.")
        self._until("the fee is in Severa", lambda: bool(self._fees()))
        (fee,) = self._fees()
        amount = Decimal(str(fee["quantity"])) * Decimal(str(fee["unitCost"]["amount"]))
        self._expect(amount == 5000, "the fee is what was booked without VAT")
        self._say(
            f"Severa:  project {self._project_of(fee)} has a fee of {amount:.2f} SEK: "
            f"{fee['invoiceRowDescription']}."
        )

    def _compare_books(self) -> None:
        self._headline("11. Do the books agree?")
        today = clock.today(clock.now())
        period = {
            "from": (today - timedelta(days=45)).isoformat(),
            "to": (today + timedelta(days=45)).isoformat(),
        }
        path = f"{self._connection}/reconciliation"
        books = self._do("GET", path, headers=self._admin, params=period).json()
        for one in books["sums"]:
            self._say(
                f"{one['subject']}s: Severa {one['severa']} {one['currency']}, "
                f"Fortnox {one['fortnox']} {one['currency']}, difference {one['difference']}"
            )
        subjects = [one["subject"] for one in books["sums"]]
        self._expect(subjects == ["invoice", "payment", "fee"], "all three are compared")
        self._expect(books["differences"] == 0, "nothing differs by an öre")

    @property
    def _connection(self) -> str:
        return f"{self._place.bridge}/api/v1/connections/{NAME}"

    def _headline(self, text: str) -> None:
        self._say(f"\n{text}")

    def _settle(self, document: dict[str, Any]) -> None:
        self._do("PUT", self._connection, headers=self._admin, json=document)

    def _show_preflight(self) -> Any:
        headers = {**self._admin, "Accept-Language": "en"}
        report = self._do("GET", f"{self._connection}/preflight", headers=headers).json()
        well = sum(one["status"] == "ok" for one in report["checks"])
        self._say(f"{well} of {len(report['checks'])} conditions of the guide are met.")
        for one in report["checks"]:
            if reason := one["reason"]:
                self._say(
                    f"  {one['status']:7}  {reason['message']}\n           {reason['next_step']}"
                )
        for register in ("customers", "products"):
            counts = report[register]["counts"]
            told = [f"{counts[key]} {word}" for key, word in VERDICTS.items() if key in counts]
            self._say(f"  {register}: {', '.join(told)}")
        return report

    def _backfill(self, backfill: str) -> Any:
        return self._do(
            "GET", f"{self._connection}/backfills/{backfill}", headers=self._admin
        ).json()

    def _records(self, table: str) -> Any:
        return self._do("GET", f"{self._place.severa}/_sandbox/records/{table}").json()

    def _customer(self, name: str) -> Any:
        return next(one for one in self._records("customers") if one["name"] == name)

    def _change(self, table: str, guid: str, **fields: Any) -> None:
        path = f"{self._place.severa}/_sandbox/records/{table}/{guid}"
        self._do("PATCH", path, json=fields)

    def _fees(self) -> list[Any]:
        fees = self._records("projectfees")
        return [one for one in fees if "[FX-" in (one["description"] or "")]

    def _project_of(self, fee: Any) -> str:
        known = self._records("projects")
        found = next(one for one in known if one["guid"] == fee["project"]["guid"])
        return f"{found['number']} {found['name']}"

    def _books(self) -> Any:
        return self._do("GET", f"{self._place.fortnox}/_sandbox/state").json()["tenants"][0]

    def _has_project(self, number: str) -> bool:
        asked = {"kind": "project", "state": "done", "q": number}
        path = f"{self._connection}/transfers"
        found = self._do("GET", path, headers=self._admin, params=asked).json()["transfers"]
        return any(one["target"]["id"] == number for one in found)

    def _fortnox(self, method: str, path: str, **body: Any) -> Any:
        """As somebody of the company does it in Fortnox."""
        token = self._do(
            "POST",
            f"{self._place.fortnox}/oauth-v1/token",
            data=ACCESS,
            auth=FORTNOX,
            headers={"TenantId": COMPANY},
        ).json()["access_token"]
        url = f"{self._place.fortnox}/3/{path}"
        return self._do(
            method, url, headers={"Authorization": f"Bearer {token}"}, json=body or None
        )
