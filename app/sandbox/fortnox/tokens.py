"""Who may do what: clients, consents, codes and the two kinds of token."""

import base64
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.sandbox.fortnox.options import FortnoxOptions

SCOPES = (
    "companyinformation customer article invoice payment project costcenter supplier"
    " supplierinvoice bookkeeping currency settings price connectfile archive inbox profile"
)


@dataclass(frozen=True)
class Client:
    client_id: str
    secret: str
    redirect_uri: str = ""  # empty: any
    scopes: frozenset[str] = frozenset()  # switched on in the portal; empty: all


@dataclass(frozen=True)
class Grant:
    """What a code or token stands for."""

    client_id: str
    tenant_id: str
    scopes: str
    expires: datetime
    offline: bool = True
    redirect_uri: str = ""


@dataclass
class Tokens:
    options: FortnoxOptions
    clients: dict[str, Client] = field(default_factory=dict)
    consents: dict[tuple[str, str], str] = field(default_factory=dict)  # (client, tenant): scopes
    codes: dict[str, Grant] = field(default_factory=dict)
    refresh: dict[str, Grant] = field(default_factory=dict)
    access: dict[str, Grant] = field(default_factory=dict)

    def code(self, grant: Grant) -> str:
        code = secrets.token_hex(16)
        self.codes[code] = grant
        return code

    def until(self, seconds: float) -> datetime:
        return self.options.clock() + timedelta(seconds=seconds)

    def issue(self, grant: Grant, *, refreshable: bool) -> dict[str, object]:
        """The answer of the token endpoint, keys in its order."""
        seconds = self.options.access_token_seconds
        access = self._access_token(grant, self.until(seconds))
        answer: dict[str, object] = {
            "access_token": access,
            "expires_in": int(seconds),
            "token_type": "bearer",
            "scope": grant.scopes,
        }
        if refreshable:
            renewed = secrets.token_hex(20)
            expires = self.until(self.options.refresh_token_seconds)
            self.refresh[renewed] = _with(grant, expires)
            answer["refresh_token"] = renewed
        return answer

    def _access_token(self, grant: Grant, expires: datetime) -> str:
        token = _jwt(grant, expires) if self.options.jwt_tokens else secrets.token_hex(20)
        self.access[token] = _with(grant, expires)
        return token

    def take(self, store: dict[str, Grant], key: str, client_id: str) -> Grant | None:
        """Uses up a code or refresh token; None: unknown, expired, or another client's."""
        grant = store.get(key)
        if grant is None or grant.client_id != client_id:
            return None
        del store[key]
        return grant if grant.expires > self.options.clock() else None

    def bearer(self, header: str) -> Grant | None:
        kind, _, token = header.partition(" ")
        grant = self.access.get(token) if kind.lower() == "bearer" else None
        return grant if grant and grant.expires > self.options.clock() else None

    def withdraw(self, client_id: str, tenant_id: str) -> None:
        """The company takes its consent back: every token of it is dead."""
        self.consents.pop((client_id, tenant_id), None)
        for store in (self.codes, self.refresh, self.access):
            for key, grant in list(store.items()):
                if (grant.client_id, grant.tenant_id) == (client_id, tenant_id):
                    del store[key]


def _with(grant: Grant, expires: datetime) -> Grant:
    return Grant(grant.client_id, grant.tenant_id, grant.scopes, expires)


def _jwt(grant: Grant, expires: datetime) -> str:
    """Looks like Fortnox's, claims and all; the signature is a random number."""
    claims = {
        "userId": 1,
        "tenantId": int(grant.tenant_id),
        "clientId": grant.client_id,
        "scopes": grant.scopes.split(),
        "scope": grant.scopes,
        "authsource": "OAUTH2",
        "jti": secrets.token_hex(8),
        "iss": "https://api.fortnox.se/oauth2",
        "aud": "fortnox.se",
        "sub": f"1@{grant.tenant_id}",
        "exp": int(expires.timestamp()),
        "token_type": "bearer",
    }
    parts = [{"typ": "JWT", "alg": "HS256"}, claims]
    signed = [_base64(json.dumps(part).encode()) for part in parts]
    return ".".join([*signed, _base64(secrets.token_bytes(32))])


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
