"""The settings of the connections on the command line."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import printing
from app.cli.options import AsJson, Key, Name, Url
from app.cli.remote import Remote

app = typer.Typer(help="Read and write the settings of connections.", no_args_is_help=True)

File = Annotated[str, typer.Argument(metavar="FILE", help="A settings document; - is the input.")]
Folder = Annotated[str, typer.Argument(metavar="FOLDER", help="Where the documents lie.")]
READ_ONLY = ("active", "stopped", "updated_at", "webhook_urls")
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("list")
def list_all(*, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """List the connections."""
    answer = Remote(url, key, quiet=as_json).ask("GET", "connections")
    rows = [(one["name"], one["label"], _state(one)) for one in answer["connections"]]
    printing.listing(answer, ("name", "label", "state"), rows, in_json=as_json)


@app.command()
def show(connection: Name, *, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """Print the settings document; secrets read ********."""
    printing.as_json(Remote(url, key, quiet=as_json).ask("GET", "connections", connection))


@app.command()
def put(file: File, *, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """Create a connection, or replace its settings, from a document that names it."""
    document = _read(file)
    answer = Remote(url, key, quiet=as_json).ask(
        "PUT", "connections", document["name"], json=document
    )
    _tell(answer, as_json=as_json)


@app.command()
def activate(connection: Name, *, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """Let its transfers run."""
    remote = Remote(url, key, quiet=as_json)
    _tell(remote.ask("POST", "connections", connection, "activate"), as_json=as_json)


@app.command()
def deactivate(connection: Name, *, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """Hold its transfers; events are still kept."""
    remote = Remote(url, key, quiet=as_json)
    _tell(remote.ask("POST", "connections", connection, "deactivate"), as_json=as_json)


@app.command()
def delete(
    connection: Name, *, yes: Yes = False, url: Url = "", key: Key = "", as_json: AsJson = False
) -> None:
    """Delete its settings and secrets; asks first when a person is there."""
    remote = Remote(url, key, quiet=as_json)
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Delete the settings and secrets of {connection}?", abort=True)
    remote.ask("DELETE", "connections", connection)
    _tell({"name": connection, "deleted": True}, as_json=as_json)


@app.command()
def consent(connection: Name, *, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """Print a link by which a Fortnox administrator lets the integration in; for ten minutes."""
    answer = Remote(url, key, quiet=as_json).ask(
        "POST", "connections", connection, "fortnox", "consent"
    )
    if as_json:
        printing.as_json(answer)
    else:
        printing.line(answer["url"])


@app.command("export")
def export_all(folder: Folder, *, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """Write the settings of every connection to FOLDER, a document each; secrets read ********."""
    answer = Remote(url, key, quiet=as_json).ask("GET", "connections")
    written = []
    for one in answer["connections"]:
        document = {name: value for name, value in one.items() if name not in READ_ONLY}
        path = Path(folder) / f"{one['name']}.json"
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        except OSError as error:
            printing.fail(f"{path} cannot be written: {type(error).__name__}")
        written.append(str(path))
    if as_json:
        printing.as_json({"written": written})
    else:
        printing.table(("written",), [(path,) for path in written])


@app.command("import")
def import_all(folder: Folder, *, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """Put every settings document of FOLDER; a secret that reads ******** stays as it is stored.

    All are read before the first is sent; the first that is refused ends it.
    """
    files = sorted(Path(folder).glob("*.json"))
    if not files:
        printing.fail(f"{folder} has no settings documents", 2)
    remote, documents = Remote(url, key, quiet=as_json), [_read(str(file)) for file in files]
    answers = []
    for document in documents:
        name = document["name"]
        answers.append(remote.ask("PUT", "connections", name, json=document))
        if not as_json:
            _tell(answers[-1], as_json=False)
    if as_json:
        printing.as_json({"connections": answers})


def _read(file: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
        document = json.loads(text)
    except (OSError, ValueError) as error:
        printing.fail(f"{file} cannot be read: {type(error).__name__}", 2)
    if not isinstance(document, dict) or not isinstance(document.get("name"), str):
        printing.fail(f"{file} is not a settings document with a name", 2)
    return document


def _tell(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        printing.as_json(answer)
    else:
        state = "deleted" if answer.get("deleted") else _state(answer)
        printing.line(answer["name"], state)


def _state(one: dict[str, Any]) -> str:
    if one["stopped"]:
        return f"stopped: {one['stopped']['message']}"
    return "active" if one["active"] else "inactive"
