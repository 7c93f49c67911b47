"""`bridge history`: every write of a financial year, as a file for the archive."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from app.cli import printing
from app.cli.options import Key, Name, Url
from app.cli.remote import Remote

Year = Annotated[int, typer.Option(help="The calendar year; or give --from and --to.")]
Since = Annotated[str, typer.Option("--from", help="The first day, YYYY-MM-DD.")]
Until = Annotated[str, typer.Option("--to", help="The last day, YYYY-MM-DD.")]
Output = Annotated[str, typer.Option("--output", "-o", help="A file; by default what is printed.")]


def register(app: typer.Typer) -> None:
    app.command()(history)


def history(
    connection: Name,
    *,
    year: Year = 0,
    since: Since = "",
    until: Until = "",
    output: Output = "",
    url: Url = "",
    key: Key = "",
) -> None:
    """Write every write of a financial year as CSV, a line each."""
    if bool(year) == bool(since and until):
        printing.fail("give either --year, or both --from and --to", 2)
    if year:
        since, until = date(year, 1, 1).isoformat(), date(year, 12, 31).isoformat()
    days = {"from": since, "to": until}
    text = Remote(url, key).text("connections", connection, "history.csv", **days)
    if not output:
        typer.echo(text, nl=False)
        return
    try:
        Path(output).write_text(text, "utf-8", newline="")
    except OSError as error:
        printing.fail(f"{output} cannot be written: {type(error).__name__}")
    printing.line(output, f"{text.count(chr(10)) - 1} writes")
