"""Admin keys on the command line, and the record of who did what."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from app import resealing
from app.cli import printing
from app.cli.options import MOST, AsJson, Key, Url
from app.cli.remote import Remote
from app.hall import open_hall
from app.identity import Identity
from app.settings import settings

app = typer.Typer(help="Make, list and revoke admin keys; seal secrets anew.", no_args_is_help=True)

Holder = Annotated[str, typer.Argument(metavar="NAME", help="Whose it is, or what for.")]
KeyId = Annotated[str, typer.Argument(metavar="ID", help="The key, key_….")]
Scope = Annotated[str, typer.Option(help="view, operate (and view) or configure (everything).")]
Expires = Annotated[str, typer.Option(help="Until when it opens, ISO 8601; by default for ever.")]


def register(bridge: typer.Typer) -> None:
    bridge.add_typer(app, name="keys")
    bridge.command("audit")(audit)


@app.command("list")
def list_all(*, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """List the keys that were made; ADMIN_KEY is not among them."""
    answer = Remote(url, key, quiet=as_json).ask("GET", "keys")
    rows = [
        (one["id"], one["name"], one["scope"], one["begins"], _state(one), one["last_used_at"])
        for one in answer["keys"]
    ]
    columns = ("id", "name", "scope", "begins", "state", "last used")
    printing.listing(answer, columns, rows, in_json=as_json)


@app.command()
def create(
    name: Holder,
    *,
    scope: Scope = "view",
    expires: Expires = "",
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once; with --key of one that may configure."""
    asked = {"name": name, "scope": scope} | ({"expires_at": expires} if expires else {})
    made = Remote(url, key, quiet=as_json).ask("POST", "keys", json=asked)
    if as_json:
        printing.as_json(made)
    else:
        printing.line(made["id"], made["name"], made["scope"], made["key"])


@app.command()
def revoke(key_id: KeyId, *, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """Close a key for good, and every login that was made with it."""
    Remote(url, key, quiet=as_json).ask("DELETE", "keys", key_id)
    if as_json:
        printing.as_json({"id": key_id, "revoked": True})
    else:
        printing.line(key_id, "revoked")


@app.command()
def rotate(*, as_json: AsJson = False) -> None:
    """Seal every secret anew with the first of ENCRYPTION_KEYS; may be run again at any time."""
    hall = open_hall(settings())
    try:
        who = Identity("command", "command", "bridge keys rotate", "configure")
        report = resealing.reseal_all(hall.db, hall.vault, who, hall.clock())
    finally:
        hall.db.close()
    if as_json:
        printing.as_json(asdict(report))
    else:
        printing.line(f"{report.resealed} sealed anew, {report.fresh} were already")
    for one in report.unreadable:
        printing.warn(f"no key opens the {one}")
    raise typer.Exit(1 if report.unreadable else 0)


def audit(
    *,
    connection: Annotated[str, typer.Option(help="Only about this connection.")] = "",
    action: Annotated[list[str] | None, typer.Option("--action", help="May be repeated.")] = None,
    since: Annotated[str, typer.Option(help="At this instant or later, ISO 8601.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help=MOST)] = 20,
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Print who did what, when and from where, the newest first."""
    answer = Remote(url, key, quiet=as_json).ask(
        "GET", "audit", connection=connection, action=action, since=since, limit=limit
    )
    rows = [
        (one["at"], one["who"]["name"], one["who"]["origin"], one["action"], one["connection"])
        for one in answer["entries"]
    ]
    columns = ("at", "who", "from", "what", "connection")
    printing.listing(answer, columns, rows, in_json=as_json)


def _state(one: dict[str, Any]) -> str:
    if one["revoked_at"]:
        return "revoked"
    return f"until {one['expires_at']}" if one["expires_at"] else "open"
