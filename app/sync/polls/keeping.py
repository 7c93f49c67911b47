"""What a poll has heard goes to the inbox like any event, in one commit with how far it has come.

Its bodies have the shape in which a webhook would have told the same: one table of contents leads
from both to the same row, so what is heard at several doors is carried over once.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app import cursors, figures, inbox
from app.errors import System
from app.fortnox import webhook as fortnox_webhook
from app.inbox import Heard
from app.severa import webhook as severa_webhook
from app.sync import wants
from app.sync.sides import Sides
from app.sync.wants import Follows
from app.worklist import BACKGROUND, Item

Place = dict[str, Any]
Body = dict[str, Any]
AT_ONCE = 200
MANY = 50  # more changes than people make in a minute: they must not hold up what is live


def cursor_name(key: str) -> str:
    return f"poll:{key}"


def place_of(sides: Sides, item: Item) -> Place:
    """How far this poll has come; `since` at least, from when it was planted."""
    with sides.db.reading() as tx:
        value = cursors.get(tx, sides.name, cursor_name(item.key))
    return json.loads(value) if value else {"since": sides.clock().isoformat()}


def keep(sides: Sides, item: Item, bodies: Sequence[Body], place: Place) -> None:
    system: System = "severa" if item.key.startswith("severa:") else "fortnox"
    heard = [_heard(sides, item, system, body, crowd=len(bodies)) for body in bodies]
    statuses: list[str] = []
    with sides.db.transaction() as tx:
        now = sides.clock()
        for first in range(0, len(heard), AT_ONCE):
            receipts = inbox.receive(tx, heard[first : first + AT_ONCE], now)
            statuses += [receipt.status for receipt in receipts]
        text, told = json.dumps(place), bool(heard)
        cursors.put(tx, sides.name, cursor_name(item.key), text, now, told=told)
    figures.heard(system, "poll", statuses)


def severa_event(kind: str, guid: str, stamp: str = "") -> Body:
    return {"type": kind, "data": {"guid": guid}} | ({"timestamp": stamp} if stamp else {})


def fortnox_event(topic: str, kind: str, number: str) -> Body:
    return {"topic": topic, "type": f"{kind}-v1", "entityId": number}


def _heard(sides: Sides, item: Item, system: System, body: Body, *, crowd: int) -> Heard:
    raw = json.dumps(body).encode()
    follows = _follows(sides.name, system, body)
    want = follows.want
    if want is not None and crowd > MANY:
        want = replace(want, lane=BACKGROUND)
    identity = f"{item.id}:{item.attempts}:{inbox.identity_of_body(raw)}"
    return Heard(
        sides.name,
        system,
        "poll",
        inbox.identity_of(identity),
        raw,
        body["type"],
        want,
        follows.reason,
    )


def _follows(connection: str, system: System, body: Body) -> Follows:
    if system == "severa":
        return wants.of_severa(connection, severa_webhook.read(body))
    return wants.of_fortnox(connection, fortnox_webhook.read(body))
