"""The start guide from top to bottom, in processes of its own, as `make walk` runs it."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.sandbox.serving import free_port
from app.settings import environment

STEPS = 11


@pytest.mark.timeout(300)
def test_the_guide_is_walked_from_the_first_error_to_books_that_agree(tmp_path: Path) -> None:
    port = str(free_port())
    env = environment(VAR_DIR=str(tmp_path), PORT=port, PUBLIC_URL=f"http://127.0.0.1:{port}")
    ended = subprocess.run(
        [sys.executable, "-m", "app.cli", "walk"],
        env=env,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    lines = ended.stdout.splitlines()
    found = [line.partition(".")[0] for line in lines if line[:1].isdigit() and ". " in line[:4]]
    assert found == [str(number) for number in range(1, STEPS + 1)]
    for told in (
        "Activation refused: Not yet set: invoice_statuses.received.",
        "24 of 24 conditions of the guide are met.",
        "fees: Severa 5000.00 SEK, Fortnox 5000.00 SEK, difference 0.00",
    ):
        assert told in lines
