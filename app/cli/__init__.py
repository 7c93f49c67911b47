"""`bridge …`: the processes of this machine, and everything else by the admin API."""

from importlib.metadata import version
from typing import Annotated

import typer

from app.cli import (
    alive,
    backfill,
    connections,
    database,
    doctor,
    history,
    keys,
    mail,
    processes,
    send,
    signature,
    transfers,
    users,
)

app = typer.Typer(
    name="bridge",
    help="Carries invoices, payments and registers between Visma Severa and Fortnox.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
processes.register(app)
send.register(app)
transfers.register(app)
backfill.register(app)
app.add_typer(connections.app, name="connections")
app.add_typer(mail.app, name="mail")
keys.register(app)
app.add_typer(users.app, name="users")
app.add_typer(database.app, name="db")
history.register(app)
doctor.register(app)
alive.register(app)
signature.register(app)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("severa-fortnox-bridge"))
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version.")
]


@app.callback()
def bridge(*, version_asked: Version = False) -> None:
    """Carries invoices, payments and registers between Visma Severa and Fortnox."""


def main() -> None:
    """Ends with 0 when it was done, 1 when it was refused or failed, 2 when asked wrongly."""
    app()
