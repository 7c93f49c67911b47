"""What many companies with steady events cost one installation on one machine, as JSON.

python -m tests.scale.companies --companies 200 500
"""

import argparse
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from app.sync.polls import POLLS
from tests.proof.torture import machine
from tests.scale.town import Life, Town, figures, town, wait_for_everybody

FIRST_POLLS = 150.0  # seconds


def measure(companies: int, given: argparse.Namespace) -> dict[str, Any]:
    with town(companies, workers=given.workers, POLL_INTERVAL=str(given.interval)) as here:
        joined = wait_for_everybody(here)
        print(f"{companies} companies on the socket after {joined:.1f} s", flush=True)
        _wait_for_polls(here)
        return {"companies": companies, "joined_seconds": round(joined, 1)} | _steady(
            here, given.seconds, given.rate, given.patience
        )


def _wait_for_polls(here: Town) -> None:
    """Until each has run once: the first ones fetch tokens and read whole registers."""
    deadline = time.monotonic() + FIRST_POLLS
    while here.polls() < len(here.names) * len(POLLS) and time.monotonic() < deadline:
        time.sleep(1)


def _steady(here: Town, seconds: float, rate: float, patience: float) -> dict[str, Any]:
    since, calls, polls, cpu = len(here.fortnox.events), here.calls(), here.polls(), here.cpu()
    began = time.monotonic()
    life = Life(here, here.names, rate)
    left = life.live(seconds, patience)
    passed = time.monotonic() - began
    used = {kind: now - cpu[kind] for kind, now in here.cpu().items()}
    ran = here.polls() - polls
    return {
        "changes": life.made,
        "not_through": left,
        "changes_per_second": rate,
        "seconds": round(passed, 1),
        "cores": {kind: round(each / passed, 3) for kind, each in used.items()},
        "memory_mib": here.memory(),
        "polls_per_minute": round(ran * 60 / passed),
        "milliseconds_of_cpu_per_poll": round(used["worker"] * 1000 / max(ran, 1), 1),
        "due_at_the_end": here.due(),
        "calls": dict(here.calls() - calls),
        "heard_after_seconds": figures(here.event_lags(since)),
        "through_after_seconds": {where: figures(each) for where, each in life.lags.items()},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--companies", type=int, nargs="+", default=[200, 500])
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--rate", type=float, default=2.0)
    parser.add_argument("--patience", type=float, default=180, help="seconds for the last change")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--interval", type=float, default=60, help="seconds between two polls")
    parser.add_argument("--report", type=Path, default=Path("var/companies.json"))
    given = parser.parse_args()
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    told = [measure(n, given) for n in given.companies]
    written = json.dumps({"runs": told, "machine": machine()}, indent=2)
    given.report.parent.mkdir(parents=True, exist_ok=True)
    given.report.write_text(f"{written}\n")
    print(written)
    return 0 if not any(one["not_through"] for one in told) else 1


if __name__ == "__main__":
    sys.exit(main())
