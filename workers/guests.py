"""Who is to be listened to, with which token; who is refused comes back later, alone."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection as Tx
from sqlalchemy import select

from app import connections, listened, models
from app.connections import Connection
from app.documents import FortnoxAccess
from app.errors import Reason, VendorError
from app.hall import Hall
from app.sync.refusals import ending_of
from app.tokens import Token, TokenKeeper
from app.vault import CannotDecrypt
from app.worklist import LIVE
from app.workroom import Workroom

log = structlog.get_logger()

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
    def __init__(self, hall: Hall, room: Workroom) -> None:
        self._hall, self._room = hall, room
        self._refused: dict[str, Refusal] = {}

    @property
    def reasons(self) -> dict[str, Reason]:
        return {name: one.reason for name, one in self._refused.items()}

    def wanted(self) -> dict[str, Connection]:
        """The active ones; and those switched off, so that they miss nothing meanwhile."""
        with self._hall.db.reading() as tx:
            known = listened.standings(tx)
            names = list(
                tx.scalars(
                    select(models.connections.c.name).where(
                        models.connections.c.deleted_at.is_(None)
                    )
                )
            )
            found = [one for name in names if (one := self._read(tx, name)) is not None]
        wanted = {
            one.name: one
            for one in found
            if (one.active or one.name in known)
            and one.document.fortnox.client_id
            and one.document.fortnox.client_secret.get_secret_value()
        }
        for name in [*self._refused]:
            if name not in wanted or wanted[name].updated_at != self._refused[name].settings_of:
                del self._refused[name]
        return wanted

    def may_come(self, name: str) -> bool:
        refusal = self._refused.get(name)
        return refusal is None or refusal.until <= self._hall.clock()

    def bring(self, wanted: Iterable[Connection]) -> dict[str, Guest]:
        """Those who have a token; no transaction may be open."""
        guests = (self._guest(one) for one in wanted if self.may_come(one.name))
        return {guest.name: guest for guest in guests if guest is not None}

    def renew(self, guest: Guest) -> Guest | None:
        """Its token was refused: another one, or None."""
        try:
            guest.keeper.renew(guest.token.text)
            return replace(guest, token=guest.keeper.lasting(timedelta(0)))
        except VendorError as error:
            self.refuse(guest.connection, ending_of(error).reason)
            return None

    def refuse(self, connection: Connection, reason: Reason) -> None:
        name, settings_of = connection.name, connection.updated_at
        before = self._refused.get(name)
        wait = min(before.wait * 2, LONGEST_WAIT) if before else FIRST_WAIT
        self._refused[name] = Refusal(reason, settings_of, self._hall.clock() + wait, wait)
        if before is None:
            log.warning("listener.tenant_refused", connection=name, reason=reason.code)

    def welcome(self, names: Iterable[str]) -> None:
        for name in names:
            if self._refused.pop(name, None) is not None:
                log.info("listener.tenant_is_back", connection=name)

    def _guest(self, connection: Connection) -> Guest | None:
        keeper = self._room.fortnox_tokens(connection, LIVE)
        try:
            return Guest(connection, keeper, keeper.lasting(TOKEN_LIVES))
        except VendorError as error:
            self.refuse(connection, ending_of(error).reason)
            return None

    def _read(self, tx: Tx, name: str) -> Connection | None:
        try:
            return connections.find(tx, self._hall.vault, name)
        except CannotDecrypt:
            return None
