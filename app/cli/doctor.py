"""What ails the bridge: its checks, and what each connection still needs in both systems."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from app.cli import printing
from app.cli.options import AsJson, Key, Url
from app.cli.remote import Remote
from app.documents import Document

Only = Annotated[str, typer.Argument(metavar="[CONNECTION]", help="Only this connection.")]
MOST_PAIRS = 20
VERDICTS = {
    "link": "would be linked",
    "near_miss": "near misses",
    "conflict": "conflicts",
    "only_severa": "only in Severa",
    "only_fortnox": "only in Fortnox",
}
WHY = {
    "same_number_other_name": "same number, other name",
    "same_tax_number_other_number": "same tax number, other number",
    "same_name_other_number": "nearly the same name, other number",
    "same_code_other_name": "same code, other name",
    "same_name_other_code": "same name, other code",
    "code_shared": "several records share the code",
}


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(connection: Only = "", *, url: Url = "", key: Key = "", as_json: AsJson = False) -> None:
    """Say what does not work, or what is missing; ends with 1 when something is wrong.

    Every condition of the start guide is looked at in both systems; nothing is written. One that
    is switched off may still be incomplete, unless it is asked for by name.
    """
    remote = Remote(url, key, quiet=as_json)
    ready = remote.ready()
    if connection:
        known = [remote.ask("GET", "connections", connection)]
    else:
        known = remote.ask("GET", "connections")["connections"]
    found = [_examined(remote, one, is_meant=bool(connection)) for one in known]
    if as_json:
        printing.as_json({"checks": ready["checks"], "connections": found})
    else:
        _print(ready["checks"], found)
    well = all(check["ok"] for check in ready["checks"].values())
    raise typer.Exit(0 if well and all(one["ok"] for one in found) else 1)


def _examined(remote: Remote, one: dict[str, Any], *, is_meant: bool) -> dict[str, Any]:
    """One that is switched off may be incomplete: somebody is still setting it up."""
    missing = _missing(one)
    preflight = remote.ask("GET", "connections", one["name"], "preflight")
    is_due = one["active"] or is_meant
    return {
        "name": one["name"],
        "ok": not one["stopped"] and not (is_due and (missing or not preflight["ok"])),
        "active": one["active"],
        "stopped": one["stopped"],
        "missing": missing,
        "preflight": preflight,
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
    for one in found:
        _print_preflight(one["name"], one["preflight"])


def _print_preflight(name: str, preflight: dict[str, Any]) -> None:
    rows = [(one["check"], one["status"], *_advice(one)) for one in preflight["checks"]]
    printing.line(f"\n{name}: the conditions of the start guide")
    printing.table(("condition", "state", "what is the matter", "what to do"), rows)
    for register in ("customers", "products"):
        _print_register(register, preflight[register])


def _advice(finding: dict[str, Any]) -> tuple[str, str]:
    reason = finding["reason"]
    about = ", ".join(finding["about"])
    if reason is None:
        return about, ""
    named = "" if all(one in reason["message"] for one in finding["about"]) else f" ({about})"
    return f"{reason['message']}{named}", reason["next_step"]


def _print_register(register: str, compared: dict[str, Any]) -> None:
    counts = [f"{compared['counts'].get(key, 0)} {word}" for key, word in VERDICTS.items()]
    printing.line(f"{register}: {', '.join(counts)}")
    rows = list(_doubtful(compared["pairs"]))
    if rows:
        printing.table(("", "Severa", "Fortnox", "names alike", "why"), rows[:MOST_PAIRS])
    if len(rows) > MOST_PAIRS:
        printing.line(f"and {len(rows) - MOST_PAIRS} more; --json has them")


def _doubtful(pairs: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Those that a person has to look at."""
    for one in pairs:
        if one["verdict"] in ("near_miss", "conflict"):
            sides = (_named(one["severa"]), _named(one["fortnox"]))
            word = one["verdict"].replace("_", " ")
            yield (word, *sides, f"{one['score']:.0f} %", WHY.get(one["why"], one["why"]))


def _named(entry: dict[str, str] | None) -> str:
    return f"{entry['number']} {entry['name']}".strip() if entry else "–"


def _word(ok: object) -> str:
    return "ok" if ok else "fails"


def _needs(one: dict[str, Any]) -> str:
    if one["stopped"]:
        return f"{one['stopped']['message']} {one['stopped']['next_step']}".strip()
    state = "active" if one["active"] else "inactive"
    return f"{state}, missing: {', '.join(one['missing'])}" if one["missing"] else state
