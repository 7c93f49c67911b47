"""Who is to be listened to, with which token; who is refused comes back later, alone."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import TypeVar

import structlog

from app import listened
from app.connections import Connection
from app.documents import FortnoxAccess
from app.errors import Reason, VendorError
from app.hall import Hall
from app.sync.refusals import ending_of
from app.tokens import Token, TokenKeeper
from app.worklist import LIVE
from app.workroom import Workroom

log = structlog.get_logger()

T = TypeVar("T")
AT_ONCE = 6  # each holds up to three connections to the database
TOKEN_LIVES = timedelta(minutes=30)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=10)


@dataclass(frozen=True)
class Guest:
    connection: Connection
    keeper: TokenKeeper
    token: Token

    @property
    def name(self) -> str:
        return self.connection.name

    @property
    def access(self) -> FortnoxAccess:
        return self.connection.document.fortnox


@dataclass(frozen=True)
class Refusal:
    """`settings_of`: what was refused; with newer settings, or a new consent, it comes at once."""

    reason: Reason
    settings_of: datetime
    until: datetime
    wait: timedelta


class Guests:
    """Asked by the thread that listens, and by the one that fetches tokens meanwhile."""

    def __init__(self, hall: Hall, room: Workroom) -> None:
        self._hall, self._room, self._guard = hall, room, Lock()
        self._refused: dict[str, Refusal] = {}

    @property
    def reasons(self) -> dict[str, Reason]:
        with self._guard:
            return {name: one.reason for name, one in self._refused.items()}

    def wanted(self) -> dict[str, Connection]:
        """The active ones; and those switched off, so that they miss nothing meanwhile."""
        with self._hall.db.reading() as tx:
            known = listened.standings(tx)
        wanted = {
            one.name: one
            for one in self._hall.directory.everybody()
            if (one.active or one.name in known)
            and one.document.fortnox.client_id
            and one.document.fortnox.client_secret.get_secret_value()
        }
        with self._guard:
            for name in [*self._refused]:
                settings_of = self._refused[name].settings_of
                if name not in wanted or wanted[name].updated_at != settings_of:
                    del self._refused[name]
        return wanted

    def may_come(self, name: str) -> bool:
        with self._guard:
            refusal = self._refused.get(name)
        return refusal is None or refusal.until <= self._hall.clock()

    def bring(self, wanted: Iterable[Connection]) -> dict[str, Guest]:
        """Those who have a token; no transaction may be open."""
        return _together(self._guest, [one for one in wanted if self.may_come(one.name)])

    def renew(self, refused: Iterable[Guest]) -> dict[str, Guest]:
        """Their tokens were refused: those who got another one."""
        return _together(self._renewed, refused)

    def refuse(self, connection: Connection, reason: Reason) -> None:
        name, settings_of = connection.name, connection.updated_at
        with self._guard:
            before = self._refused.get(name)
            wait = min(before.wait * 2, LONGEST_WAIT) if before else FIRST_WAIT
            until = self._hall.clock() + wait
            self._refused[name] = Refusal(reason, settings_of, until, wait)
        if before is None:
            log.warning("listener.tenant_refused", connection=name, reason=reason.code)

    def welcome(self, names: Iterable[str]) -> None:
        for name in names:
            with self._guard:
                refused = self._refused.pop(name, None)
            if refused is not None:
                log.info("listener.tenant_is_back", connection=name)

    def _guest(self, connection: Connection) -> Guest | None:
        keeper = self._room.fortnox_tokens(connection, LIVE)
        try:
            return Guest(connection, keeper, keeper.lasting(TOKEN_LIVES))
        except VendorError as error:
            self.refuse(connection, ending_of(error).reason)
            return None

    def _renewed(self, guest: Guest) -> Guest | None:
        try:
            guest.keeper.renew(guest.token.text)
            return replace(guest, token=guest.keeper.lasting(timedelta(0)))
        except VendorError as error:
            self.refuse(guest.connection, ending_of(error).reason)
            return None


def _together(bring: Callable[[T], Guest | None], some: Iterable[T]) -> dict[str, Guest]:
    """Several at a time: each may have to wait for Fortnox."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="guests") as threads:
        found = [one for one in threads.map(bring, some) if one is not None]
    return {guest.name: guest for guest in found}
