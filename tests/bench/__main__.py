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

PARTS: dict[str, Callable[..., Rows]] = {
    "acks": acks.measure,
    "calls": calls.measure,
    "latency": latency.measure,
    "drain": drain.measure,
    "growth": growth.measure,
}


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all where none is named")
    parser.add_argument("--size", type=int, help="events, invoices or rows, instead of the usual")
    parser.add_argument("--json", type=Path, default=Path("var/bench.json"))
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


if __name__ == "__main__":
    main()
