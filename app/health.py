"""Whether the process answers, whether the bridge works, and its figures."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from datetime import timedelta
from threading import Thread

from fastapi import FastAPI
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse, Response

from app import clock, connections, cursors, listened, metrics, overview, processes
from app.checks import coverage
from app.errors import BridgeError
from app.hall import Hall

PATIENCE = 2.0  # seconds a check may take
WORKER_SEEN = timedelta(seconds=60)
LONGEST_DUE = timedelta(minutes=5)


@dataclass(frozen=True)
class Finding:
    ok: bool
    detail: str


class Probe:
    """One check in a thread of its own; while it hangs, no second one is started."""

    def __init__(self, check: Callable[[], Finding]) -> None:
        self._check = check
        self._running: Future[Finding] | None = None

    async def look(self, patience: float) -> Finding:
        if self._running is None or self._running.done():
            self._running = Future()
            Thread(target=self._run, args=(self._running,), daemon=True).start()
        answer = asyncio.wrap_future(self._running)
        try:
            return await asyncio.wait_for(asyncio.shield(answer), patience)
        except TimeoutError:
            return Finding(ok=False, detail=f"no answer within {patience:g} seconds")

    def _run(self, future: Future[Finding]) -> None:
        try:
            future.set_result(self._check())
        except (SQLAlchemyError, RedisError, BridgeError, OSError) as error:
            future.set_result(Finding(ok=False, detail=f"does not answer: {type(error).__name__}"))
        except BaseException as error:
            future.set_exception(error)
            raise


def mount(app: FastAPI, hall: Hall, redis: Redis, *, patience: float = PATIENCE) -> None:
    """`/health`, `/ready`, `/metrics`; all open, and all without a word about any connection."""
    probes = {
        "database": Probe(lambda: _database(hall)),
        "redis": Probe(lambda: _redis(redis)),
        "worker": Probe(lambda: _worker(hall)),
        "backlog": Probe(lambda: _backlog(hall)),
        "coverage": Probe(lambda: _coverage(hall)),
    }

    @app.get("/health", tags=["health"])
    async def health() -> dict[str, str]:
        """200 while the process answers."""
        return {"status": "ok"}

    @app.get("/ready", tags=["health"], responses={503: {"description": "A check fails."}})
    async def ready() -> JSONResponse:
        """200 when every check is ok."""
        found = await asyncio.gather(*(probe.look(patience) for probe in probes.values()))
        checks = {name: asdict(one) for name, one in zip(probes, found, strict=True)}
        well = all(one.ok for one in found)
        answer = {"status": "ready" if well else "not ready", "checks": checks}
        return JSONResponse(answer, 200 if well else 503, headers={"Cache-Control": "no-store"})

    @app.get("/metrics", tags=["health"], response_class=Response)
    def figures() -> Response:
        """Prometheus text."""
        told = metrics.text(hall.db, redis, hall.settings.rates, hall.clock())
        return Response(told, media_type=metrics.MEDIA_TYPE)


def _database(hall: Hall) -> Finding:
    hall.db.ping()
    return Finding(ok=True, detail="answers")


def _redis(redis: Redis) -> Finding:
    redis.ping()
    return Finding(ok=True, detail="answers")


def _worker(hall: Hall) -> Finding:
    with hall.db.reading() as tx:
        seen = processes.seen_since(tx, "worker", hall.clock() - WORKER_SEEN)
    if not seen:
        return Finding(ok=False, detail="no worker has been seen within a minute")
    return Finding(ok=True, detail=f"{len(seen)} seen within a minute")


def _backlog(hall: Hall) -> Finding:
    now = hall.clock()
    with hall.db.reading() as tx:
        due = overview.backlog(tx, now)
    if due.oldest is None:
        return Finding(ok=True, detail="nothing is due")
    detail = f"{due.due} due, the oldest since {clock.iso(due.oldest)}"
    return Finding(ok=now - due.oldest <= LONGEST_DUE, detail=detail)


def _coverage(hall: Hall) -> Finding:
    """Every active connection is listened to and polled, as far as it is switched on."""
    with hall.db.reading() as tx:
        at_work = connections.at_work(tx)
        standings = listened.standings(tx)
        polls = cursors.beginning_with(tx, (coverage.POLL,))
    late = coverage.behind(at_work, standings, polls, hall.settings, hall.clock())
    detail = f"{len(late)} of {len(at_work)} connections are behind"
    return Finding(ok=not late, detail=detail)
