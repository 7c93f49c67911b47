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
from app.grants import Holding
from app.hall import Hall
from app.holder import Holder
from app.limits import Limits
from app.line import Line, OneToken, TokenSource
from app.mail.post import post_of
from app.severa import auth as severa_auth
from app.severa.client import Severa
from app.spending import Purse
from app.sync.sides import Registers, Sides, Together
from app.tokens import Fetch, Got, Owner, TokenKeeper, TokenStore, fingerprint
from app.worklist import LIVE, POLL

PATIENCE, POLL_PATIENCE = 60.0, 5.0  # seconds to wait for a turn; a poll comes back by itself


@dataclass
class Workroom:
    """One for each process, shared by its threads: HTTP connections, tokens, registers."""

    hall: Hall
    holder: Holder
    limits: Limits
    client: httpx.Client = field(default_factory=calls.new_client)
    registers: dict[str, Registers] = field(default_factory=dict)
    together: dict[str, Together] = field(default_factory=dict)

    def __post_init__(self) -> None:
        hall = self.hall
        self.tokens = TokenStore(hall.db, hall.vault, hall.settings.var_dir, hall.clock)

    def sides(self, connection: Connection, lane: int, *, mended: str | None = None) -> Sides:
        settings, whose = self.hall.settings, _whose(connection)
        registers = self.registers.setdefault(whose, Registers(self.hall.clock))
        if mended is not None:
            registers.forget_before(mended)
        sides = Sides(
            connection=connection,
            severa=self._severa(connection, lane),
            fortnox=self._fortnox(connection, lane),
            db=self.hall.db,
            clock=self.hall.clock,
            holder=self.holder,
            ensure=lambda kind, key: sync.ensure(sides, settings, kind, key),
            quarantine=settings.quarantine_time,
            registers=registers,
            retention=timedelta(days=settings.retention_days),
            post=post_of(settings),
            together=self.together.setdefault(whose, Together()),
            is_alone=partial(
                self.hall.directory.is_alone,
                connection.name,
                connection.document.fortnox.tenant_id,
            ),
        )
        return sides

    def fortnox_tokens(self, connection: Connection, lane: int) -> TokenKeeper:
        access, hall = connection.document.fortnox, self.hall
        secret = access.client_secret.get_secret_value()
        app = self.client, hall.settings.fortnox_auth_url, access.client_id, secret
        purse = Purse(
            hall.db,
            hall.vault,
            hall.clock,
            Holding(connection.name, access.client_id, access.tenant_id),
            by_credentials=partial(fortnox_auth.fetch, *app, access.tenant_id),
            by_refresh=partial(fortnox_auth.by_refresh, *app),
        )
        consented = str(connection.consented_at or "")  # a new consent may have given new scopes
        credentials = fingerprint(access.client_id, secret, access.tenant_id, consented)
        return self._tokens(Owner(connection.name, "fortnox", credentials), lane, purse.fetch)

    def fortnox_with(self, connection: Connection, token: str) -> Fortnox:
        line = self._line(connection.name, "fortnox", OneToken("fortnox", token), LIVE)
        return Fortnox(line, self.hall.settings.fortnox_url)

    def close(self) -> None:
        self.client.close()

    def _severa(self, connection: Connection, lane: int) -> Severa:
        access, url = connection.document.severa, self.hall.settings.severa_url
        secret = access.client_secret.get_secret_value()
        fetch = partial(severa_auth.fetch, self.client, url, access.client_id, secret)
        credentials = fingerprint(access.client_id, secret)
        tokens = self._tokens(Owner(connection.name, "severa", credentials), lane, fetch)
        return Severa(self._line(connection.name, "severa", tokens, lane), url, access.client_id)

    def _fortnox(self, connection: Connection, lane: int) -> Fortnox:
        tokens = self.fortnox_tokens(connection, lane)
        line = self._line(connection.name, "fortnox", tokens, lane)
        return Fortnox(line, self.hall.settings.fortnox_url)

    def _tokens(self, owner: Owner, lane: int, fetch: Fetch) -> TokenKeeper:
        def fetch_in_turn() -> Got:
            self.limits.wait_turn(owner.connection, owner.system, lane)  # this is a call, too
            return fetch()

        return TokenKeeper(self.tokens, owner, fetch_in_turn)

    def _line(self, name: str, system: System, tokens: TokenSource, lane: int) -> Line:
        def busy(seconds: float | None) -> None:
            pause = seconds if seconds is not None else self._window(system)
            self.limits.back_off(name, system, pause)

        def wait() -> None:
            patience = POLL_PATIENCE if lane == POLL else PATIENCE
            self.limits.wait_turn(name, system, lane, patience=patience)

        return Line(self.client, tokens, wait=wait, busy=busy)

    def _window(self, system: System) -> float:
        settings = self.hall.settings
        rate = settings.severa_rate if system == "severa" else settings.fortnox_rate
        return rate.seconds


def _whose(connection: Connection) -> str:
    """What is known of another company behind the same name is not known of this one."""
    access = connection.document
    return f"{connection.name} {access.severa.client_id} {access.fortnox.tenant_id}"
