"""`bridge mail test`: does an error mail arrive?"""

import typer

from app.cli import printing
from app.cli.options import AsJson, Key, Name, Url
from app.cli.remote import Remote

app = typer.Typer(help="Error mails.", no_args_is_help=True)


@app.callback()
def mail() -> None:
    """Error mails."""


@app.command("test")
def try_out(connection: Name, *, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """Send a test mail to the addresses for errors of a connection."""
    remote = Remote(url, key, quiet=as_json)
    answer = remote.ask("POST", "connections", connection, "mail", "test")
    if as_json:
        printing.as_json(answer)
    else:
        for address in answer["sent_to"]:
            printing.line(address, "sent")
        for address in answer["refused"]:
            printing.line(address, "refused")
    if answer["refused"]:
        raise typer.Exit(1)
