"""`bridge alive`: what containers ask now and then, of the process beside them."""

from datetime import timedelta
from typing import Annotated, Literal

import httpx
import typer
from sqlalchemy.exc import SQLAlchemyError

from app import clock, processes
from app.cli import printing
from app.db import Database
from app.locks import host_name
from app.settings import settings

Kind = Annotated[
    Literal["api", "worker", "sweeper"], typer.Argument(metavar="KIND", help="Which process.")
]
SEEN = timedelta(seconds=60)


def register(app: typer.Typer) -> None:
    app.command()(alive)


def alive(kind: Kind = "api") -> None:
    """End with 0 while the process of that kind on this host works, else with 1.

    A database that is away is nobody's fault here: restarting would not help.
    """
    found = _answers() if kind == "api" else _was_seen(kind)
    printing.line(kind, "ok" if found else "fails")
    raise typer.Exit(0 if found else 1)


def _answers() -> bool:
    url = f"http://127.0.0.1:{settings().port}/health"
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _was_seen(kind: str) -> bool:
    db = Database(settings().database_url, pool_size=1)
    try:
        with db.reading() as tx:
            seen = processes.seen_since(tx, kind, clock.now() - SEEN)
    except SQLAlchemyError:
        return True
    finally:
        db.close()
    return any(name.startswith(f"{kind}-{host_name()}-") for name in seen)
