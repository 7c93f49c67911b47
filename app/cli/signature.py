"""Why a webhook was turned away: the checks of the door, run by whoever holds the database."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from app import connections, signatures
from app.cli import printing
from app.cli.options import AsJson, From, Name
from app.documents import Door
from app.hall import open_hall
from app.settings import settings

Headers = Annotated[list[str], typer.Option("--header", "-H", help="As it came, 'name: value'.")]
Body = Annotated[str, typer.Option(help="A file with the body, byte for byte; - is the input.")]
At = Annotated[datetime | None, typer.Option(help="When it came, in UTC; by default now.")]


def register(app: typer.Typer) -> None:
    app.command("verify-signature")(verify_signature)


def verify_signature(
    connection: Name,
    *,
    headers: Headers,
    body: Body,
    source: From = "severa",
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Say which check of a webhook request fails; secrets are compared, never shown."""
    content, said = _read(body), _headers(headers)
    instant = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
    door = _door(connection, source)
    verdict = signatures.verify(said, content, door, instant)
    cause = ""
    if verdict.failed == signatures.NO_MATCH:
        secrets = [one.get_secret_value() for one in door.secrets]
        cause = signatures.likely_cause(said, content, secrets)
    if as_json:
        told = {"ok": verdict.ok, "failed": verdict.failed or None}
        printing.as_json(told | ({"cause": cause} if cause else {}))
    else:
        why = f"{verdict.failed}: {cause}" if cause else verdict.failed
        printing.line("ok" if verdict.ok else "fails", why)
    raise typer.Exit(0 if verdict.ok else 1)


def _door(connection: str, source: str) -> Door:
    hall = open_hall(settings())
    try:
        with hall.db.reading() as tx:
            found = connections.find(tx, hall.vault, connection)
    finally:
        hall.db.close()
    if found is None:
        printing.fail(f"there is no connection {connection} in this database")
    doors = found.document.webhooks
    return doors.severa if source == "severa" else doors.fortnox


def _headers(given: list[str]) -> dict[str, str]:
    """Names in lower case, as the door sees them."""
    pairs = [line.partition(":") for line in given]
    if not all(colon for _, colon, _ in pairs):
        printing.fail("--header is written as 'name: value'", 2)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        printing.fail(f"{file} cannot be read: {type(error).__name__}", 2)
