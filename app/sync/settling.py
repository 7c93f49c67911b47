"""How the end of a run becomes the state of its row."""

from datetime import datetime
from random import uniform

from app.errors import Blocked, Ending, NothingToDo, TryLater, because
from app.settings import GIVE_UP, Settings
from app.worklist import Item, Settlement

DONE = Settlement("done")


def settlement_of(ending: Ending, item: Item, settings: Settings, now: datetime) -> Settlement:
    if isinstance(ending, NothingToDo):
        return Settlement("skipped", ending.reason)
    if isinstance(ending, Blocked):
        return Settlement("blocked", ending.reason, waits_for=ending.waits_for)
    if isinstance(ending, TryLater) and ending.after is not None:
        return Settlement(
            "waiting",
            ending.reason,
            due_at=now + ending.after,
            waits_for=ending.waits_for,
            tries=item.tries,
            failing_since=item.failing_since,
        )
    return _by_schedule(ending, item, settings, now)


def _by_schedule(ending: Ending, item: Item, settings: Settings, now: datetime) -> Settlement:
    since = item.failing_since or now
    if now - since > GIVE_UP:
        return Settlement(
            "failed", because("gave_up", **ending.reason.facts, cause=ending.reason.code)
        )
    tries = item.tries + 1
    wait = settings.retry_wait(tries) * uniform(0.9, 1.1)  # noqa: S311 - spreads, guards nothing
    return Settlement(
        "waiting",
        ending.reason,
        due_at=now + wait,
        waits_for=ending.waits_for,
        tries=tries,
        failing_since=since,
    )
