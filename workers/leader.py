"""Listening as the leader: what has arrived is kept, then comes the next.

An event is kept in one commit with the mark that says how far that is. When the socket ends, the
next one starts where the marks stand. Before a token expires, or when somebody is to be added, a
second socket is opened and takes the place of the first: so it does not matter what Fortnox does
with expired tokens, or with companies that come late. The tokens it needs are fetched meanwhile by
a thread of their own: to fetch five hundred may take a minute.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app import listened, processes
from app.backoff import Backoff
from app.connections import Connection
from app.errors import CannotStore
from app.fortnox.stream import StreamLost
from app.hall import Hall
from app.locks import ProcessLock
from workers.ear import Ear, open_ear
from workers.guests import Guest, Guests

log = structlog.get_logger()

BACKOFF = Backoff(first=1.0, most=60.0)
PACE = 3.0
SAY_SECONDS = 10.0
CATCH_UP_SECONDS = 60.0
RETRY_SECONDS = 30.0
LAST_WORDS_SECONDS = 2.0  # of the old socket; what it says after that the new one says, too
WORRYING = ("listener.lost", "listener.cannot_store")


@dataclass
class Leader:
    """One reign: from the lock until it is lost or the process is to end.

    `pace`: seconds between two looks at who is to be listened to, and at the lock.
    """

    hall: Hall
    lock: ProcessLock
    guests: Guests
    ring: Callable[[int], None]
    stop: Event
    backoff: Backoff = BACKOFF
    pace: float = PACE

    def __post_init__(self) -> None:
        self._over = Event()
        self._ear: Ear | None = None
        self._state = ""
        self._tend_at = self._say_at = self._exchange_at = self._catch_up_at = 0.0
        self._fetching: Future[dict[str, Guest]] | None = None
        self._fetcher = ThreadPoolExecutor(1, thread_name_prefix="listener-tokens")
        self._wait, self._kept = 0.0, 0
        self._heart = Thread(target=self._beat, name="listener-heart", daemon=True)

    def run(self) -> None:
        self._heart.start()
        try:
            while self._reigns():
                self._once()
        finally:
            self._over.set()
            self._close()
            self._heart.join(timeout=10)
            self._fetcher.shutdown(cancel_futures=True)

    def _reigns(self) -> bool:
        return not (self.stop.is_set() or self._over.is_set())

    def _once(self) -> None:
        """One socket, from its opening to its end."""
        began = monotonic()
        self._kept = 0
        try:
            self._ear = self._open()
            if self._ear is None:
                self._change("listener.nobody")
                self._tell()
                self.stop.wait(self.pace)
                return
            while self._reigns():
                self._listen(self._ear)
        except (StreamLost, SQLAlchemyError) as error:
            self._close()
            if self._reigns():
                self._change("listener.lost", error=str(error)[:200])
                self._pause(monotonic() - began)

    def _open(self) -> Ear | None:
        self._fetching = None
        wanted = self.guests.wanted()
        present = self.guests.bring(wanted.values())
        ear = open_ear(self.hall, self.guests, present) if present else None
        if ear is not None:
            self._change("listener.listening", connections=len(ear.access))
        return ear

    def _listen(self, ear: Ear) -> None:
        frames = ear.listen(min(self.pace, 1.0))
        if frames:
            self._keep(ear, frames)
        if monotonic() >= self._tend_at:
            self._tend_at = monotonic() + self.pace
            self._tend_if_possible(ear)

    def _keep(self, ear: Ear, frames: list[bytes]) -> None:
        """Tried until it is kept: what comes later must not be marked before it."""
        while self._reigns() and self.lock.still_held():
            try:
                self.ring(ear.keep(frames))
                self._kept += len(frames)
                return
            except CannotStore as error:
                self._change("listener.cannot_store", error=str(error))
                self.stop.wait(1.0)
        self._over.set()

    def _tend_if_possible(self, ear: Ear) -> None:
        """What can be heard is heard on, even while the list of companies cannot be read."""
        try:
            self._tend(ear)
        except SQLAlchemyError as error:
            log.warning("database.away", error=type(error).__name__)

    def _tend(self, ear: Ear) -> None:
        wanted = self.guests.wanted()
        gone = [name for name in ear.access if name not in wanted]
        if gone:
            ear.remove(gone)
            log.info("listener.removed", connections=gone)
        if not ear.access:
            raise StreamLost("nobody is left on it")
        if self._fetching is not None:
            self._exchange_if_fetched(ear, self._fetching)
        elif monotonic() >= self._exchange_at:
            self._fetch_if_needed(ear, wanted)
        if monotonic() >= self._say_at:
            self._tell()

    def _fetch_if_needed(self, ear: Ear, wanted: Mapping[str, Connection]) -> None:
        new = [
            one
            for name, one in wanted.items()
            if ear.access.get(name) != one.document.fortnox and self.guests.may_come(name)
        ]
        if self.hall.clock() >= ear.good_until:
            new = [*wanted.values()]
        if new:
            self._fetching = self._fetcher.submit(self._fetch, new, [*wanted.values()])

    def _fetch(self, new: Sequence[Connection], wanted: Sequence[Connection]) -> dict[str, Guest]:
        """Everybody; nobody where none of the new ones may come in."""
        if len(new) < len(wanted) and not self.guests.bring(new):
            return {}
        return self.guests.bring(wanted)

    def _exchange_if_fetched(self, ear: Ear, fetching: "Future[dict[str, Guest]]") -> None:
        if fetching.done():
            self._fetching = None
            present = fetching.result()
            if present:
                self._exchange(ear, present)

    def _exchange(self, old: Ear, present: dict[str, Guest]) -> None:
        """The new socket is listened to before the old one is let go; some is heard twice."""
        self._exchange_at = monotonic() + RETRY_SECONDS
        old.catch_up()
        try:
            new = open_ear(self.hall, self.guests, present, still_heard=[*old.access])
        except StreamLost as error:
            log.warning("listener.not_exchanged", error=str(error)[:200])
            return
        if new is None:
            return
        self._exchange_at = 0.0
        self._ear = new
        deadline = monotonic() + LAST_WORDS_SECONDS
        with suppress(StreamLost):
            while monotonic() < deadline and (frames := old.listen(0.2)):
                self._keep(old, frames)
        old.stream.close()
        self._change("listener.listening", connections=len(new.access))

    def _tell(self) -> None:
        self._say_at = monotonic() + SAY_SECONDS
        heard = self._ear.access if self._ear is not None else {}
        refused = {name: why for name, why in self.guests.reasons.items() if name not in heard}
        with self.hall.db.transaction() as tx:
            listened.say(tx, heard, refused, self.hall.clock())
        if self._ear is not None and monotonic() >= self._catch_up_at:
            self._catch_up_at = monotonic() + CATCH_UP_SECONDS
            self._ear.catch_up()

    def _pause(self, lived: float) -> None:
        self._wait = self.backoff.after(self._wait, self.backoff.reset if self._kept else lived)
        self.stop.wait(self.backoff.spread(self._wait))

    def _close(self) -> None:
        ear, self._ear = self._ear, None
        if ear is not None:
            ear.stream.close()
            with suppress(SQLAlchemyError):  # then the next socket begins a little earlier
                ear.catch_up()

    def _change(self, state: str, **facts: object) -> None:
        """A line in the log for each change, not for each attempt."""
        now = f"{state} {facts.get('connections', '')}"
        if now != self._state:
            self._state = now
            say = log.warning if state in WORRYING else log.info
            say(state, **facts)

    def _beat(self) -> None:
        while not self._over.is_set():
            try:
                if not self.lock.still_held():
                    log.error("listener.lead_lost", process=self.lock.name)
                    break
                processes.beat(self.hall.db, self.lock.name, "listener", self.hall.clock())
            except SQLAlchemyError as error:
                log.warning("database.away", error=type(error).__name__)
            if self._over.wait(self.pace):
                return
        self._over.set()
        ear = self._ear
        if ear is not None:
            ear.stream.close()
