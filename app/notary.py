"""Who lets us in: a Fortnox administrator by a link, and Severa by its credentials."""

import re

import structlog

from app import audit, connections, grants, invitations
from app.connections import Connection
from app.errors import Busy, NotSent, Reason, TryLater, Unauthorized, Unclear, VendorError, because
from app.fortnox import auth
from app.fortnox.auth import Granted
from app.grants import Holding
from app.identity import Identity
from app.invitations import Brought, Link, Outcome
from app.scopes import Scopes
from app.severa import auth as severa_auth
from app.worklist import LIVE
from app.workroom import Workroom

log = structlog.get_logger()

ERROR = re.compile(r"[a-z_]{1,40}", re.ASCII)


class Notary:
    def __init__(self, room: Workroom) -> None:
        self._room, self._hall = room, room.hall

    def invite(self, connection: Connection, who: Identity) -> Link:
        """The connection has the id and the secret of its Fortnox app."""
        now = self._hall.clock()
        with self._hall.db.transaction() as tx:
            state = invitations.make(tx, connection.name, now)
            audit.write(tx, who, "consent.invited", connection.name, now)
        settings, client_id = self._hall.settings, connection.document.fortnox.client_id
        url = auth.consent_address(settings.fortnox_auth_url, client_id, self._callback, state)
        log.info("consent.invited", connection=connection.name)
        return Link(url, now + invitations.LIFETIME)

    def receive(self, brought: Brought) -> Outcome:
        """Uses the link up; what is refused leaves everything as it was."""
        with self._hall.db.transaction() as tx:
            answered = invitations.use(tx, brought.state, self._hall.clock())
            name = answered.connection
            known = connections.find(tx, self._hall.vault, name) if name else None
        refused = answered.refused or _said_no(brought)
        if known is None or refused:
            return self._refused(known, refused or because("consent_link_unknown"))
        try:
            return self._admitted(known, brought)
        except (Busy, NotSent, Unclear, TryLater):
            return self._refused(known, because("consent_unanswered"))
        except Unauthorized as error:
            if error.code == auth.SPENT:
                return self._refused(known, because("consent_code_refused", words=error.words))
            return self._refused(known, because("consent_app_refused", words=error.words))
        except VendorError as error:
            return self._refused(known, because("consent_company_unread", words=error.words))

    def look_at_severa(self, connection: Connection) -> Scopes:
        """Raises Unauthorized where Severa does not know these credentials at all."""
        access, url = connection.document.severa, self._hall.settings.severa_url
        return severa_auth.scopes(
            self._room.client,
            url,
            access.client_id,
            access.client_secret.get_secret_value(),
            turn=lambda: self._room.limits.wait_turn(connection.name, "severa", LIVE),
        )

    def _admitted(self, known: Connection, brought: Brought) -> Outcome:
        access, settings = known.document.fortnox, self._hall.settings
        secret = access.client_secret.get_secret_value()
        self._room.limits.wait_turn(known.name, "fortnox", LIVE)
        app = self._room.client, settings.fortnox_auth_url, access.client_id, secret
        granted = auth.by_code(*app, brought.code, self._callback)
        company = self._room.fortnox_with(known, granted.access_token).company()
        name = company.company_name or ""
        return self._keep(known, company.database_number, name, granted, brought.origin)

    def _keep(
        self, known: Connection, tenant_id: str, name: str, granted: Granted, origin: str
    ) -> Outcome:
        """Tenant, refresh token and the new start are one commit."""
        hall, access = self._hall, known.document.fortnox
        now, holding = hall.clock(), Holding(known.name, access.client_id, tenant_id)
        with hall.db.transaction() as tx:
            held = connections.hold(tx, hall.vault, known.name)
            if held is None or held.document.fortnox.client_id != access.client_id:
                return self._refused(known, because("consent_link_unknown"))
            other = held.document.fortnox.tenant_id
            if other not in ("", tenant_id):
                facts = {"company": name, "tenant": tenant_id, "expected": other}
                return self._refused(known, because("consent_other_company", **facts))
            connections.admit(tx, hall.vault, held, tenant_id, now)
            audit.write(tx, _guest(origin), "consent.given", known.name, now, tenant=tenant_id)
            grants.forget(tx, known.name)
            if granted.refresh_token:
                grants.put(tx, hall.vault, holding, granted.refresh_token, now, needed=False)
        hall.directory.forget()
        log.info("consent.given", connection=known.name, tenant=tenant_id)
        return Outcome(known, company=name)

    def _refused(self, known: Connection | None, reason: Reason) -> Outcome:
        log.warning("consent.refused", connection=known.name if known else None, reason=reason.code)
        return Outcome(known, reason)

    @property
    def _callback(self) -> str:
        return f"{self._hall.settings.public_url.rstrip('/')}{invitations.CALLBACK}"


def _guest(origin: str) -> Identity:
    """Whoever opened the link: Fortnox knows who it was, we do not."""
    return Identity("link", "link", "Fortnox administrator", "view", origin)


def _said_no(brought: Brought) -> Reason | None:
    if brought.error == "access_denied":
        return because("consent_denied")
    if brought.error:
        shown = brought.error if ERROR.fullmatch(brought.error) else ""
        return because("consent_refused", words=shown)
    return None if brought.code else because("consent_code_missing")
