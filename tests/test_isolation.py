"""Nothing of one company is ever seen or changed through another."""

import ast
from collections.abc import Iterator
from pathlib import Path

from app.models import metadata

ROOT = Path(__file__).parent.parent
TABLES = {name for name, table in metadata.tables.items() if "connection" in table.c}

BY_ID = "by the id of a row that was claimed, or found under its connection, before"
NAMED = "of the connections whose names are handed in, by in_"
UPKEEP = "of all connections, and tells nobody about one of them"
ALLOWED: dict[str, str] = {
    "app.alarms._tell_first": "by connection and cause of the alarm that was found, see _same",
    "app.alarms._tell_solved": "by connection and cause of the alarm that was found, see _same",
    "app.alarms.plant": UPKEEP,
    "app.alarms.sent": BY_ID,
    "app.backfills.cancel": BY_ID,
    "app.backfills.is_cancelled": BY_ID,
    "app.backfills.listed": BY_ID,
    "app.backfills._counted": BY_ID,
    "app.backfills.progress": BY_ID,
    "app.backfills.wanted": BY_ID,
    "app.cursors.called": UPKEEP,
    "app.effects.change": BY_ID,
    "app.effects.forgive": BY_ID,
    "app.effects.latest": BY_ID,
    "app.effects.leave_alone": BY_ID,
    "app.effects.of_work": BY_ID,
    "app.effects.open_intent": BY_ID,
    "app.effects.sent_for": BY_ID,
    "app.inbox.about": BY_ID,
    "app.inbox.find": "by the id alone: the address names no connection, and the key opens all",
    "app.inbox.last_told": BY_ID,
    "app.inbox.latest": BY_ID,
    "app.inbox.point_to": BY_ID,
    "app.claims.change_subject": BY_ID,
    "app.claims.let_go": BY_ID,
    "app.claims.take_back": "what one process held when it ended, or lost sight of",
    "app.claims.take_subject": BY_ID,
    "app.journal.read": BY_ID,
    "app.journal.said_since": BY_ID,
    "app.metrics._outages": UPKEEP,
    "app.metrics._parts": UPKEEP,
    "app.retention._forget_bodies": NAMED,
    "app.retention._forget_events": NAMED,
    "app.retention._forget_payloads": NAMED,
    "app.retention._missing": UPKEEP,
    "app.retention._settled_events": NAMED,
    "app.retention.history": "its writes by their connection; each one's record by its id",
    "app.overview.backlog": UPKEEP,
    "app.overview.running_holders": UPKEEP,
    "app.turns._running": "counted for each connection",
    "app.worklist._take": BY_ID,
    "app.worklist.describe": BY_ID,
    "app.worklist.look": BY_ID,
    "app.worklist.retry": BY_ID,
    "app.worklist.settle": BY_ID,
}


def queries() -> Iterator[tuple[str, str, bool]]:
    """Each (function, table) that asks or changes a table, and whether it says whose rows."""
    for path in sorted([*ROOT.glob("app/**/*.py"), *ROOT.glob("workers/**/*.py")]):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "sandbox" in parts or "migrations" in parts:
            continue
        tree = ast.parse(path.read_text())
        names = {
            alias.asname or alias.name: alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "app.models"
            for alias in node.names
            if alias.name in TABLES
        }
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for name, table in names.items():
                if _asks(function, name):
                    yield f"{'.'.join(parts)}.{function.name}", table, _says_whose(function, name)


def _asks(function: ast.AST, name: str) -> bool:
    return any(
        isinstance(call, ast.Call)
        and ast.unparse(call.func).rpartition(".")[2] in ("select", "update", "delete", "exists")
        and any(name in _roots(argument) for argument in call.args)
        for call in ast.walk(function)
    )


def _roots(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _says_whose(function: ast.AST, name: str) -> bool:
    text = f"{name}.c.connection"
    return any(
        isinstance(one, ast.Compare)
        and text in (ast.unparse(one.left), *map(ast.unparse, one.comparators))
        for one in ast.walk(function)
    )


def test_every_query_says_whose_rows_it_means() -> None:
    found = {place for place, _, says_whose in queries() if not says_whose}
    assert found - set(ALLOWED) == set(), "a condition on the connection is missing"


def test_every_exception_is_still_needed() -> None:
    assert set(ALLOWED) <= {place for place, _, says_whose in queries() if not says_whose}
