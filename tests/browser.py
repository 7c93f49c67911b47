"""A real browser for tests: the machine's own Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_BROWSER = f"no browser: none of {', '.join(NAMES)} is installed"


def find() -> Path | None:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return Path(found) if found else None


@contextmanager
def browser() -> Iterator[Browser]:
    """Skips the test that asks where there is none; CI always has one."""
    path = find()
    if path is None:
        if os.environ.get("CI"):
            raise RuntimeError(NO_BROWSER)
        pytest.skip(NO_BROWSER)
    args = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=args)
        try:
            yield opened
        finally:
            opened.close()
