"""A backlog of one company against the exact windows of both vendors; and who waits meanwhile."""

import time

from app.worklist import BACKGROUND
from tests.bench.crew import Crew, crew
from tests.bench.figures import Row

INVOICES = 1000
BACKFILL = 150
WORKERS = (1, 2, 8)
CALLS, WINDOW = 25, 5.0  # Fortnox


def measure(invoices: int = INVOICES, workers: tuple[int, ...] = WORKERS) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for many in workers:
        with crew(many) as both:
            found[f"{many} workers"] = drained(both, invoices)
    with crew(1, severa_rate="") as fortnox_only:
        found["1 worker, Severa without a limit"] = drained(fortnox_only, invoices)
    with crew(1) as backfill:
        found["a live event during a backfill"] = served(backfill, min(invoices, BACKFILL))
    return found


def drained(crew: Crew, invoices: int) -> Row:
    guids, cpu = crew.order(invoices), crew.cpu()
    crew.want(guids)
    crew.wait([*guids, ""])  # and the one that was there before
    fortnox, severa = crew.partners.fortnox.chaos.calls, crew.partners.severa.chaos.calls
    seconds = fortnox[-1].at - fortnox[0].at
    refused = [call for call in (*fortnox, *severa) if call.status == 429]
    assert set(crew.partners.invoices_by_reference().values()) == {1}
    return {
        "invoices": invoices,
        "seconds": round(seconds, 1),
        "of_fortnox_budget": round((len(fortnox) - CALLS) / (seconds / WINDOW * CALLS), 3),
        "fortnox_calls": round(len(fortnox) / invoices, 3),
        "severa_calls": round(len(severa) / invoices, 3),
        "429": len(refused),
        "cpu_ms_per_invoice": round((crew.cpu() - cpu) / invoices * 1000, 1),
        "worker_peak_mib": round(crew.memory()),
    }


def served(crew: Crew, invoices: int) -> Row:
    """`seconds` from the commit of the event until Severa has the invoice as received."""
    waiting, (live,) = crew.order(invoices), crew.order(1)
    crew.want(waiting, BACKGROUND)
    time.sleep(2 * WINDOW)
    begun = time.time()
    crew.want([live])
    crew.wait([*waiting, live, ""])
    moved = [
        call.at
        for call in crew.partners.severa.chaos.calls
        if call.method == "PATCH" and call.path.endswith(live)
    ]
    seconds = moved[-1] - begun
    return {
        "invoices": invoices,
        "seconds": round(seconds, 2),
        "windows": round(seconds / WINDOW, 2),
    }
