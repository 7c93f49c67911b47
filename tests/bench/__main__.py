"""`python -m tests.bench`: all parts, or those that are named; a table each, and JSON of all."""

import json
import logging
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

import structlog

from tests.bench import acks, calls, drain, growth, latency
from tests.bench.figures import Rows, table
from tests.bench.plot import bars

PARTS: dict[str, Callable[..., Rows]] = {
    "acks": acks.measure,
    "calls": calls.measure,
    "latency": latency.measure,
    "drain": drain.measure,
    "growth": growth.measure,
}

PLOTS = {
    "acks": ("CPU for each event, microseconds", "cpu_us_per_event"),
    "calls": ("Calls to Severa for each record", "severa"),
    "latency": ("From answer to received, median milliseconds", "p50_ms"),
    "drain": ("Part of Fortnox's budget that was used", "of_fortnox_budget"),
    "growth": ("Time with many rows over time with few", "ratio"),
}


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all where none is named")
    parser.add_argument("--size", type=int, help="events, invoices or rows, instead of the usual")
    parser.add_argument("--json", type=Path, default=Path("var/bench.json"))
    parser.add_argument("--plots", type=Path, help="a folder for one SVG of each part")
    given = parser.parse_args()
    quiet = structlog.make_filtering_bound_logger(logging.WARNING)
    structlog.configure(wrapper_class=quiet)
    unknown = set(given.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    found = json.loads(given.json.read_text()) if given.json.exists() else {}
    given.json.parent.mkdir(parents=True, exist_ok=True)
    for name in given.parts or PARTS:
        found[name] = PARTS[name](given.size) if given.size else PARTS[name]()
        sys.stdout.write(f"{table(name, found[name])}\n\n")
        sys.stdout.flush()
        given.json.write_text(json.dumps(found, indent=2) + "\n")
    if given.plots:
        given.plots.mkdir(parents=True, exist_ok=True)
        for name, rows in found.items():
            (given.plots / f"{name}.svg").write_text(bars(PLOTS[name][0], rows, PLOTS[name][1]))


if __name__ == "__main__":
    main()
