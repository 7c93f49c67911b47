"""Every page as a picture, in both languages, narrow and wide: `make screenshots`."""

import argparse
import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, expect

from app.sandbox.severa import TRANSFER
from tests.browser import browser
from tests.console.test_browser import STILL_READING, Scene
from tests.installation import document, installation, until, vendors
from tests.servers import redis_server

LOOKS = (
    ("sv-SE", 1280, "light"),
    ("en-GB", 1280, "dark"),
    ("sv-SE", 360, "dark"),
    ("en-GB", 360, "light"),
    ("sv-SE", 1920, "light"),
)


README = {
    "start": "/c/acme/",
    "story": "{transfer}",
    "registers": "/c/acme/registers?register=products",
}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--only", default="", help="pages whose address has this in it")
    asked.add_argument("--readme", action="store_true", help="the few pictures of the README")
    given = asked.parse_args()
    folder: Path = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    with at_work() as scene:
        if given.readme:
            take_for_readme(scene, folder)
        else:
            take(scene, folder, given.only)
    print(f"pictures are in {folder}")  # noqa: T201 - that is what was asked for


@contextmanager
def at_work() -> Iterator[Scene]:
    with (
        browser() as opened,
        vendors() as partners,
        redis_server() as redis,
        TemporaryDirectory() as place,
    ):
        sandbox = {"SANDBOX": "true", "POLL_INTERVAL": "2"}
        url = f"sqlite:///{place}/bridge.db"
        with installation(url, redis.url, partners, **sandbox) as running:
            scene = Scene(opened, running, partners)
            furnish(scene)
            yield scene


def furnish(scene: Scene) -> None:
    """A company at work: carried over, paid, stuck, and changed by somebody afterwards."""
    severa, books = scene.partners.severa, scene.partners.books
    books.add_customer(CustomerNumber="77", Name="Kustens Energi A B")
    books.add_article(ArticleNumber="120", Description="Kurs på plats")
    books.add_article(ArticleNumber="998", Description="Konsultarbete .")
    scene.running.connect(document(error_emails=["ekonomi@acme.example"]))
    for _ in range(4):
        severa.set_status(severa.add_simple_invoice()["guid"], TRANSFER)
    way = {"kind": "customer", "direction": "severa_to_fortnox"}
    scene.running.admin("POST", "/connections/acme/backfill", json=way)
    until("four invoices are in Fortnox", lambda: len(books.invoices) == 4)
    for number in ("1", "2", "3"):
        books.book(number)
    books.pay("1")
    invoice = books.invoices["2"]
    invoice["Net"] += Decimal("0.5")
    invoice["RoundOff"] -= Decimal("0.5")
    books.cancel("4")
    until("it is paid in Severa", lambda: scene.partners.severa_statuses()["Betald"] == 1)


def take(scene: Scene, folder: Path, only: str) -> None:
    for language, width, scheme in LOOKS:
        page = scene.open(language, width, scheme)
        page.goto(f"{scene.running.url}/log-in")
        page.screenshot(path=folder / f"log-in-{language[:2]}-{width}-{scheme}.png")
        scene.log_in(page)
        for place in scene.places():
            if only in place:
                shot = folder / f"{_name(place)}-{language[:2]}-{width}-{scheme}.png"
                _shoot(page, f"{scene.running.url}{place}", shot)


def take_for_readme(scene: Scene, folder: Path) -> None:
    """Small files: what is on a wide screen without scrolling."""
    page = scene.open("en-GB", 1280, "light")
    scene.log_in(page)
    for name, place in README.items():
        address = place.format(transfer=f"/c/acme/transfers/{scene.has_an_invoice()}")
        _open(page, f"{scene.running.url}{address}")
        session = page.context.new_cdp_session(page)
        shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": 80})
        (folder / f"{name}.webp").write_bytes(base64.b64decode(shot["data"]))


def _name(place: str) -> str:
    """`transfers`, and `transfer-retry` of one: without the company, ids and what is asked for."""
    path = place.partition("?")[0].removeprefix("/c/acme").strip("/")
    return re.sub(r"s/(?:trf|evt)_\w+", "", path).replace("/", "-") or "start"


def _shoot(page: Page, address: str, shot: Path) -> None:
    _open(page, address)
    page.screenshot(path=shot, full_page=True)


def _open(page: Page, address: str) -> None:
    page.goto(address)
    if "/c/" in address:
        page.locator("#beside section").first.wait_for()
    expect(page.get_by_text(STILL_READING)).to_have_count(0)


if __name__ == "__main__":
    main()
