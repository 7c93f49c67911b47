"""Access tokens, shared by all processes: sealed in the database, renewed by one at a time."""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from sqlalchemy import Connection as Tx
from sqlalchemy import select

from app import locks
from app.clock import Clock
from app.db import Database, upsert
from app.errors import Busy, NotSent, System, Unclear
from app.models import tokens
from app.vault import CannotDecrypt, Vault

EARLY = timedelta(seconds=120)

Keep = Callable[[Tx], None]
# The token, how long it lives, and what else has to be stored in the same commit, before it is used
Got = tuple[str, timedelta] | tuple[str, timedelta, Keep]
Fetch = Callable[[], Got]


@dataclass(frozen=True)
class Token:
    text: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class Owner:
    """`credentials`: the fingerprint of what the token was got with; of others it is no good."""

    connection: str
    system: System
    credentials: str = ""

    @property
    def seal(self) -> str:
        return f"{self.connection} {self.system} {self.credentials}".rstrip()


def fingerprint(*credentials: str) -> str:
    return hashlib.sha256("\0".join(credentials).encode()).hexdigest()[:32]


class TokenStore:
    """The tokens of all connections as this process knows them."""

    def __init__(self, db: Database, vault: Vault, var_dir: Path, clock: Clock) -> None:
        self._db, self._vault, self._var_dir, self._clock = db, vault, var_dir, clock
        self._known: dict[tuple[str, str], tuple[Owner, Token]] = {}
        self._guards: defaultdict[tuple[str, str], Lock] = defaultdict(Lock)

    def keeper(
        self, connection: str, system: System, fetch: Fetch, credentials: str = ""
    ) -> "TokenKeeper":
        """`credentials`: see `fingerprint`."""
        return TokenKeeper(self, Owner(connection, system, credentials), fetch)

    def current(self, owner: Owner, fetch: Fetch) -> str:
        token = self._at_hand(owner, EARLY) or self._renewed(owner, fetch, refused=None)
        return token.text

    def renew(self, owner: Owner, fetch: Fetch, refused: str) -> str:
        return self._renewed(owner, fetch, refused).text

    def lasting(self, owner: Owner, fetch: Fetch, at_least: timedelta) -> Token:
        """One that lives that long where the vendor gives such; while it is away, the present."""
        at_hand = self._at_hand(owner, max(at_least, EARLY))
        if at_hand is not None:
            return at_hand
        token = self._renewed(owner, fetch, refused=None)
        if token.expires_at - at_least > self._clock():
            return token
        try:
            return self._renewed(owner, fetch, refused=token.text)
        except (Busy, NotSent, Unclear):
            return token

    def _at_hand(self, owner: Owner, at_least: timedelta) -> Token | None:
        whose, token = self._known.get((owner.connection, owner.system), (None, None))
        if token is None or whose != owner or token.expires_at - at_least <= self._clock():
            return None
        return token

    def _renewed(self, owner: Owner, fetch: Fetch, refused: str | None) -> Token:
        """Another thread or process may have been faster: then its token is taken."""
        place = owner.connection, owner.system
        turn = f"token {owner.connection} {owner.system}"
        mine = self._guards[place]  # so that few wait for the database's lock
        with mine, locks.alone(self._db, turn, self._var_dir):
            token = self._stored(owner)
            if token is None or token.text == refused or not self._is_good(token):
                text, lifetime, *others = fetch()
                token = Token(text, self._clock() + lifetime)
                self._store(owner, token, others)
            self._known[place] = owner, token
            return token

    def _is_good(self, token: Token) -> bool:
        return token.expires_at - EARLY > self._clock()

    def _stored(self, owner: Owner) -> Token | None:
        with self._db.reading() as tx:
            row = tx.execute(
                select(tokens).where(
                    tokens.c.connection == owner.connection, tokens.c.system == owner.system
                )
            ).one_or_none()
        if row is None:
            return None
        try:
            return Token(self._vault.open(owner.seal, row.sealed), row.expires_at)
        except CannotDecrypt:  # another one is to be had for the asking
            return None

    def _store(self, owner: Owner, token: Token, others: list[Keep]) -> None:
        values = {
            "sealed": self._vault.seal(owner.seal, token.text),
            "expires_at": token.expires_at,
            "updated_at": self._clock(),
        }
        row = {"connection": owner.connection, "system": owner.system}
        with self._db.transaction() as tx:
            statement = upsert(tx, tokens).values(row | values)
            tx.execute(
                statement.on_conflict_do_update(
                    index_elements=[tokens.c.connection, tokens.c.system], set_=values
                )
            )
            for keep in others:
                keep(tx)


@dataclass(frozen=True)
class TokenKeeper:
    """The token of one connection at one vendor, as the vendor's window asks for it."""

    store: TokenStore
    owner: Owner
    fetch: Fetch

    @property
    def connection(self) -> str:
        return self.owner.connection

    @property
    def system(self) -> System:
        return self.owner.system

    def current(self) -> str:
        return self.store.current(self.owner, self.fetch)

    def renew(self, refused: str) -> str:
        return self.store.renew(self.owner, self.fetch, refused)

    def lasting(self, at_least: timedelta) -> Token:
        return self.store.lasting(self.owner, self.fetch, at_least)
