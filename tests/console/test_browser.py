"""The console in a real browser: the guide walked by clicking, from empty to the first paid
invoice; then every page looked at for barriers, in both languages, narrow and wide, light and dark.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.sandbox.severa import TRANSFER
from app.sandbox.severa.demo import CLIENT_ID, CLIENT_SECRET
from tests.browser import browser
from tests.installation import (
    ADMIN_KEY,
    Installation,
    Vendors,
    document,
    installation,
    until,
    vendors,
)
from tests.servers import redis_server

pytestmark = [
    pytest.mark.processes,
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(300),
]

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PLACES = (
    *("/c/acme/", "/c/acme/transfers", "/c/acme/connect", "/c/acme/preflight"),
    *("/c/acme/reconciliation", "/c/acme/registers", "/c/acme/backfills"),
    *("/c/acme/backfills/ahead?way=customer:severa_to_fortnox", "/accounts", "/audit"),
    *("/c/acme/events", "/c/acme/webhook-test", "/c/acme/retry?kind=invoice"),
)
LOOKS = (("sv-SE", 1280, "light"), ("en-GB", 360, "dark"))
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)
TOO_WIDE = """[...document.querySelectorAll("main *")].filter(one =>
    one.getBoundingClientRect().right > innerWidth).map(one => one.outerHTML.slice(0, 80))"""
# What moved under the reader without their doing, since the page began to load; 0.1 is too much.
SHIFTED = """new Promise(done => { let sum = 0;
    const add = one => { if (!one.hadRecentInput) sum += one.value; };
    new PerformanceObserver(seen => seen.getEntries().forEach(add))
        .observe({type: "layout-shift", buffered: true});
    setTimeout(() => done(sum), 60); })"""
# What the log does by itself every few seconds, at once.
RENEW = """path => htmx.ajax(
    "GET", path, {source: "#log", target: "#log", swap: "morph:innerHTML"})"""
STILL_READING = re.compile("Frågar Severa|being asked|being read|systemen läses")


@dataclass
class Scene:
    """`complaints`: what the browser says against the pages, and calls to any other place."""

    browser: Browser
    running: Installation
    partners: Vendors
    complaints: list[str] = field(default_factory=list)

    def open(self, language: str = "sv-SE", width: int = 1280, scheme: Any = "light") -> Page:
        size: Any = {"width": width, "height": 900}
        context = self.browser.new_context(viewport=size, locale=language, color_scheme=scheme)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda m: self._heard(m.type, m.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda asked: self._asked(asked.url))
        return page

    def log_in(self, page: Page, place: str = "/") -> None:
        page.goto(f"{self.running.url}{place}")
        page.fill("#secret", ADMIN_KEY)
        page.click("main button.primary")

    def has_an_invoice(self) -> str:
        """The id of its transfer, whether the guide was walked before or not."""
        if self.running.admin("GET", "/connections/acme").status_code == 404:
            self.running.connect(document())
            invoice = self.partners.severa.add_simple_invoice()
            self.partners.severa.set_status(invoice["guid"], TRANSFER)
        until("an invoice is in the log", self._invoices)
        return self._invoices()[0]

    def _invoices(self) -> list[str]:
        return [one["id"] for one in self.running.transfers() if one["kind"] == "invoice"]

    def places(self) -> list[str]:
        """Every page of a company: those of one transfer and of one of its events as well."""
        transfer = self.has_an_invoice()
        story = self.running.admin("GET", f"/connections/acme/transfers/{transfer}").json()
        event = next(one["id"] for one in story["timeline"] if one["type"] == "event")
        page = f"/c/acme/transfers/{transfer}"
        return [*PLACES, page, f"{page}/retry", f"/c/acme/events/{event}"]

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def _asked(self, url: str) -> None:
        ours = (self.running.url, self.partners.fortnox_url, "data:")
        if not url.startswith(ours):
            self.complaints.append(f"asked {url}")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("console")
    with browser() as opened, vendors() as partners, redis_server() as redis:
        partners.books.add_unit("mån", "månad")
        url = f"sqlite:///{folder}/bridge.db"
        given = {"SANDBOX": "true", "POLL_INTERVAL": "2"}
        with installation(url, redis.url, partners, **given) as running:
            yield Scene(opened, running, partners)


def test_the_guide_is_walked_by_clicking_to_the_first_paid_invoice(scene: Scene) -> None:
    page = scene.open()
    scene.log_in(page)
    expect(page.get_by_role("heading", name="Välkommen")).to_be_visible()
    page.fill("#label", "Acme Konsult AB")
    page.fill("#name", "acme")
    page.get_by_role("button", name="Börja").click()

    page.fill("#severa-id", CLIENT_ID)
    page.fill("#severa-secret", CLIENT_SECRET)
    page.locator("#severa").get_by_role("button", name="Spara").click()
    expect(page.locator("#severa summary .mark")).to_have_text("Klar")

    page.fill("#fortnox-id", "demo-client")
    page.fill("#fortnox-secret", "demo-secret")
    page.locator("#fortnox").get_by_role("button", name="Spara").click()
    page.locator("#fortnox").get_by_role("button", name="Skapa en länk för medgivande").click()
    page.click("#consent-link")
    expect(page.get_by_role("heading", name="Fortnox är anslutet")).to_be_visible()
    page.goto(f"{scene.running.url}/c/acme/connect")
    expect(page.locator("#fortnox summary .mark")).to_have_text("Klar")

    expect(page.locator("#status-transfer option:checked")).to_have_text("Klar för Fortnox")
    page.locator("#statuses").get_by_role("button", name="Spara").click()
    expect(page.locator("#statuses summary .mark")).to_have_text("Klar")
    page.locator("#emails summary").click()
    page.fill("#error_emails", "ekonomi@acme.example")
    page.locator("#emails").get_by_role("button", name="Spara").click()

    page.get_by_role("link", name="Kontrollera allt").click()
    page.get_by_role("button", name="Aktivera Fortnox").click()
    expect(page.get_by_text("Integrationen är aktiverad.")).to_be_visible()

    beside = page.locator("#beside")
    beside.get_by_role("button", name="Sätt ”Klar för Fortnox”").first.click()
    beside.get_by_role("button", name="Bokför", exact=True).click()
    beside.get_by_role("button", name="Betala").click()
    expect(beside.locator(".mark", has_text="Betald")).to_have_count(2)
    assert scene.partners.severa_statuses()["Betald"] == 1
    assert len(scene.partners.books.invoices) == 1

    page.get_by_role("link", name="Överföringslogg", exact=True).click()
    page.select_option("#kind", "invoice")
    page.get_by_role("button", name="Visa", exact=True).click()
    expect(page).to_have_url(re.compile("kind=invoice"))
    page.locator("#log td a").first.click()
    expect(page.locator(".story")).to_contain_text("Faktura 1 skapades i Fortnox.")
    page.get_by_role("link", name="Försök igen…").click()
    expect(page.get_by_role("heading", name="Vad som skulle skrivas")).to_be_visible()
    assert page.locator("details.fold").count() == 0
    page.get_by_role("button", name="Försök igen nu").click()
    expect(page.get_by_text("Ett nytt försök görs nu.")).to_be_visible()
    assert len(scene.partners.books.invoices) == 1
    assert scene.complaints == []


@pytest.mark.parametrize(("language", "width", "scheme"), LOOKS)
def test_no_page_has_a_barrier(scene: Scene, language: str, width: int, scheme: str) -> None:
    page = scene.open(language, width, scheme)
    page.goto(f"{scene.running.url}/log-in")
    barriers = _barriers(page, "/log-in")
    scene.log_in(page)
    for place in scene.places():
        page.goto(f"{scene.running.url}{place}")
        if place.startswith("/c/"):
            page.locator("#beside section").first.wait_for()
        expect(page.get_by_text(STILL_READING)).to_have_count(0)
        if (moved := page.evaluate(SHIFTED)) >= 0.1:
            barriers.append(f"{place}: moves while it is read, {moved:.2f}")
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        barriers += _barriers(page, place)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{place} is {wide} wide: {page.evaluate(TOO_WIDE)}"
    assert "\n".join(barriers) == ""
    assert scene.complaints == []


def test_everything_is_reached_by_keyboard_and_weighs_little(scene: Scene) -> None:
    scene.has_an_invoice()
    page = scene.open("en-GB")
    loaded: dict[str, int] = {}  # what is asked for twice comes from the browser itself
    page.on("response", lambda one: loaded.update({one.url: len(one.body())} if one.ok else {}))
    page.goto(f"{scene.running.url}/c/acme/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.focus("#secret")
    page.keyboard.type(ADMIN_KEY)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Transfer log", exact=True).focus()
    assert sum(loaded.values()) < 100_000
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Transfer log")).to_be_visible()
    assert scene.complaints == []


def test_whoever_stands_on_something_stands_there_after_an_update(scene: Scene) -> None:
    scene.has_an_invoice()
    page = scene.open("en-GB")
    scene.log_in(page, "/c/acme/transfers")
    second = page.locator("#log td a").nth(1)
    place = second.get_attribute("href")
    second.focus()
    page.evaluate("document.querySelector('#log tbody tr').remove()")
    page.evaluate(RENEW, "/c/acme/transfers")
    assert page.evaluate("document.activeElement.getAttribute('href')") == place

    beside = page.locator("#beside")
    newest = beside.locator("li[id^=severa]").first
    before = newest.get_attribute("id") or ""
    another = beside.get_by_role("button", name="New invoice")
    another.press("Enter")
    expect(newest).not_to_have_attribute("id", before)
    expect(another).to_be_focused()
    drafted = beside.locator(f"#{newest.get_attribute('id')}")
    drafted.get_by_role("button").press("Enter")
    expect(drafted.get_by_role("button")).to_have_count(0)
    expect(beside).to_be_focused()  # the button that was pressed is there no more
    assert scene.complaints == []


def _barriers(page: Page, place: str) -> list[str]:
    """What axe finds; run beside the page's policy, which forbids foreign scripts."""
    session = page.context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    made = session.send("Page.createIsolatedWorld", {"frameId": frame})
    world = made["executionContextId"]
    session.send("Runtime.evaluate", {"expression": AXE, "contextId": world})
    options = {"runOnly": {"type": "tag", "values": RULES}}
    answer = session.send(
        "Runtime.evaluate",
        {
            "expression": f"axe.run(document, {options!r})",
            "contextId": world,
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    return [
        f"{place}: {one['id']}: {node['target']} {node['html'][:120]}"
        for one in answer["result"]["value"]["violations"]
        for node in one["nodes"]
    ]
