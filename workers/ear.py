"""One open socket to Fortnox: who is on it, and how what it says is kept."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from app import cursors, figures, hearing, inbox, listened, said, tracing
from app.db import storing
from app.documents import FortnoxAccess
from app.errors import CannotStore, Invalid, because
from app.fortnox import webhook
from app.fortnox.stream import Stream, StreamLost, TokensRefused, TopicsRefused
from app.hall import Hall
from app.hearing import Hearing, Step
from app.inbox import Heard
from app.listened import Gap
from app.sync import wants
from workers.guests import Guest, Guests

log = structlog.get_logger()

TENANTS_AT_ONCE = 50  # a token is about a kilobyte, and nobody says how long a frame may be
MARGIN, SHORTEST = timedelta(minutes=5), timedelta(seconds=60)


@dataclass(frozen=True)
class Told:
    """What one frame says: an event for each connection that it belongs to, and the step."""

    heard: list[Heard]
    step: Step


class Ear:
    """`good_until`: before that, another socket with newer tokens has to take its place."""

    def __init__(
        self, hall: Hall, stream: Stream, guests: Mapping[str, Guest], tenants: Mapping[str, str]
    ) -> None:
        self._hall, self.stream = hall, stream
        self.access: dict[str, FortnoxAccess] = {one.name: one.access for one in guests.values()}
        self._tenants = dict(tenants)  # of every connection; kept for events still on their way
        self._strangers: set[str] = set()
        now = hall.clock()
        first = min(one.token.expires_at for one in guests.values())
        self.good_until = max(first - MARGIN, now + SHORTEST)

    def begin(self, still_heard: Collection[str]) -> None:
        """`still_heard`: those on another socket that has been listened to until now."""
        topics, now = wants.topics(), self._hall.clock()
        with self._hall.db.reading() as tx:
            marks = hearing.known(tx, topics)
            before = listened.standings(tx)
        self.hearing = Hearing(marks, self.access, topics, now)
        starts = _add_topics(self.stream, self.hearing.starts)
        self.stream.subscribe()
        gaps = [
            gap
            for name in self.access
            if name in before and name not in still_heard
            for gap in _gaps(name, before[name].heard_at, starts, now)
        ]
        with self._hall.db.transaction() as tx:
            cursors.put_all(tx, self.hearing.entries(), now)
            listened.missed(tx, gaps, now)
            listened.say(tx, self.access, {}, now)
        for name in sorted({gap.connection for gap in gaps}):
            mine = [gap for gap in gaps if gap.connection == name]
            log.error(
                "listener.gap",
                connection=name,
                topics=[gap.topic for gap in mine],
                since=min(gap.since for gap in mine).isoformat(),
            )

    def listen(self, timeout: float) -> list[bytes]:
        return self.stream.events(timeout)

    def keep(self, frames: Sequence[bytes]) -> int:
        """Kept and marked in one commit; answers how many events were new. CannotStore: none."""
        told = [one for frame in frames if (one := self._read(frame)) is not None]
        try:
            return self._store(told)
        except CannotStore as error:
            if not error.is_about_content:
                raise
            return sum(self._store_alone(one) for one in told)

    def catch_up(self) -> None:
        """Brings the marks along of those whom nothing was about."""
        with self._hall.db.transaction() as tx:
            cursors.put_all(tx, self.hearing.behind(), self._hall.clock())
        self.hearing.caught_up()

    def remove(self, names: Iterable[str]) -> None:
        gone = [name for name in names if name in self.access]
        left = {self._tenants[name] for name in self.access if name not in gone}
        numbers = sorted({self._tenants[name] for name in gone} - left)
        if numbers:
            self.stream.remove_tenants(numbers)
        for name in gone:
            del self.access[name]
            self.hearing.members.discard(name)

    def _store(self, told: Sequence[Told]) -> int:
        heard = [one for each in told for one in each.heard]
        with tracing.span("hear"), storing(), self._hall.db.transaction() as tx:
            now = self._hall.clock()
            receipts = inbox.receive(tx, heard, now)
            cursors.put_all(tx, self.hearing.heard([each.step for each in told]), now)
        self.hearing.kept()
        statuses = [receipt.status for receipt in receipts]
        figures.heard("fortnox", "listener", statuses)
        return statuses.count("accepted")

    def _store_alone(self, told: Told) -> int:
        try:
            return self._store([told])
        except CannotStore as error:
            if not error.is_about_content:
                raise
            log.error("listener.unstorable", topic=told.step.topic, offset=told.step.offset)  # noqa: TRY400
            return 0

    def _read(self, frame: bytes) -> Told | None:
        try:
            content = said.read_json(frame)
            tenant = said.text(content, "tenantId")
            event = webhook.read(content)
        except Invalid as error:
            log.error("listener.unreadable", field=error.field, message=error.message)  # noqa: TRY400
            return None
        owners = tuple(name for name, number in self._tenants.items() if number == tenant)
        if not owners and tenant not in self._strangers:
            self._strangers.add(tenant)
            log.warning("listener.stranger", tenant=tenant)
        own = inbox.identity_of(event.identity) if event.identity else ""
        identity = own or inbox.identity_of_body(frame)
        heard = []
        for name in owners:
            follows = wants.of_fortnox(name, event)
            heard.append(
                Heard(
                    connection=name,
                    source="fortnox",
                    door="listener",
                    identity=identity,
                    body=frame,
                    type=event.type,
                    want=follows.want,
                    reason=follows.reason,
                )
            )
        return Told(heard, Step(event.topic, event.offset, _made_at(content), owners))


def open_ear(
    hall: Hall, guests: Guests, present: dict[str, Guest], still_heard: Collection[str] = ()
) -> Ear | None:
    """None: nobody came in. StreamLost: try again later. `still_heard`: see `Ear.begin`."""
    stream = Stream(hall.settings.fortnox_websocket_url)
    try:
        inside, tenants = _enter(stream, guests, present)
        if not inside:
            stream.close()
            return None
        ear = Ear(hall, stream, inside, tenants)
        ear.begin(still_heard)
    except BaseException:
        stream.close()
        raise
    guests.welcome(inside)
    return ear


def _enter(
    stream: Stream, guests: Guests, present: Mapping[str, Guest]
) -> tuple[dict[str, Guest], dict[str, str]]:
    """Client by client; whoever's token is refused twice stays outside, and nobody else."""
    inside: dict[str, Guest] = {}
    tenants: dict[str, str] = {}
    by_client: dict[str, dict[str, Guest]] = {}
    for guest in present.values():
        secret = guest.access.client_secret.get_secret_value()
        by_client.setdefault(secret, {})[guest.name] = guest
    for secret, group in by_client.items():
        found = _enter_together(stream, guests, secret, group)
        for name, guest in group.items():
            number = found.get(guest.token.text, guest.access.tenant_id)
            if not number:
                raise StreamLost("an accepted token is missing in the answer")
            inside[name], tenants[name] = guest, number
    return inside, tenants


def _enter_together(
    stream: Stream, guests: Guests, secret: str, group: dict[str, Guest]
) -> dict[str, str]:
    """Leaves in `group` who is inside; answers the tenants by token."""
    found: dict[str, str] = {}
    names = list(group)
    for first in range(0, len(names), TENANTS_AT_ONCE):
        some = {name: group.pop(name) for name in names[first : first + TENANTS_AT_ONCE]}
        found |= _enter_some(stream, guests, secret, some)
        group |= some
    return found


def _enter_some(
    stream: Stream, guests: Guests, secret: str, group: dict[str, Guest]
) -> dict[str, str]:
    renewed: set[str] = set()
    while group:
        try:
            return stream.add_tenants(secret, [one.token.text for one in group.values()])
        except TokensRefused as error:
            refused = [one for one in group.values() if one.token.text in error.tokens]
            for guest in refused:
                del group[guest.name]
                if guest.name in renewed:
                    reason = because("token_refused", system="fortnox", code="", words="")
                    guests.refuse(guest.connection, reason)
            again = guests.renew([one for one in refused if one.name not in renewed])
            renewed |= again.keys()
            group |= again
    return {}


def _add_topics(stream: Stream, wanted: Mapping[str, str | None]) -> dict[str, str | None]:
    """Where each topic really starts: an offset that is refused is given up, then the topic."""
    starts = dict(wanted)
    while starts:
        try:
            stream.add_topics(starts)
        except TopicsRefused as error:
            for topic in error.topics:
                log.error("listener.topic_refused", topic=topic, offset=starts[topic])  # noqa: TRY400
                if starts[topic]:
                    starts[topic] = None
                else:
                    del starts[topic]
        else:
            return starts
    raise StreamLost("every topic was refused")


def _gaps(
    name: str,
    heard_at: datetime | None,
    starts: Mapping[str, str | None],
    now: datetime,
) -> list[Gap]:
    if heard_at is None:
        return []
    if now - heard_at > listened.KEPT:
        return [Gap(name, topic, heard_at, now - listened.KEPT) for topic in starts]
    return [Gap(name, topic, heard_at, now) for topic, offset in starts.items() if not offset]


def _made_at(content: dict[str, Any]) -> datetime | None:
    try:
        made_at = datetime.fromisoformat(str(content.get("timestamp")))
    except ValueError:
        return None
    return made_at if made_at.tzinfo else None
