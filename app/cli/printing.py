"""What the commands print: tables for people, JSON for programs, and no colours into a pipe."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 240  # columns for a pipe, so that nothing is cut
COLOURS = {
    "done": "green",
    "ok": "green",
    "skipped": "dim",
    "warning": "yellow",
    "error": "red",
    "queued": "cyan",
    "running": "cyan",
    "waiting": "yellow",
    "blocked": "red",
    "failed": "bold red",
    "fails": "bold red",
}


def as_json(content: Any) -> None:
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))


def json_line(content: Any) -> None:
    typer.echo(json.dumps(content, ensure_ascii=False))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    shown = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        shown.add_row(*(_cell(value) for value in row))
    _console().print(shown)


def listing(
    answer: Any, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, in_json: bool
) -> None:
    """The whole answer for programs, or its rows for people."""
    if in_json:
        as_json(answer)
    else:
        table(columns, rows)


def line(*parts: Any) -> None:
    told = [_cell(part) for part in parts if part not in (None, "")]
    _console().print(Text("  ").join(told), soft_wrap=True)


def warn(text: str) -> None:
    typer.echo(plain(text), err=True)


def fail(text: str, code: int = 1) -> NoReturn:
    """Ends the command: 1 when it was refused or failed, 2 when it was asked wrongly."""
    warn(text)
    raise typer.Exit(code)


def plain(value: Any) -> str:
    """One line without control characters: what others wrote must not steer a terminal."""
    text = "" if value is None else str(value)
    return "".join(one if one.isprintable() else " " for one in text)


def _cell(value: Any) -> Text:
    text = plain(value)
    return Text(text, style=COLOURS.get(text, ""))


def _console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
