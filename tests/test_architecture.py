"""The floor plan of the house: who may import whom, and which room owns which library.

Both tables are to be read: they say where a thing belongs. A new module needs a room in the first
one, a new library in the second.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from app.sync import HANDLERS

ROOT = Path(__file__).parent.parent

# Room: (what is in it, which rooms it may import). From the ground up; inside a room everybody may
# import everybody, with two exceptions: the windows are two rooms, and benches leave each other
# alone. What is named more exactly counts: app.severa.webhook is an ear, app.severa.client is not.
FLOOR_PLAN: dict[str, tuple[str, str]] = {
    # Neither a database, nor a vendor, nor HTTP is known here.
    "ground": (
        "app app.backoff app.catalogue app.clock app.deadline app.documents app.embedded app.errors"
        " app.figures"
        " app.groupcommit app.identity app.ids app.ingest_limit app.keys app.languages app.limits"
        " app.line app.log app.mail app.reasons app.said app.scopes app.settings app.signatures"
        " app.otel app.supervisor app.tracing app.vault",
        "",
    ),
    "database": (
        "app.bulk app.columns app.db app.locks app.metadata app.migrating app.migrations app.models"
        " app.moving",
        "ground",
    ),
    # Each keeps one thing, and knows no vendor.
    "stores": (
        "app.access app.alarms app.audit app.backfills app.batches app.causes app.claims"
        " app.connections app.cursors app.effects app.eventlog app.grants app.hearing app.holder"
        " app.inbox app.inbox_at_once app.invitations app.journal app.links app.listened app.looks"
        " app.metrics app.outages app.overview app.people app.processes app.pulse app.resealing"
        " app.retention app.sessions app.tokens app.transfers app.turns app.waiting app.worklist",
        "ground database",
    ),
    "bell": ("app.queue", ""),
    "hall": ("app.hall", "ground database stores"),
    # One call to a vendor; it looks at the database only to see that no transaction is open.
    "calls": ("app.calls", "ground database"),
    # Who vouches for people; of the bridge it knows the settings only.
    "sign-on": ("app.oidc", "ground"),
    # Bytes in, an event out.
    "ears": ("app.severa.webhook app.fortnox.webhook", "ground"),
    # The only places that know a vendor's words; never each other, never the database.
    "severa": ("app.severa", "ground calls"),
    "fortnox": ("app.fortnox", "ground calls"),
    # The benches, their tools, and the tables of contents.
    "workshop": ("app.sync", "ground database stores ears calls severa fortnox"),
    "checks": ("app.checks", "ground stores severa fortnox workshop"),
    # Opens both windows for one run.
    "workroom": (
        "app.workroom app.planning app.notary app.spending",
        "ground database stores hall calls severa fortnox workshop",
    ),
    "doors": (
        "app.webhooks app.webhook_docs app.headers app.traced app.health app.oauth app.api"
        " app.console",
        "ground database stores hall sign-on ears workshop checks",
    ),
    # Wiring, from the top.
    "main": ("app.main", "ground bell hall workroom doors"),
    # Both partner systems; of the bridge they know how an event is signed, and no more.
    "sandbox": ("app.sandbox", "ground"),
    "demo": ("app.demo app.walk", "ground sandbox"),
    "command line": ("app.cli", "ground database stores hall demo"),
    "workers": (
        "workers",
        "ground database stores bell hall calls ears severa fortnox workshop workroom",
    ),
}

# Library: the rooms or modules that may import it. "*": everybody.
ONLY_IN: dict[str, str] = {
    "alembic": "app.migrating app.migrations",
    "babel": "app.console",
    "celery": "bell workers",
    "cryptography": "app.vault",
    "fakeredis": "app.embedded.memory",
    "fastapi": "doors main",
    "httpx": "app.calls app.line app.severa.auth app.fortnox.auth app.workroom app.cli"
    " app.console.beside sign-on sandbox demo",
    "jinja2": "app.console app.api.docs app.mail sandbox",
    "joserfc": "app.oidc.tokens",
    "kombu": "bell",
    "markupsafe": "app.console",
    "opentelemetry": "app.otel",
    "prometheus_client": "app.metrics",
    "pydantic": "*",
    "pydantic_settings": "app.settings",
    "rapidfuzz": "app.checks.matching",
    "redis": "app.figures app.limits app.metrics app.health app.planning bell main workers",
    "rich": "app.cli",
    "sqlalchemy": "database stores doors app.cli.alive app.cli.database app.sync.__init__ workers",
    "starlette": "doors sandbox",
    "structlog": "*",
    "typer": "app.cli demo",
    "uvicorn": "sandbox",
    "websockets": "app.fortnox.stream sandbox",
}

# The table of contents alone imports a bench. What two of them need is a tool of the workshop with
# a name of its own (sides, writing, register, money, refusals, settling, invoice_rows, …).
BENCHES = frozenset(handler.__module__ for handler in HANDLERS.values())
TABLE_OF_CONTENTS = "app.sync"

# Started by their names, `python -m workers.…` and `uvicorn app.main:…`, and imported by nobody.
STARTED = ("workers", "app.main")

LONGEST_FILE = 300
EMPTY_NAMES = {"utils", "helpers", "common", "service", "services", "manager", "base", "core"}

PATHS = sorted([*ROOT.glob("app/**/*.py"), *ROOT.glob("workers/**/*.py")])


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in PATHS}


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text())


@cache
def imports_of(module: str) -> frozenset[str]:
    """Every name that is imported anywhere in a module, inside functions too."""
    return frozenset(_imported(ast.walk(tree_of(module))))


def _imported(nodes: Iterator[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports say their whole name"
            for one in node.names:
                inner = f"{node.module}.{one.name}"
                yield inner if inner in MODULES else node.module or ""


def ours_of(module: str) -> set[str]:
    return {name for name in imports_of(module) if name in MODULES} - {module}


def is_within(module: str, place: str) -> bool:
    """Whether a module is this place or inside it; `x.__init__` is the package's own file."""
    if place.endswith(".__init__"):
        return module == place.removesuffix(".__init__")
    return place == module or (place != "app" and module.startswith(f"{place}."))


def room_of(module: str) -> str | None:
    places = [
        (len(place), room)
        for room, (members, _) in FLOOR_PLAN.items()
        for place in members.split()
        if is_within(module, place)
    ]
    return max(places)[1] if places else None


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_what_its_room_may(module: str) -> None:
    room = room_of(module)
    assert room is not None, f"{module} has no room in the floor plan"
    allowed = {room, *FLOOR_PLAN[room][1].split()}
    found = {
        f"{name} ({room_of(name)})" for name in ours_of(module) if room_of(name) not in allowed
    }
    assert not found, f"{module} is in {room}, which may import {sorted(allowed)}"


def test_the_floor_plan_has_no_way_round_and_no_empty_room() -> None:
    """A room imports only rooms above it in the table."""
    above: set[str] = set()
    for room, (_, allowed) in FLOOR_PLAN.items():
        assert set(allowed.split()) <= above, room
        above.add(room)


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_used_in_its_rooms_only(library: str) -> None:
    places = ONLY_IN[library].split()
    strangers = {
        module
        for module in MODULES
        if library in {name.partition(".")[0] for name in imports_of(module)}
        and places != ["*"]
        and room_of(module) not in places
        and not any(is_within(module, place) for place in places if place.startswith("app"))
    }
    assert not strangers, f"{library} is used in {ONLY_IN[library]} only"


def test_every_library_has_its_rooms() -> None:
    used = {name.partition(".")[0] for module in MODULES for name in imports_of(module)}
    ours = {"app", "workers"}
    assert used - ours - set(sys.stdlib_module_names) - {"__future__"} <= set(ONLY_IN)


def test_nobody_imports_a_bench_but_the_table_of_contents() -> None:
    assert set(MODULES) >= BENCHES
    inside = [module for module in MODULES if room_of(module) == "workshop"]
    found = {
        f"{module} imports {bench}"
        for module in inside
        if module != TABLE_OF_CONTENTS
        for bench in ours_of(module) & BENCHES
        if not is_within(module, bench)
    }
    assert not found


def test_nobody_imports_what_is_started_by_its_name() -> None:
    found = {
        f"{module} imports {name}"
        for module in MODULES
        for name in ours_of(module)
        for started in STARTED
        if is_within(name, started) and not is_within(module, started)
    }
    assert not found


def test_nobody_imports_the_sandbox_but_the_demo() -> None:
    found = {
        module
        for module in MODULES
        if any(is_within(name, "app.sandbox") for name in ours_of(module))
        and room_of(module) not in ("sandbox", "demo")
    }
    assert not found


def test_nobody_imports_the_tests() -> None:
    assert not [m for m in MODULES if any(is_within(name, "tests") for name in imports_of(m))]


def test_the_environment_is_read_in_settings_only() -> None:
    found = {
        module
        for module in MODULES
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Attribute | ast.alias)
        and (node.attr if isinstance(node, ast.Attribute) else node.name)
        in ("environ", "environb", "getenv", "putenv")
    }
    assert found == {"app.settings"}


def test_no_two_modules_need_each_other() -> None:
    """Whoever imports first must not matter."""
    waiting = {module: set(_at_the_top(module)) for module in MODULES}
    while free := [module for module, needs in waiting.items() if not needs & set(waiting)]:
        for module in free:
            del waiting[module]
    assert not waiting


def _at_the_top(module: str) -> set[str]:
    names = set(_imported(node for node in tree_of(module).body))
    return {name for name in names if name in MODULES} - {module}


def lines_of(module: str) -> list[str]:
    return MODULES[module].read_text().splitlines()


def test_no_file_is_longer_than_one_sitting() -> None:
    long = {
        module: len(lines_of(module))
        for module in MODULES
        if len(lines_of(module)) > LONGEST_FILE and not module.startswith("app.sandbox.")
    }
    assert not long


def test_the_drawing_of_the_rooms_names_what_there_is_and_nothing_else() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    drawn = text.partition("## Rooms")[2].split("```")[1]
    app, _, workers = drawn.partition("\nworkers/\n")
    for room, lines in (("app", app), ("workers", workers)):
        named = set(re.findall(r"(?<![\w/.])(?:[a-z_]+\.(?:py|lua)|[a-z_]+/)(?=[\s;:]|$)", lines))
        there, inside = _names((ROOT / room).glob("*")), _names((ROOT / room).rglob("*"))
        assert there - named == set(), room
        assert named - inside - {"app/"} == set(), room


def _names(paths: Iterable[Path]) -> set[str]:
    shown = (path for path in paths if not path.name.startswith(("__", ".")))
    return {path.name + ("/" if path.is_dir() else "") for path in shown}


def test_files_are_named_for_a_thing() -> None:
    assert not [module for module in MODULES if module.rpartition(".")[2] in EMPTY_NAMES]


def test_who_catches_everything_says_why_or_passes_it_on() -> None:
    found = [
        f"{module}:{node.lineno}"
        for module in MODULES
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and not isinstance(node.body[-1], ast.Raise)
        and not re.search(r"#.*[a-z]{3}.* .*[a-z]{2}", lines_of(module)[node.lineno - 1])
    ]
    assert not found


def test_a_type_that_is_ignored_says_which_error() -> None:
    found = [
        f"{module}:{number}"
        for module in MODULES
        for number, line in enumerate(lines_of(module), 1)
        if re.search(r"#\s*type:\s*ignore(?!\[[a-z-]+)", line)
    ]
    assert not found
