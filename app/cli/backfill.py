"""`bridge backfill`: carry over a whole register, with a progress bar."""

import sys
import time
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli import printing
from app.cli.options import AsJson, Key, Name, Url
from app.cli.remote import Remote

Kind = Annotated[str, typer.Argument(help="customer, product, project, invoice or project_fee.")]
Direction = Annotated[str, typer.Option(help="severa_to_fortnox or fortnox_to_severa.")]
Detach = Annotated[bool, typer.Option("--detach", help="Start it and do not watch.")]
EACH_LOOK_SECONDS = 0.5


def register(app: typer.Typer) -> None:
    app.command()(backfill)


def backfill(
    connection: Name,
    kind: Kind,
    *,
    direction: Direction = "",
    detach: Detach = False,
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Carry over a whole register, all invoices in the transfer status, or all project fees."""
    remote = Remote(url, key, quiet=as_json)
    asked = {"kind": kind} | ({"direction": direction} if direction else {})
    started = remote.ask("POST", "connections", connection, "backfill", json=asked)
    ended = started if detach else _watch(remote, started)
    if as_json:
        printing.as_json(ended)
    else:
        counts = f"{ended['done']} done, {ended['failed']} need a person, {ended['total']} in all"
        printing.line(ended["id"], ended["state"], counts)
    if ended["failed"]:
        raise typer.Exit(1)


def _watch(remote: Remote, one: dict[str, Any]) -> dict[str, Any]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task(f"{one['kind']} {one['direction']}", total=None)
        while one["state"] in ("listing", "running"):
            time.sleep(EACH_LOOK_SECONDS)
            one = remote.ask("GET", "connections", one["connection"], "backfills", one["id"])
            total = one["total"] if one["state"] != "listing" else None
            bar.update(task, completed=one["done"] + one["failed"], total=total)
    return one
