"""The transfer log on the command line: followed, looked ahead, run again."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

import typer

from app.cli import printing
from app.cli.options import MOST, AsJson, Key, Kinds, Name, States, Url, Words
from app.cli.remote import Remote

EACH_LOOK = 200

Id = Annotated[str, typer.Argument(metavar="ID", help="The transfer, trf_….")]
SomeId = Annotated[str, typer.Argument(metavar="ID", help="One transfer, trf_….")]
Since = Annotated[str, typer.Option(help="Received at this instant or later, ISO 8601.")]
Until = Annotated[str, typer.Option(help="Received before this instant, ISO 8601.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be written.")]


def register(app: typer.Typer) -> None:
    app.command()(tail)
    app.command()(replay)
    app.command()(plan)


def tail(
    connection: Name,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=EACH_LOOK, help=MOST)] = 20,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 2,
    state: States = None,
    kind: Kinds = None,
    q: Words = "",
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Print the latest transfers, the newest last; with --json one object a line."""
    remote = Remote(url, key, quiet=as_json)
    tell = printing.json_line if as_json else _print
    path, only = ("connections", connection, "transfers"), {"state": state, "kind": kind, "q": q}
    seen = _tell_new({}, remote.ask("GET", *path, limit=limit, **only), tell)
    with suppress(KeyboardInterrupt):
        while follow:
            time.sleep(interval)
            seen = _tell_new(seen, remote.ask("GET", *path, limit=EACH_LOOK, **only), tell)


def replay(
    connection: Name,
    transfer: SomeId = "",
    *,
    state: States = None,
    kind: Kinds = None,
    q: Words = "",
    since: Since = "",
    until: Until = "",
    dry_run: DryRun = False,
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Run one transfer again, or all that meet the criteria."""
    wanted = {"state": state, "kind": kind, "q": q, "since": since, "until": until}
    criteria = {name: value for name, value in wanted.items() if value}
    if bool(transfer) == bool(criteria):
        printing.fail("give an ID, or at least one of --state --kind -q --since --until", 2)
    remote = Remote(url, key, quiet=as_json)
    path = ["connections", connection, "transfers", *([transfer] if transfer else []), "retry"]
    how = {"dry_run": "true"} if dry_run else {}
    answer = remote.ask("POST", *path, json=None if transfer else criteria, **how)
    _tell(answer, as_json=as_json)


def plan(
    connection: Name, transfer: Id, *, url: Url = "", key: Key = "", as_json: AsJson = False
) -> None:
    """Say what a run of this transfer would write now, and write nothing."""
    remote = Remote(url, key, quiet=as_json)
    path = ("connections", connection, "transfers", transfer, "retry")
    _tell(remote.ask("POST", *path, dry_run="true"), as_json=as_json)


def _tell(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        printing.as_json(answer)
    elif "retried" in answer:
        printing.line(f"{answer['retried']} due again")
    else:
        _tell_writes(answer)


def _tell_writes(answer: dict[str, Any]) -> None:
    if answer["writes"]:
        printing.table(("system", "action", "what"), [_write(one) for one in answer["writes"]])
    else:
        printing.line("nothing would be written", answer.get("reason", {}).get("message"))
    for one in answer.get("ends", []):
        printing.line(one["transfer"], one["reason"]["message"])
    if answer.get("matched", 0) > answer.get("planned", 0):
        printing.warn(f"looked at {answer['planned']} of {answer['matched']} transfers")


def _write(one: dict[str, Any]) -> tuple[str, str, str]:
    rest = {name: value for name, value in one.items() if name not in ("system", "action")}
    return one.get("system", ""), one.get("action", ""), json.dumps(rest, ensure_ascii=False)


Seen = dict[str, tuple[Any, ...]]


def _tell_new(seen: Seen, answer: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> Seen:
    """Prints what is new or stands otherwise than when last seen."""
    stands: Seen = {}
    for one in reversed(answer["transfers"]):
        stands[one["id"]] = (one["state"], one["attempts"], one["received_at"])
        if seen.get(one["id"]) != stands[one["id"]]:
            tell(one)
    return stands


def _print(one: dict[str, Any]) -> None:
    reason = one["reason"]["message"] if one["reason"] else ""
    sides = f"{one['source']['label']} → {one['target']['label'] or '…'}"
    printing.line(one["received_at"], one["id"], one["state"], one["kind"], sides, reason)
