"""The examples for relays, run as they stand in the documents, against the real door."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app import clock, connections
from app.documents import Document
from app.hall import Hall, open_hall
from app.main import build
from app.models import events
from app.sandbox.serving import served
from app.settings import Settings

RELAYS = (Path(__file__).parent.parent / "docs" / "relays.md").read_text("utf-8")
SECRET = "whsec_AAEC/wABc2lnbmluZwBrZXk="  # with a zero byte, and one that is no text
TOKEN = "a-long-random-token"
DOOR = {"secrets": [SECRET], "bearer_tokens": [TOKEN]}

pytestmark = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("openssl")), reason="neither curl nor openssl"
)


@pytest.fixture
def door(tmp_path: Path, redis_url: str) -> Iterator[tuple[Hall, str]]:
    hall = open_hall(Settings(database_url=f"sqlite:///{tmp_path}/bridge.db", var_dir=tmp_path))
    given = {"name": "acme", "webhooks": {"severa": DOOR, "fortnox": DOOR}}
    with hall.db.transaction() as tx:
        connections.put(tx, hall.vault, Document.model_validate(given), clock.now())
    with served(build(hall, redis_url)) as url:
        yield hall, url
    hall.db.close()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", RELAYS, re.DOTALL)


def run(script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "no_proxy": "127.0.0.1"} | variables
    return subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True)


def test_curl_is_let_in_by_its_token_and_by_the_signature_of_openssl(
    door: tuple[Hall, str],
) -> None:
    hall, url = door
    by_token, signed = blocks("sh")
    by_token = by_token.replace("https://bridge.example", url).replace("<token>", TOKEN)
    there = f"{url}/webhooks/acme/severa"
    for script in (by_token, signed):
        ran = run(script, url=there, secret=SECRET)
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout)["status"] == "accepted"
    refused = run(signed, url=there, secret="whsec_b3RoZXI=")
    assert (refused.returncode, json.loads(refused.stdout)["status"]) == (22, 401)
    with hall.db.reading() as tx:
        assert [row.type for row in tx.execute(select(events))] == ["invoice.updated"] * 2


def test_the_node_of_n8n_is_json_and_posts_to_a_door() -> None:
    [text] = blocks("json")
    [node] = json.loads(text)["nodes"]
    assert node["type"] == "n8n-nodes-base.httpRequest"
    assert node["parameters"]["url"].endswith("/webhooks/acme/severa")
