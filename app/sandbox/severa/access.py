"""Clients, their tokens, and what a token may do."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import compare_digest, token_urlsafe

from app.sandbox.severa.moments import stamp
from app.sandbox.severa.problems import Problem
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World

AREAS = (
    "activities",
    "customers",
    "fees",
    "files",
    "hours",
    "invoices",
    "projects",
    "resourceallocations",
    "settings",
    "travels",
    "users",
)
ALL_SCOPES = frozenset(
    {f"{area}:{right}" for area in AREAS for right in ("read", "write", "delete")}
    | {"organization:read", "organization:write"}
)


@dataclass(frozen=True)
class Grant:
    client_id: str
    scopes: frozenset[str]
    until: datetime


def _refused(message: str, place: str = "RequestHeader", name: str = "Authorization") -> Problem:
    return Problem("AuthenticationRequired", message, place, name)


class Access:
    def __init__(self, world: World) -> None:
        self._world = world
        self._clients: dict[str, tuple[str, frozenset[str]]] = {}
        self._access: dict[str, Grant] = {}
        self._refresh: dict[str, Grant] = {}

    def add_client(self, client_id: str, secret: str, scopes: frozenset[str]) -> None:
        unknown = scopes - ALL_SCOPES
        if unknown:
            raise LookupError(f"Severa has no scope {', '.join(sorted(unknown))}.")
        self._clients[client_id] = (secret, scopes)

    def expire(self, *, refresh: bool = False) -> None:
        """All access tokens at once, as after a restart; `refresh`: those too."""
        self._access.clear()
        if refresh:
            self._refresh.clear()

    def log_in(self, client_id: str, secret: str, wanted: str) -> Record:
        known, scopes = self._clients.get(client_id, ("", frozenset()))
        if not known or not compare_digest(known.encode(), secret.encode()):
            raise _refused("Invalid client credentials.", "RequestBody", "client_id")
        asked = frozenset(filter(None, re.split(r"[\s,]+", wanted)))
        if asked - scopes:
            missing = ", ".join(sorted(asked - scopes))
            raise _refused(f"Scope not granted: {missing}.", "RequestBody", "scope")
        return self._grant(client_id, asked or scopes)

    def renew(self, token: str) -> Record:
        grant = self._refresh.pop(token, None)
        if grant is None or grant.until <= self._world.clock():
            raise _refused("The refresh token is invalid or expired.", "RequestBody", "token")
        return self._grant(grant.client_id, grant.scopes)

    def sign_out(self, token: str) -> None:
        """The access token lives on until it expires."""
        self._refresh.pop(token, None)

    def client_of(self, token: str) -> str | None:
        grant = self._access.get(token)
        return grant.client_id if grant else None

    def check(self, token: str, client_id: str | None) -> Grant:
        grant = self._access.get(token)
        if grant is None or grant.until <= self._world.clock():
            raise _refused("Access token is missing, invalid or expired.")
        if self._world.options.require_client_id and client_id != grant.client_id:
            raise _refused("The Client_Id header is missing or wrong.", name="Client_Id")
        return grant

    def need(self, grant: Grant, scope: str) -> None:
        if scope not in grant.scopes:
            status = self._world.options.missing_scope_status
            message = f"The scope {scope} is required."
            kind = "InsufficientApiScope"
            raise Problem(kind, message, "RequestHeader", "Authorization", status=status)

    def _grant(self, client_id: str, scopes: frozenset[str]) -> Record:
        options, now = self._world.options, self._world.clock()
        until = now + timedelta(seconds=options.token_lifetime)
        refresh_until = now + timedelta(seconds=options.refresh_lifetime)
        access, refresh = token_urlsafe(32), token_urlsafe(32)
        self._access[access] = Grant(client_id, scopes, until)
        self._refresh[refresh] = Grant(client_id, scopes, refresh_until)
        return {
            "access_token": access,
            "access_token_type": "Bearer",
            "access_token_expires_in": int(options.token_lifetime),
            "access_token_expires_utc": stamp(until),
            "refresh_token": refresh,
            "refresh_token_expires_in": int(options.refresh_lifetime),
            "refresh_token_expires_utc": stamp(refresh_until),
            "scope": " ".join(sorted(scopes)),
        }
