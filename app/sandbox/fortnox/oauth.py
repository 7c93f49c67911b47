"""`/oauth-v1`: the consent page that answers by itself, tokens, and their revocation."""

import base64
import binascii
import json
from collections.abc import Callable
from threading import RLock
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.sandbox.fortnox.tokens import SCOPES, Client, Grant, Tokens

JSON, TEXT, HTML = "application/json", "text/plain", "text/html"


class OAuth:
    def __init__(self, tokens: Tokens, tenants: Callable[[], list[str]], lock: RLock) -> None:
        self.tokens, self.tenants, self.lock = tokens, tenants, lock

    def routes(self) -> list[Route]:
        return [
            Route("/oauth-v1/auth", self.authorize, methods=["GET"]),
            Route("/oauth-v1/token", self.token, methods=["POST"]),
            Route("/oauth-v1/revoke", self.revoke, methods=["POST"]),
        ]

    async def authorize(self, request: Request) -> Response:
        query = request.query_params
        with self.lock:
            client = self.tokens.clients.get(query.get("client_id", ""))
            redirect = query.get("redirect_uri") or (client.redirect_uri if client else "")
            if client is None or not redirect or client.redirect_uri not in ("", redirect):
                return _answer(400, {"error": "invalid_client"}, HTML)
            outcome = self._consent(client, dict(query))
        outcome["state"] = query.get("state", "")
        joint = "&" if "?" in redirect else "?"
        return RedirectResponse(f"{redirect}{joint}{urlencode(outcome)}", 302)

    def _consent(self, client: Client, query: dict[str, str]) -> dict[str, str]:
        options = self.tokens.options
        scopes = query.get("scope", "").split()
        tenants = self.tenants()
        if query.get("response_type") != "code":
            return _error("unsupported_response_type", "response_type must be code")
        if not scopes or set(scopes) - (client.scopes or set(SCOPES.split())):
            return _error("invalid_scope", "The scope is not enabled for the application")
        if options.consent == "deny" or not tenants:
            return _error("access_denied", "The user denied the request")
        tenant_id = options.consenting_tenant or tenants[0]
        if query.get("account_type") == "service":
            self.tokens.consents[client.client_id, tenant_id] = " ".join(scopes)
        grant = Grant(
            client.client_id,
            tenant_id,
            " ".join(scopes),
            self.tokens.until(options.code_seconds),
            query.get("access_type") == "offline",
            query.get("redirect_uri", ""),
        )
        return {"code": self.tokens.code(grant)}

    async def token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        with self.lock:
            client = self._client(request)
            if client is None:
                return _invalid_client()
            match form.get("grant_type"):
                case "authorization_code":
                    return self._by_code(client, form)
                case "refresh_token":
                    return self._by_refresh(client, form)
                case "client_credentials":
                    return self._by_credentials(client, request.headers.get("tenantid", ""))
        return _answer(400, _error("unsupported_grant_type", "Unknown grant type"), JSON)

    def _client(self, request: Request) -> Client | None:
        kind, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            name, _, secret = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        client = self.tokens.clients.get(name)
        right = client is not None and kind.lower() == "basic" and client.secret == secret
        return client if right else None

    def _by_code(self, client: Client, form: dict[str, str]) -> Response:
        grant = self.tokens.take(self.tokens.codes, form.get("code", ""), client.client_id)
        if grant is None or grant.redirect_uri != form.get("redirect_uri", ""):
            text = "Authorization code doesn't exist or is invalid for the client"
            return _answer(400, _error("invalid_grant", text), JSON)
        return _issued(self.tokens.issue(grant, refreshable=grant.offline))

    def _by_refresh(self, client: Client, form: dict[str, str]) -> Response:
        old = form.get("refresh_token", "")
        grant = self.tokens.take(self.tokens.refresh, old, client.client_id)
        if grant is None:
            return _answer(400, _error("invalid_grant", "Invalid refresh token"), HTML)
        return _issued(self.tokens.issue(grant, refreshable=True))

    def _by_credentials(self, client: Client, tenant_id: str) -> Response:
        scopes = self.tokens.consents.get((client.client_id, tenant_id))
        options = self.tokens.options
        if scopes is None or not options.client_credentials:
            body = _error(options.no_consent_error, "No consent for the tenant")
            return _answer(options.no_consent_status, body, JSON)
        grant = Grant(client.client_id, tenant_id, scopes, self.tokens.until(0))
        issued = self.tokens.issue(grant, refreshable=False)
        if not options.token_scope:
            del issued["scope"]
        return _issued(issued)

    async def revoke(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        with self.lock:
            if self._client(request) is None:
                return _invalid_client()
            self.tokens.refresh.pop(form.get("token", ""), None)
        return _answer(200, {"revoked": True}, JSON)


def _error(error: str, description: str) -> dict[str, str]:
    return {"error": error, "error_description": description}


def _invalid_client() -> Response:
    return _answer(401, _error("invalid_client", "The client credentials are invalid"), TEXT)


def _issued(body: dict[str, object]) -> Response:
    response = _answer(200, body, JSON)
    response.headers.update({"Cache-Control": "no-store", "Pragma": "no-cache"})
    return response


def _answer(status: int, body: object, content_type: str) -> Response:
    return Response(json.dumps(body), status, media_type=content_type)
