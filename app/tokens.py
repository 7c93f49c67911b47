"""Access tokens, shared by all processes: sealed in the database, renewed by one at a time."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from sqlalchemy import select

from app import locks
from app.clock import Clock
from app.db import Database, upsert
from app.errors import Busy, NotSent, System, Unclear
from app.models import tokens
from app.vault import CannotDecrypt, Vault

EARLY = timedelta(seconds=120)

Fetch = Callable[[], tuple[str, timedelta]]


@dataclass(frozen=True)
class Token:
    text: str = field(repr=False)
    expires_at: datetime


class TokenStore:
    """The tokens of all connections as this process knows them."""

    def __init__(self, db: Database, vault: Vault, var_dir: Path, clock: Clock) -> None:
        self._db, self._vault, self._var_dir, self._clock = db, vault, var_dir, clock
        self._known: dict[tuple[str, str], Token] = {}
        self._guards: defaultdict[tuple[str, str], Lock] = defaultdict(Lock)

    def keeper(self, connection: str, system: System, fetch: Fetch) -> "TokenKeeper":
        return TokenKeeper(self, connection, system, fetch)

    def current(self, connection: str, system: System, fetch: Fetch) -> str:
        token = self._known.get((connection, system))
        if token is None or not self._is_good(token):
            token = self._renewed(connection, system, fetch, refused=None)
        return token.text

    def renew(self, connection: str, system: System, fetch: Fetch, refused: str) -> str:
        return self._renewed(connection, system, fetch, refused).text

    def lasting(
        self, connection: str, system: System, fetch: Fetch, at_least: timedelta
    ) -> Token:
        """One that lives that long where the vendor gives such; while it is away, the present."""
        token = self._renewed(connection, system, fetch, refused=None)
        if token.expires_at - at_least > self._clock():
            return token
        try:
            return self._renewed(connection, system, fetch, refused=token.text)
        except (Busy, NotSent, Unclear):
            return token

    def _renewed(self, connection: str, system: System, fetch: Fetch, refused: str | None) -> Token:
        """Another thread or process may have been faster: then its token is taken."""
        mine = self._guards[connection, system]  # so that few wait for the database's lock
        with mine, locks.alone(self._db, f"token {connection} {system}", self._var_dir):
            token = self._stored(connection, system)
            if token is None or token.text == refused or not self._is_good(token):
                text, lifetime = fetch()
                token = Token(text, self._clock() + lifetime)
                self._store(connection, system, token)
            self._known[connection, system] = token
            return token

    def _is_good(self, token: Token) -> bool:
        return token.expires_at - EARLY > self._clock()

    def _stored(self, connection: str, system: System) -> Token | None:
        with self._db.reading() as tx:
            row = tx.execute(
                select(tokens).where(tokens.c.connection == connection, tokens.c.system == system)
            ).one_or_none()
        if row is None:
            return None
        try:
            return Token(self._vault.open(f"{connection} {system}", row.sealed), row.expires_at)
        except CannotDecrypt:  # another one is to be had for the asking
            return None

    def _store(self, connection: str, system: System, token: Token) -> None:
        now = self._clock()
        values = {
            "sealed": self._vault.seal(f"{connection} {system}", token.text),
            "expires_at": token.expires_at,
            "updated_at": now,
        }
        with self._db.transaction() as tx:
            statement = upsert(tx, tokens).values(connection=connection, system=system, **values)
            tx.execute(
                statement.on_conflict_do_update(
                    index_elements=[tokens.c.connection, tokens.c.system], set_=values
                )
            )


@dataclass(frozen=True)
class TokenKeeper:
    """The token of one connection at one vendor, as the vendor's window asks for it."""

    store: TokenStore
    connection: str
    system: System
    fetch: Fetch

    def current(self) -> str:
        return self.store.current(self.connection, self.system, self.fetch)

    def renew(self, refused: str) -> str:
        return self.store.renew(self.connection, self.system, self.fetch, refused)

    def lasting(self, at_least: timedelta) -> Token:
        return self.store.lasting(self.connection, self.system, self.fetch, at_least)
