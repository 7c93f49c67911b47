"""Letting the integration in: the link for Fortnox, and a look at what Severa allows."""

from collections.abc import Sequence
from typing import Protocol

from fastapi import FastAPI, Request
from pydantic import BaseModel

from app import clock, oauth
from app.api.desk import AtDesk, Desk, Who, language, router
from app.api.problems import Problem
from app.api.shapes import Explained, explained
from app.connections import Connection
from app.errors import Reason, Unauthorized, because
from app.identity import Identity
from app.invitations import Link
from app.scopes import Scopes

routes = router("connections")
NEEDED = ("fortnox.client_id", "fortnox.client_secret")
SEVERA = ("severa.client_id", "severa.client_secret")


class Notary(oauth.Notary, Protocol):
    """Opens the windows, which the doors do not."""

    def invite(self, connection: Connection, who: Identity) -> Link: ...
    def look_at_severa(self, connection: Connection) -> Scopes: ...


class ConsentLink(BaseModel):
    """To be opened by a system administrator of the Fortnox company, once."""

    url: str
    expires_at: str


class SeveraCheck(BaseModel):
    """`missing_welcome`: without these the integration works, but mends some things otherwise."""

    ok: bool
    missing: list[str]
    missing_welcome: list[str]
    reason: Explained | None


def mount(app: FastAPI, notary: Notary) -> None:
    """Beside what `api.mount` adds."""
    app.state.notary = notary
    app.include_router(routes)
    oauth.mount(app, notary)


@routes.post("/connections/{connection}/fortnox/consent")
def make_consent_link(desk: AtDesk, by: Who, request: Request, connection: str) -> ConsentLink:
    """A link by which a Fortnox administrator lets the integration in; for ten minutes."""
    notary: Notary = request.app.state.notary
    link = notary.invite(_with(desk, connection, NEEDED), by)
    return ConsentLink(url=link.url, expires_at=clock.iso(link.expires_at) or "")


@routes.post("/connections/{connection}/severa/check")
def check_severa(desk: AtDesk, request: Request, connection: str) -> SeveraCheck:
    """Whether Severa takes these credentials, and which scopes they lack; asks Severa now."""
    notary: Notary = request.app.state.notary
    found = _with(desk, connection, SEVERA)
    try:
        scopes, reason = notary.look_at_severa(found), None
    except Unauthorized as error:
        scopes = Scopes()
        reason = because("token_refused", system="severa", code=error.code, words=error.words)
    return SeveraCheck(
        ok=reason is None and not scopes.missing,
        missing=list(scopes.missing),
        missing_welcome=list(scopes.missing_welcome),
        reason=explained(reason or _lacking(scopes), language(request, found)),
    )


def _with(desk: Desk, name: str, needed: Sequence[str]) -> Connection:
    """The connection, where it has the settings that this takes; 409 with the list else."""
    with desk.hall.db.reading() as tx:
        found = desk.connection(tx, name)
    missing = [one for one in found.document.missing() if one in needed]
    if missing:
        raise Problem(409, f"Not yet set: {', '.join(missing)}.", missing=missing)
    return found


def _lacking(scopes: Scopes) -> Reason | None:
    if scopes.missing:
        return because("severa_scopes_missing", scopes=", ".join(scopes.missing))
    if scopes.missing_welcome:
        return because("severa_scopes_welcome", scopes=", ".join(scopes.missing_welcome))
    return None
