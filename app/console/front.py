"""The first page: is everything well, what is stuck and why, what is under way, how fast."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection as Tx
from starlette.responses import Response

from app import backfills, clock, connections, cursors, listened, processes, pulse
from app.backfills import Progress
from app.checks import coverage
from app.checks.coverage import Part
from app.connections import Connection
from app.console.visit import Here, Visit, router
from app.errors import because
from app.pulse import Cause, Day
from app.reasons import Explanation, explain
from app.worklist import TRANSFERS

routes = router()
COUNTED_EACH = timedelta(minutes=1)
WORKER_SEEN = timedelta(seconds=60)
HEALTHY = ("listened_to", "polled")
HEIGHT, WIDTH, GAP = 72, 12, 2  # of the chart's bars


@dataclass(frozen=True)
class Verdict:
    """`mood`: well, notice or trouble."""

    mood: str
    sentence: str
    more: str = ""


@dataclass(frozen=True)
class Stuck:
    cause: Cause
    told: Explanation


@dataclass(frozen=True)
class Bar:
    x: int
    through: int
    stuck: int
    day: Day


@routes.get("/")
def read_front(visit: Here) -> Response:
    with visit.desk.hall.db.reading() as tx:
        found = connections.every(tx, visit.desk.hall.vault)
        if len(found) != 1:
            standings = {one.name: pulse.standing(tx, one.name) for one in found}
            return visit.show("companies.html", found=found, standings=standings)
    return visit.go(f"/c/{found[0].name}/")


@routes.get("/c/{connection}/")
def read_start(visit: Here) -> Response:
    sheet = "start_now.html" if visit.request.headers.get("hx-request") else "start.html"
    return visit.show(sheet, **_facts(visit))


def _facts(visit: Visit) -> dict[str, Any]:
    hall, connection = visit.desk.hall, visit.connection()
    now, name = hall.clock(), connection.name
    midnight = datetime.combine(clock.today(now), datetime.min.time(), clock.STOCKHOLM)
    with hall.db.transaction() as tx:  # looking at a backfill also notes that it has ended
        causes = pulse.causes(tx, name)
        waiting = pulse.causes(tx, name, ("waiting",))
        has_worker = bool(processes.seen_since(tx, "worker", now - WORKER_SEEN))
        standing = pulse.standing(tx, name)
        facts: dict[str, Any] = {
            "standing": standing,
            "day": midnight.date(),
            "kinds": TRANSFERS,
            "today": pulse.since(tx, name, midnight),
            "bars": _bars(_days(visit, tx, name, now)),
            "to_received": pulse.speed(tx, name, "invoice"),
            "to_paid": pulse.speed(tx, name, "payment"),
            "queue": pulse.queue(tx, name, now),
            "backfills": _under_way(tx, name, now),
            "doors": _doors(visit, tx, name, now),
        }
    stopped = explain(connection.stopped, visit.tongue.language) if connection.stopped else None
    return facts | {
        "connection": connection,
        "stopped": stopped,
        "verdict": _verdict(visit, connection, standing, has_worker=has_worker),
        "stuck": [_stuck(visit, one) for one in causes],
        "waiting": [_stuck(visit, one) for one in waiting if one.code != "rate_limited"],
    }


def _verdict(
    visit: Visit, connection: Connection, standing: dict[str, int], *, has_worker: bool
) -> Verdict:
    say, count = visit.tongue.text, visit.tongue.texts
    if connection.document.missing():
        return Verdict("notice", say("This connection is not set up yet."))
    if not connection.active:
        return Verdict("notice", say("The integration is switched off. Nothing is lost meanwhile."))
    if connection.stopped:
        return Verdict("trouble", say("Nothing goes through right now."))
    if not has_worker:
        return Verdict("trouble", say("The bridge stores events, but no worker is running."))
    stuck = standing.get("blocked", 0) + standing.get("failed", 0)
    if stuck:
        sentence = count(
            "%(number)s transfer needs somebody.", "%(number)s transfers need somebody.", stuck
        )
        return Verdict("trouble", sentence, say("Everything else goes through."))
    waiting = standing.get("waiting", 0)
    if waiting:
        sentence = count(
            "All is well; %(number)s transfer waits and is tried again by itself.",
            "All is well; %(number)s transfers wait and are tried again by themselves.",
            waiting,
        )
        return Verdict("well", sentence)
    return Verdict("well", say("All is well. Everything that changed has been carried over."))


def _stuck(visit: Visit, cause: Cause) -> Stuck:
    reason = cause.example if cause.code else because("our_bug", error=cause.state)
    return Stuck(cause, explain(reason, visit.tongue.language))


def _days(visit: Visit, tx: Tx, name: str, now: datetime) -> list[Day]:
    """A month of the log is long to count; a minute's age does not show in its bars."""
    counted: dict[str, tuple[datetime, list[Day]]] = visit.request.app.state.counted
    if name not in counted or not counted[name][0] <= now < counted[name][0] + COUNTED_EACH:
        counted[name] = now, pulse.days(tx, name, now)
    return counted[name][1]


def _bars(days: Sequence[Day]) -> list[Bar]:
    most = max((one.through + one.stuck for one in days), default=0) or 1
    return [
        Bar(
            n * (WIDTH + GAP),
            round(HEIGHT * one.through / most),
            max(round(HEIGHT * one.stuck / most), 3 if one.stuck else 0),
            one,
        )
        for n, one in enumerate(days)
    ]


def _under_way(tx: Tx, name: str, now: datetime) -> list[Progress]:
    return [backfills.progress(tx, row, now) for row in pulse.backfills_under_way(tx, name)]


def _doors(visit: Visit, tx: Tx, name: str, now: datetime) -> list[dict[str, Any]]:
    """Of each side whether all of it is heard of, and since when at worst."""
    parts = coverage.look(
        cursors.every(tx, name),
        listened.standing(tx, name),
        listened.open_gaps(tx, name),
        visit.desk.hall.settings,
        now,
    )
    doors = {
        ("listener", "fortnox"): [one for one in parts if one.source == "listener"],
        ("poll", "severa"): [one for one in parts if _is_poll_of(one, "severa")],
        ("poll", "fortnox"): [one for one in parts if _is_poll_of(one, "fortnox")],
    }
    return [_door(visit, *which, some) for which, some in doors.items() if some]


def _is_poll_of(one: Part, system: str) -> bool:
    return one.source == "poll" and one.name.startswith(f"{system}:")


def _door(visit: Visit, source: str, system: str, parts: Sequence[Part]) -> dict[str, Any]:
    ill = [one for one in parts if one.reason.code not in HEALTHY]
    told = explain((ill or parts)[0].reason, visit.tongue.language)
    asked = [one.asked_at for one in parts]
    return {
        "source": source,
        "system": system,
        "well": not ill,
        "ill": len(ill),
        "many": len(parts),
        "asked_at": min((one for one in asked if one), default=None),
        "detail": f"{told.message} {told.next_step}".strip(),
    }
