"""Opens both windows of a connection for one run; what is kept between runs is kept here."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import httpx

from app import calls, sync
from app.connections import Connection
from app.errors import System
from app.fortnox import auth as fortnox_auth
from app.fortnox.client import Fortnox
from app.hall import Hall
from app.holder import Holder
from app.limits import Limits
from app.line import Line
from app.severa import auth as severa_auth
from app.severa.client import Severa
from app.sync.sides import Registers, Sides
from app.tokens import Fetch, TokenKeeper, TokenStore
from app.worklist import POLL

PATIENCE, POLL_PATIENCE = 60.0, 5.0  # seconds to wait for a turn; a poll comes back by itself


@dataclass
class Workroom:
    """One for each process, shared by its threads: HTTP connections, tokens, registers."""

    hall: Hall
    holder: Holder
    limits: Limits
    client: httpx.Client = field(default_factory=calls.new_client)
    registers: dict[str, Registers] = field(default_factory=dict)

    def __post_init__(self) -> None:
        hall = self.hall
        self.tokens = TokenStore(hall.db, hall.vault, hall.settings.var_dir, hall.clock)

    def sides(self, connection: Connection, lane: int) -> Sides:
        settings = self.hall.settings
        sides = Sides(
            connection=connection,
            severa=self._severa(connection, lane),
            fortnox=self._fortnox(connection, lane),
            db=self.hall.db,
            clock=self.hall.clock,
            holder=self.holder,
            ensure=lambda kind, key: sync.ensure(sides, settings, kind, key),
            quarantine=timedelta(seconds=settings.quarantine),
            registers=self.registers.setdefault(connection.name, Registers(self.hall.clock)),
        )
        return sides

    def fortnox_tokens(self, connection: Connection, lane: int) -> TokenKeeper:
        access, settings = connection.document.fortnox, self.hall.settings
        fetch = partial(
            fortnox_auth.fetch,
            self.client,
            settings.fortnox_auth_url,
            access.client_id,
            access.client_secret.get_secret_value(),
            access.tenant_id,
        )
        return self._tokens(connection.name, "fortnox", lane, fetch)

    def close(self) -> None:
        self.client.close()

    def _severa(self, connection: Connection, lane: int) -> Severa:
        access, url = connection.document.severa, self.hall.settings.severa_url
        secret = access.client_secret.get_secret_value()
        fetch = partial(severa_auth.fetch, self.client, url, access.client_id, secret)
        tokens = self._tokens(connection.name, "severa", lane, fetch)
        return Severa(self._line(tokens, lane), url, access.client_id)

    def _fortnox(self, connection: Connection, lane: int) -> Fortnox:
        tokens = self.fortnox_tokens(connection, lane)
        return Fortnox(self._line(tokens, lane), self.hall.settings.fortnox_url)

    def _tokens(self, connection: str, system: System, lane: int, fetch: Fetch) -> TokenKeeper:
        def fetch_in_turn() -> tuple[str, timedelta]:
            self.limits.wait_turn(connection, system, lane)  # a call for a token is a call
            return fetch()

        return self.tokens.keeper(connection, system, fetch_in_turn)

    def _line(self, tokens: TokenKeeper, lane: int) -> Line:
        def busy(seconds: float | None) -> None:
            pause = seconds if seconds is not None else self._window(tokens.system)
            self.limits.back_off(tokens.connection, tokens.system, pause)

        def wait() -> None:
            patience = POLL_PATIENCE if lane == POLL else PATIENCE
            self.limits.wait_turn(tokens.connection, tokens.system, lane, patience=patience)

        return Line(self.client, tokens, wait=wait, busy=busy)

    def _window(self, system: System) -> float:
        settings = self.hall.settings
        rate = settings.severa_rate if system == "severa" else settings.fortnox_rate
        return rate.seconds
