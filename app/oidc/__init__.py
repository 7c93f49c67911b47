"""The organisation's own log-in: OpenID Connect, authorization code with PKCE.

Sources: OpenID Connect Core 1.0 §3.1, RFC 7636 (PKCE). Nothing of what the provider says is
believed before its signature was checked, and nothing of it is written to a log.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from pydantic import JsonValue

from app.clock import Clock
from app.identity import SCOPES, Scope
from app.oidc.errors import CannotSignOn
from app.oidc.provider import Claims, Provider
from app.oidc.tokens import Wanted, believed
from app.settings import Settings

__all__ = ["CALLBACK", "Asked", "CannotSignOn", "Guest", "SignOn", "role_of"]

CALLBACK = "/log-in/oidc/callback"
NAMED_BY = ("email", "preferred_username", "name", "sub")
ANYBODY = "*"


@dataclass(frozen=True)
class Asked:
    """What this browser was sent away with; kept sealed until it comes back."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True)
class Guest:
    """`id`: made of the issuer and of what they are called there for good; `label`: for people."""

    id: str
    label: str
    scope: Scope


class SignOn:
    """Both methods call the provider, and raise CannotSignOn."""

    def __init__(self, settings: Settings, now: Clock) -> None:
        self._settings, self._now = settings, now
        self._redirect = settings.public_url.rstrip("/") + CALLBACK

    @property
    def issuer(self) -> str:
        return self._settings.oidc_issuer

    def begin(self) -> tuple[str, Asked]:
        """The address to send the browser to."""
        asked = Asked(*(secrets.token_urlsafe(32) for _ in range(3)))
        query = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": self._redirect,
            "scope": self._settings.oidc_scopes,
            "state": asked.state,
            "nonce": asked.nonce,
            "code_challenge": _challenge(asked.verifier),
            "code_challenge_method": "S256",
        }
        with Provider(self._settings) as provider:
            endpoint = provider.metadata().authorization_endpoint
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}", asked

    def finish(self, asked: Asked, code: str) -> Guest:
        """Whoever the code stands for."""
        claim = self._settings.oidc_role_claim
        with Provider(self._settings) as provider:
            metadata = provider.metadata()
            granted = provider.redeem(metadata, code, asked.verifier, self._redirect)
            claims = believed(
                granted.id_token,
                provider.keys(metadata),
                Wanted(self.issuer, self._settings.oidc_client_id, asked.nonce, self._now()),
            )
            if not values_of(claims, claim):
                claims = _of_the_same(claims, provider.about(metadata, granted))
        return self._guest(claims)

    def _guest(self, claims: Claims) -> Guest:
        scope = role_of(claims, self._settings.oidc_role_claim, self._settings.oidc_roles)
        if scope is None:
            raise CannotSignOn("nobody", "no role for whoever logged in")
        return Guest(_id(self.issuer, str(claims["sub"])), _label(claims), scope)


def role_of(claims: Claims, claim: str, roles: Mapping[Scope, frozenset[str]]) -> Scope | None:
    """The role of the highest scope that one of the claim's values is named for."""
    held = {*values_of(claims, claim), ANYBODY}
    return next((scope for scope in reversed(SCOPES) if held & roles.get(scope, frozenset())), None)


def values_of(claims: Claims, claim: str) -> list[str]:
    """A text or a list of them; `a.b` is a claim of that name, else `b` inside of `a`."""
    found: JsonValue = claims.get(claim)
    if found is None:
        found = claims
        for step in claim.split("."):
            found = found.get(step) if isinstance(found, dict) else None
    several = found if isinstance(found, list) else [found]
    return [one for one in several if isinstance(one, str)]


def _of_the_same(claims: Claims, more: Claims) -> Claims:
    """Userinfo is not signed; it counts only for the subject of the ID token."""
    if more and more.get("sub") != claims["sub"]:
        raise CannotSignOn("wrong", "userinfo about somebody else")
    return more | claims


def _label(claims: Claims) -> str:
    named = (claims.get(one) for one in NAMED_BY)
    label = next(one for one in named if isinstance(one, str) and one.strip())
    return "".join(one for one in label if one.isprintable())[:100] or "?"


def _id(issuer: str, subject: str) -> str:
    return hashlib.sha256(f"{issuer}\0{subject}".encode("utf-8", "replace")).hexdigest()[:32]


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
