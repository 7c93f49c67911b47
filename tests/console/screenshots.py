"""Every page as a picture, in both languages, narrow and wide: `make screenshots`."""

import argparse
from pathlib import Path

from tests.browser import browser
from tests.console.test_browser import PLACES, Scene
from tests.installation import installation, vendors
from tests.servers import redis_server

LOOKS = (("sv-SE", 1280, "light"), ("en-GB", 1280, "light"), ("sv-SE", 360, "dark"))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path)
    folder: Path = asked.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with browser() as opened, vendors() as partners, redis_server() as redis:
        url = f"sqlite:///{folder.absolute()}/bridge.db"
        given = {"SANDBOX": "true", "POLL_INTERVAL": "2"}
        with installation(url, redis.url, partners, **given) as running:
            take(Scene(opened, running, partners), folder)
    print(f"pictures are in {folder}")  # noqa: T201 - that is what was asked for
    for left in folder.glob("bridge.db*"):
        left.unlink()


def take(scene: Scene, folder: Path) -> None:
    transfer = f"/c/acme/transfers/{scene.has_a_transfer()}"
    for language, width, scheme in LOOKS:
        page = scene.open(language, width, scheme)
        scene.log_in(page)
        for place in ("/log-in", *PLACES, transfer, f"{transfer}/retry"):
            page.goto(f"{scene.running.url}{place}")
            page.wait_for_timeout(1500)  # what is asked of both systems arrives meanwhile
            name = place.replace(transfer, "/transfer").removeprefix("/c/acme").strip("/")
            shot = f"{name.replace('/', '-') or 'start'}-{language[:2]}-{width}-{scheme}.png"
            page.screenshot(path=folder / shot, full_page=True)


if __name__ == "__main__":
    main()
