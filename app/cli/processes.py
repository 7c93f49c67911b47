"""`bridge run`, and each process of the bridge on its own."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from app import demo as demonstration
from app import embedded, keys, log
from app import walk as guided
from app.hall import Hall, open_hall
from app.settings import Settings, environment, settings
from app.supervisor import Child, Supervisor

GRACE_SECONDS = 45.0
Once = Annotated[bool, typer.Option("--once", help="End when the story is told.")]
CELERY = (
    # Containers and bare machines run it as root; the warning says nothing about this program.
    *("-W", "ignore:You're running the worker with superuser privileges"),
    *("-m", "celery", "--quiet", "-A", "workers.celery_app", "worker"),
    *("--pool", "threads", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"),
)


def register(app: typer.Typer) -> None:
    for command in (run, demo, walk, api, worker, sweeper, listener):
        app.command(rich_help_panel="Processes")(command)


def run() -> None:
    """All processes in the foreground, against the URLs of the environment; SIGTERM ends them."""
    given = settings()
    log.set_up(given)
    hall = open_hall(given)
    say_key(hall)
    hall.db.close()
    owner = None
    if not given.redis_url:
        _, owner = embedded.connect_or_start(given.var_dir / "redis")
    try:
        supervisor = Supervisor(children(given), grace=GRACE_SECONDS, colours=not given.no_color)
        raise typer.Exit(supervisor.run())
    finally:
        if owner is not None:
            owner.stop()


def demo(*, once: Once = False) -> None:
    """Both partner systems simulated and the whole bridge: an invoice travels there and back."""
    _show(demonstration.prepare(settings()), demonstration.Story, once=once)


def walk() -> None:
    """The start guide from top to bottom on a simulated company; ends with 1 if a step fails."""
    _show(demonstration.prepare(settings(), "walk"), guided.Walk, once=True)


def _show(place: demonstration.Place, told: type[demonstration.Story], *, once: bool) -> None:
    log.set_up(place.settings.model_copy(update={"log_level": "WARNING"}))
    admin_key = keys.ensure(place.settings).admin
    _, owner = embedded.connect_or_start(place.settings.var_dir / "redis")
    story = told(place, admin_key)
    everybody = [
        demonstration.sandbox(place),
        *children(place.settings, **place.changes, LOG_LEVEL="WARNING"),
    ]

    def tell() -> None:
        story.tell()
        if once:
            supervisor.stop()

    supervisor = Supervisor(
        everybody, grace=GRACE_SECONDS, ready=tell, colours=not place.settings.no_color
    )
    try:
        code = supervisor.run()
    finally:
        if owner is not None:
            owner.stop()
    raise typer.Exit(code)


def children(given: Settings, **changes: str) -> list[Child]:
    """The processes of one installation; `changes`: what differs in their environment."""
    env = environment(**changes)
    python = sys.executable
    everybody = [
        Child("api", [python, *_uvicorn(given)], env),
        Child("worker", [python, *CELERY], env),
        Child("sweeper", [python, "-m", "workers.sweeper"], env),
    ]
    if given.fortnox_websocket_url:
        everybody.append(Child("listener", [python, "-m", "workers.listener"], env))
    return everybody


def api() -> None:
    """The HTTP doors, the admin API and the console."""
    os.execv(sys.executable, [sys.executable, *_uvicorn(settings())])  # noqa: S606 - no shell


def worker() -> None:
    """A Celery worker; start as many as you like, on as many machines."""
    os.execv(sys.executable, [sys.executable, *CELERY])  # noqa: S606 - no shell


def sweeper() -> None:
    """Finds what is due by the database alone, and works when Redis or the workers are away."""
    os.execv(sys.executable, [sys.executable, "-m", "workers.sweeper"])  # noqa: S606 - no shell


def listener() -> None:
    """Fortnox's WebSocket, for all connections; of several, one listens and the others stand by."""
    if not settings().fortnox_websocket_url:
        typer.echo("FORTNOX_WEBSOCKET_URL is empty: there is nothing to listen to.", err=True)
        raise typer.Exit(1)
    os.execv(sys.executable, [sys.executable, "-m", "workers.listener"])  # noqa: S606 - no shell


def say_key(hall: Hall) -> None:
    """The admin key that was made just now, shown this once."""
    if hall.keys.made:
        place = Path(hall.settings.var_dir) / "admin.key"
        typer.echo(f"Admin key, made now and kept in {place}: {hall.keys.admin}")


def _uvicorn(given: Settings) -> list[str]:
    return [
        *("-m", "uvicorn", "--factory", "app.main:from_environment"),
        *("--host", given.host, "--port", str(given.port)),
        *("--no-access-log", "--no-server-header", "--log-level", "warning"),
        *("--timeout-graceful-shutdown", "20"),
    ]
