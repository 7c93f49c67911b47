"""What one company with 10,000 waiting records costs the others, as JSON.

The same steady changes in the other companies, once without and once with it; the rates that the
vendors allow are kept to. The figure is how long a change is under way, and the ratio of the two.

    python -m tests.scale.fairness
"""

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app import worklist
from app.models import work
from app.worklist import Want
from tests.proof.torture import machine
from tests.scale.town import Life, Town, figures, town, wait_for_everybody


def measure(given: argparse.Namespace) -> dict[str, Any]:
    with town(given.companies, POLL_INTERVAL=str(given.interval)) as here:
        wait_for_everybody(here)
        busy, *others = here.names
        Life(here, others, given.rate).live(given.seconds / 3, patience=120)  # all are warm
        without = _lives(here, others, given)
        _burden(here, busy, given.records)
        with_it = _lives(here, others, given)
        waiting = _waiting(here, busy)
    return {
        "companies": given.companies,
        "records_at_first": given.records,
        "records_left": waiting,
        "without": without,
        "with": with_it,
        "ratio_of_p95": {
            where: round(with_it[where]["p95"] / without[where]["p95"], 2) for where in with_it
        },
    }


def _lives(here: Town, names: list[str], given: argparse.Namespace) -> dict[str, Any]:
    life = Life(here, names, given.rate)
    left = life.live(given.seconds, patience=120)
    if left:
        raise RuntimeError(f"{left} changes did not go through")
    return {where: figures(lags) for where, lags in life.lags.items()}


def _burden(here: Town, name: str, records: int) -> None:
    """As many customers changed in its Severa at once, each of them heard of at the door."""
    severa = here.severa(name)
    guids = [
        severa.add_customer(name=f"Kund {number}", number=100_000 + number)["guid"]
        for number in range(records)
    ]
    for first in range(0, records, 500):
        wants = [Want(name, "customer", guid) for guid in guids[first : first + 500]]
        with here.hall.db.transaction() as tx:
            worklist.enqueue(tx, wants, here.hall.clock())


def _waiting(here: Town, name: str) -> int:
    with here.hall.db.reading() as tx:
        query = select(func.count()).where(
            work.c.connection == name, work.c.kind == "customer", work.c.state == "queued"
        )
        return int(tx.scalar(query) or 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--companies", type=int, default=20)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--rate", type=float, default=2.0)
    parser.add_argument("--interval", type=float, default=10, help="seconds between two polls")
    parser.add_argument("--report", type=Path, default=Path("var/fairness.json"))
    given = parser.parse_args()
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    written = json.dumps(measure(given) | {"machine": machine()}, indent=2)
    given.report.parent.mkdir(parents=True, exist_ok=True)
    given.report.write_text(f"{written}\n")
    print(written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
