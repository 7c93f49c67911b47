"""The invoices that stand in the transfer status, or in the error status: who is to be looked at.

The status is the queue, and needs no cursor. What is remembered of each is only whether it has
changed since it was last looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.severa.poll import stamp_of
from app.severa.schemas import Changed

COARSENESS = timedelta(seconds=1)  # of stamps, at worst; nowhere documented
Memory = dict[str, list[Any]]  # guid → [status, stamp, whether it may have been read too early]


@dataclass(frozen=True)
class Known:
    """Our row of an invoice; `began`: its last run. A change after that may not have been read."""

    state: str
    began: datetime | None
    settled: datetime | None


def look_at(
    listed: Sequence[Changed], known: Mapping[str, Known], memory: Memory, transfer: str
) -> tuple[list[Changed], Memory]:
    """Those to look at, and what to remember of all of them."""
    chosen, remembered = [], {}
    for one in listed:
        place, before = [one.status_guid, stamp_of(one)], memory.get(one.guid)
        wanted, doubtful = _judge(one, known.get(one.guid), place, before, transfer)
        if wanted:
            chosen.append(one)
        if doubtful is not None:
            remembered[one.guid] = [*place, doubtful]
    return chosen, remembered


def _judge(
    one: Changed, row: Known | None, place: list[Any], before: list[Any] | None, transfer: str
) -> tuple[bool, bool | None]:
    """(look at it, remember it as doubtful); None: do not remember it."""
    in_transfer = one.status_guid == transfer
    if row is None:
        return in_transfer, False
    if row.state in ("queued", "waiting"):
        return False, False  # they will read what stands there now
    needs_person = row.state in ("blocked", "failed")
    if not in_transfer and not needs_person:
        return False, False
    if before is not None and before[0] == place[0]:
        return _compared(place, before), False
    if _is_later(one, _seen_by(row) if in_transfer else row.settled):
        return True, False
    if row.state == "running":
        return False, None
    return False, not needs_person


def _compared(place: list[Any], before: list[Any]) -> bool:
    """It stands where it stood: changed since, or still there although it was carried over."""
    return before[1] != place[1] or bool(before[2])


def _seen_by(row: Known) -> datetime | None:
    """What was changed before this, the last run has read."""
    return row.began - COARSENESS if row.began else None


def _is_later(one: Changed, moment: datetime | None) -> bool:
    return one.last_updated is None or moment is None or one.last_updated > moment
