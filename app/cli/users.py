"""People who may use the console, on the command line; a password is never an argument."""

import secrets
import sys
from typing import Annotated, Any, Literal

import typer

from app.cli import printing
from app.cli.options import AsJson, Key, Url
from app.cli.remote import Remote

app = typer.Typer(help="Add, list and change who may use the console.", no_args_is_help=True)

Role = Literal["view", "operate", "configure"]
User = Annotated[str, typer.Argument(metavar="NAME", help="The name they log in with.")]
TheRole = Annotated[
    Role, typer.Argument(help="view, operate (and view) or configure (everything).")
]
RoleOption = Annotated[Role, typer.Option(help="view, operate (and view) or configure.")]
Generate = Annotated[
    bool,
    typer.Option(
        "--generate", help="Make a password and print it, this once; else it is asked for."
    ),
]


@app.command("list")
def list_all(*, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """List everybody who may log in by name, also those who are shut out."""
    answer = Remote(url, key, quiet=as_json).ask("GET", "users")
    rows = [
        (one["name"], one["label"], one["role"], one["kind"], _state(one), one["seen_at"])
        for one in answer["users"]
    ]
    columns = ("name", "called", "role", "log-in", "state", "last seen")
    printing.listing(answer, columns, rows, in_json=as_json)


@app.command()
def create(
    name: User,
    *,
    role: RoleOption = "view",
    generate: Generate = False,
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Add somebody; the password is typed in, or is one line of the input."""
    remote = Remote(url, key, quiet=as_json)
    password = _password(generate)
    made = remote.ask("POST", "users", json={"name": name, "role": role, "password": password})
    _tell(made, password if generate else "", as_json)


@app.command("role")
def change_role(
    name: User, role: TheRole, *, url: Url = "", key: Key = "", as_json: AsJson = False
) -> None:
    """Say anew how much somebody may do; they have to log in again."""
    _tell(_change(Remote(url, key, quiet=as_json), name, role=role), "", as_json)


@app.command()
def password(
    name: User,
    *,
    generate: Generate = False,
    url: Url = "",
    key: Key = "",
    as_json: AsJson = False,
) -> None:
    """Give somebody another password; they have to log in again."""
    remote = Remote(url, key, quiet=as_json)
    given = _password(generate)
    _tell(_change(remote, name, password=given), given if generate else "", as_json)


@app.command()
def disable(name: User, *, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """Shut somebody out, at once; nothing they did is forgotten."""
    _tell(_change(Remote(url, key, quiet=as_json), name, disabled=True), "", as_json)


@app.command()
def enable(name: User, *, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """Let somebody in again."""
    _tell(_change(Remote(url, key, quiet=as_json), name, disabled=False), "", as_json)


@app.command()
def remove(name: User, *, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """Forget somebody; the audit log keeps what they did."""
    Remote(url, key, quiet=as_json).ask("DELETE", "users", name)
    if as_json:
        printing.as_json({"name": name, "removed": True})
    else:
        printing.line(name, "removed")


def _change(remote: Remote, name: str, **asked: Any) -> Any:
    return remote.ask("PATCH", "users", name, json=asked)


def _tell(user: Any, made: str, as_json: bool) -> None:
    """`made`: the password, where nobody knows it yet."""
    if as_json:
        printing.as_json(user | ({"password": made} if made else {}))
    else:
        printing.line(user["name"], user["role"], _state(user), made)


def _password(generate: bool) -> str:
    if generate:
        return secrets.token_urlsafe(18)
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    given = sys.stdin.readline().rstrip("\r\n")
    return given or printing.fail("give the password as one line of the input, or --generate", 2)


def _state(one: dict[str, Any]) -> str:
    return "disabled" if one["disabled_at"] else "open"
