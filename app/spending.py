"""How one company's Fortnox tokens are got: by client credentials, else by its refresh token.

Asked by one process at a time (tokens.py). A refresh token is spent once, on purpose: a call that
ended without an answer is looked at again later, and what Fortnox says then is final.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from app import grants
from app.clock import Clock
from app.db import Database
from app.errors import CONSENT_LOST, Busy, NotSent, Unauthorized
from app.fortnox.auth import SPENT, Granted
from app.grants import Grant, Holding
from app.tokens import Got
from app.vault import Vault

log = structlog.get_logger()

QUIET = timedelta(seconds=60)  # how long a call that spends may still be under way


@dataclass(frozen=True)
class Purse:
    """`by_credentials` and `by_refresh` call Fortnox; their refusals are Unauthorized."""

    db: Database
    vault: Vault
    clock: Clock
    holding: Holding
    by_credentials: Callable[[], tuple[str, timedelta]]
    by_refresh: Callable[[str], Granted]

    def fetch(self) -> Got:
        grant = self._grant()
        if grant is None:
            return self.by_credentials()
        if grant.is_lost:
            raise _lost("")
        if grant.needed:
            return self._spend(grant)
        try:
            return self._by_credentials()
        except Unauthorized as error:
            log.info("token.by_refresh", connection=self.holding.connection, refused=error.code)
            return self._spend(grant)

    def _by_credentials(self) -> Got:
        """Once this is how it goes, there is no refresh token to keep."""
        text, lifetime = self.by_credentials()
        return text, lifetime, partial(grants.forget, connection=self.holding.connection)

    def _spend(self, grant: Grant, *, again: bool = True) -> Got:
        now, name, token = self.clock(), self.holding.connection, grant.refresh_token
        if grant.started_at and now < grant.started_at + QUIET:
            raise Busy("fortnox", after=(grant.started_at + QUIET - now).total_seconds())
        with self.db.transaction() as tx:
            grants.begin(tx, name, token, now)
        try:
            granted = self.by_refresh(token)
        except (Busy, NotSent):
            self._not_spent(token)
            raise
        except Unauthorized as error:
            if error.code != SPENT:
                self._not_spent(token)
                raise
            return self._when_spent(grant, error, again=again)
        keep = partial(
            grants.replace,
            vault=self.vault,
            holding=self.holding,
            spent=token,
            token=granted.refresh_token or token,
            now=self.clock(),
        )
        return granted.access_token, granted.lifetime, keep

    def _when_spent(self, grant: Grant, error: Unauthorized, *, again: bool) -> Got:
        """A new consent may have come meanwhile, or the app may do without by now."""
        stored = self._grant()
        if again and stored and stored.refresh_token != grant.refresh_token:
            return self._spend(stored, again=False)
        if grant.needed:
            try:
                return self._by_credentials()
            except Unauthorized:
                log.debug("token.no_other_way", connection=self.holding.connection)
        with self.db.transaction() as tx:
            grants.lose(tx, self.holding.connection, grant.refresh_token, self.clock())
        log.error(
            "consent.lost",
            connection=self.holding.connection,
            unanswered_since=_text(grant.started_at),
        )
        raise _lost(error.words) from error

    def _not_spent(self, token: str) -> None:
        with self.db.transaction() as tx:
            grants.not_spent(tx, self.holding.connection, token)

    def _grant(self) -> Grant | None:
        with self.db.reading() as tx:
            return grants.find(tx, self.vault, self.holding)


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _lost(words: str) -> Unauthorized:
    return Unauthorized("fortnox", words, code=CONSENT_LOST)
