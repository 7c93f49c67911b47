"""A test event, signed and posted to a webhook door as a relay would."""

import json
import re
from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import typer
from pydantic import ValidationError

from app import clock, signatures
from app.cli import printing
from app.cli.options import AsJson, From, Name, Source, Url
from app.cli.remote import TIMEOUT, answer_of
from app.documents import Door
from app.settings import settings

TOPICS = {"invoicepayment": "invoices"}

Kind = Annotated[str, typer.Argument(metavar="TYPE", help="invoice.updated, invoice-updated-v1, …")]
Record = Annotated[str, typer.Argument(metavar="GUID", help="Of Fortnox: its number, 3-C-88.")]
Secret = Annotated[str, typer.Option(help="Sign with this secret, whsec_….", metavar="WHSEC")]
Bearer = Annotated[str, typer.Option(help="Send this token instead.", metavar="TOKEN")]


def register(app: typer.Typer) -> None:
    app.command()(send)


def send(
    connection: Name,
    kind: Kind,
    record: Record,
    *,
    source: From = "severa",
    secret: Secret = "",
    bearer: Bearer = "",
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """Post a test event to the webhook door of a connection and print the answer."""
    if bool(secret) == bool(bearer):
        printing.fail("give either --secret or --bearer", 2)
    body = json.dumps(event(source, kind, record)).encode()
    headers = _signed(secret, body) if secret else {"Authorization": f"Bearer {bearer}"}
    base = (url or settings().public_url).rstrip("/")
    response = _post(f"{base}/webhooks/{quote(connection, safe='')}/{source}", body, headers)
    answer = answer_of(response)
    if as_json:
        printing.as_json(answer)
    else:
        text = answer.get("status") if response.is_success else answer.get("detail")
        printing.line(response.status_code, text or answer.get("title"), answer.get("id"))
    raise typer.Exit(0 if response.is_success else 1)


def event(source: Source, kind: str, record: str) -> dict[str, Any]:
    """The body as Severa's relay, or as Fortnox itself, would send it."""
    now = clock.iso(clock.now())
    if source == "severa":
        return {"type": kind, "timestamp": now, "data": {"guid": record}}
    entity = re.sub(r"-[a-z]+(-v\d+)?$", "", kind)
    said = {
        "topic": TOPICS.get(entity, f"{entity}s"),
        "offset": uuid4().hex[:12],
        "type": kind,
        "entityId": record,
        "timestamp": now,
    }
    voucher = re.fullmatch(r"(\d+)-([A-Za-z0-9]+)-(\d+)", record)
    if entity != "voucher" or voucher is None:
        return said
    year, series, number = voucher.groups()
    return said | {"entityId": number, "year": int(year), "series": series, "id": number}


def _signed(secret: str, body: bytes) -> dict[str, str]:
    try:
        Door.model_validate({"secrets": [secret]})
    except ValidationError:
        printing.fail("--secret is not whsec_ followed by base64", 2)
    message_id, stamp = f"msg_{uuid4().hex}", int(clock.now().timestamp())
    signature = signatures.sign(secret, message_id, stamp, body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": signature,
    }


def _post(url: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    headers = headers | {"Content-Type": "application/json"}
    try:
        with httpx.Client(timeout=TIMEOUT, trust_env=False) as client:
            return client.post(url, content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        printing.fail(f"{url} does not answer: {type(error).__name__}")
