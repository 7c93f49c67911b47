"""What ails the bridge: its checks, and what each connection still needs."""

from typing import Any

import typer
from pydantic import ValidationError

from app.cli import printing
from app.cli.options import AsJson, Key, Url
from app.cli.remote import Remote
from app.documents import Document


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(*, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """Say what does not work, or what is missing; ends with 1 when something is wrong."""
    remote = Remote(url, key, quiet=as_json)
    ready = remote.ready()
    found = [_examined(one) for one in remote.ask("GET", "connections")["connections"]]
    if as_json:
        printing.as_json({"checks": ready["checks"], "connections": found})
    else:
        _print(ready["checks"], found)
    well = all(check["ok"] for check in ready["checks"].values())
    raise typer.Exit(0 if well and all(one["ok"] for one in found) else 1)


def _examined(one: dict[str, Any]) -> dict[str, Any]:
    """One that is switched off may be incomplete: somebody is still setting it up."""
    missing = _missing(one)
    return {
        "name": one["name"],
        "ok": not one["stopped"] and not (one["active"] and missing),
        "active": one["active"],
        "stopped": one["stopped"],
        "missing": missing,
    }


def _missing(one: dict[str, Any]) -> list[str]:
    """A masked document misses exactly what the stored one misses."""
    document = {name: one[name] for name in Document.model_fields if name in one}
    try:
        return Document.model_validate(document).missing()
    except ValidationError:
        printing.fail("the bridge is of another version than this command")


def _print(checks: dict[str, Any], found: list[dict[str, Any]]) -> None:
    rows = [(name, _word(one["ok"]), one["detail"]) for name, one in checks.items()]
    rows += [(one["name"], _word(one["ok"]), _needs(one)) for one in found]
    printing.table(("what", "state", "detail"), rows)


def _word(ok: object) -> str:
    return "ok" if ok else "fails"


def _needs(one: dict[str, Any]) -> str:
    if one["stopped"]:
        return f"{one['stopped']['message']} {one['stopped']['next_step']}".strip()
    state = "active" if one["active"] else "inactive"
    return f"{state}, missing: {', '.join(one['missing'])}" if one["missing"] else state
