"""The watch over secrets sees what it should; without this it could be blind and nobody knew."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.canaries import SECRETS, Leaked, found_in, watched

ROOT = Path(__file__).parent.parent


def test_a_secret_is_found_and_not_repeated() -> None:
    assert found_in(f"before {SECRETS[0]} after") == ["secret 0"]
    assert found_in(SECRETS[1].encode()) == ["secret 1"]
    assert found_in("nothing") == []


@pytest.mark.parametrize("where", ["body", "header"])
def test_an_answer_with_a_secret_is_not_let_through(where: str) -> None:
    answer = (
        httpx.Response(200, text=SECRETS[2])
        if where == "body"
        else httpx.Response(200, headers={"X-Said": SECRETS[2]})
    )
    request = httpx.Request("GET", "http://x/path")
    with pytest.raises(Leaked, match="GET /path"):
        watched(lambda _client, _request, **_more: answer)(None, request)


def test_a_test_that_prints_a_secret_fails(tmp_path: Path) -> None:
    """Its own run of pytest, under this suite's conftest."""
    (tmp_path / "test_prints.py").write_text(f"def test_prints(): print('{SECRETS[3]}')\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "tests.conftest"]
    ran = subprocess.run(
        [*command, "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "a secret was printed" in ran.stdout
    assert ran.returncode == 1
