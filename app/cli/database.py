"""The database on the command line: kept safe, brought back, moved to PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from app import clock, moving
from app.cli import printing
from app.cli.options import AsJson
from app.db import Database
from app.moving import CannotMove, Moved
from app.settings import settings

app = typer.Typer(help="Back up, restore and move the database.", no_args_is_help=True)

Target = Annotated[
    str, typer.Argument(metavar="URL", help="An empty database, postgresql+psycopg://….")
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A file; it is an SQLite database.")]


@app.command()
def move(url: Target, *, as_json: AsJson = False) -> None:
    """Copy everything to an empty database and compare it; stop all processes before."""
    with _opened(settings().database_url) as source, _opened(url) as target:
        _refuse_while_at_work(source)
        _copy(source, target, as_json=as_json)
    if not as_json:
        printing.line("Set DATABASE_URL to the new database on every machine, then start again.")


@app.command()
def backup(file: File, *, as_json: AsJson = False) -> None:
    """Write the whole database, as it stands at one moment, to a new file; may run any time."""
    if file.exists():
        printing.fail(f"{file} exists already")
    file.touch(mode=0o600)
    with _opened(settings().database_url) as source, _opened(f"sqlite:///{file}") as target:
        _copy(source, target, as_json=as_json)


@app.command()
def restore(file: File, *, as_json: AsJson = False) -> None:
    """Bring a backup into the database of DATABASE_URL, which must be empty."""
    if not file.exists():
        printing.fail(f"{file} is not there", 2)
    with _opened(f"sqlite:///{file}") as source, _opened(settings().database_url) as target:
        _refuse_while_at_work(target)
        _copy(source, target, as_json=as_json)


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    try:
        db = Database(url)
    except ArgumentError:
        printing.fail("this is not the URL of a database", 2)
    try:
        db.ping()
        yield db
    except SQLAlchemyError as error:
        printing.fail(f"the database does not answer: {type(error).__name__}")
    finally:
        db.close()


def _refuse_while_at_work(db: Database) -> None:
    try:
        found = moving.at_work(db, clock.now())
    except SQLAlchemyError:  # it has no tables yet
        return
    if found:
        printing.fail(f"stop these first, or wait a minute after their end: {', '.join(found)}")


def _copy(source: Database, target: Database, *, as_json: bool) -> None:
    def tell(moved: Moved) -> None:
        if not as_json:
            printing.line(moved.table, f"{moved.rows} rows")

    try:
        done = moving.move(source, target, settings().var_dir, tell)
    except CannotMove as error:
        printing.fail(f"nothing was copied: {error}")
    if as_json:
        printing.as_json({"tables": {moved.table: moved.rows for moved in done}})
