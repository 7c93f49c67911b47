"""The provider as we see it: four kinds of requests, each answer read into a model.

Sources: OpenID Connect Discovery 1.0 §4, Core 1.0 §3.1.3 and §5.3, RFC 6749 §2.3.1.
"""

from collections.abc import Mapping
from functools import cache
from ssl import SSLContext
from typing import Any, TypeVar
from urllib.parse import quote_plus, urlsplit

import httpx
from pydantic import BaseModel, Field, JsonValue, TypeAdapter, ValidationError

from app.oidc.errors import CannotSignOn, Why
from app.settings import Settings

TIMEOUT = httpx.Timeout(10, connect=5)
LARGEST_ANSWER = 1024 * 1024

Claims = dict[str, JsonValue]
CLAIMS: TypeAdapter[Claims] = TypeAdapter(Claims)
Shape = TypeVar("Shape", bound=BaseModel)


class Metadata(BaseModel):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]


class Granted(BaseModel):
    id_token: str = Field(repr=False)
    access_token: str = Field("", repr=False)


class Keys(BaseModel):
    keys: list[dict[str, Any]]


class Provider:
    """For one step of one log-in; to be closed. Everything here raises CannotSignOn."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = httpx.Client(
            verify=_trusted(), timeout=TIMEOUT, trust_env=False, follow_redirects=False
        )

    def __enter__(self) -> "Provider":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def metadata(self) -> Metadata:
        """Only of the issuer we are told to believe, and only with endpoints as safe as itself."""
        issuer = self._settings.oidc_issuer
        url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        found = _read(Metadata, self._ask("GET", url))
        if found.issuer != issuer:
            raise CannotSignOn("wrong", "the provider says that it is another issuer")
        for one in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            _be_safe(one, issuer)
        return found

    def keys(self, metadata: Metadata) -> Keys:
        return _read(Keys, self._ask("GET", metadata.jwks_uri))

    def redeem(self, metadata: Metadata, code: str, verifier: str, redirect: str) -> Granted:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect,
            "client_id": self._settings.oidc_client_id,
        }
        known, auth = self._settings.oidc_client_secret.get_secret_value(), None
        if known and "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            auth = (quote_plus(self._settings.oidc_client_id), quote_plus(known))
        elif known:
            form["client_secret"] = known
        return _read(Granted, self._ask("POST", metadata.token_endpoint, form, auth))

    def about(self, metadata: Metadata, granted: Granted) -> Claims:
        """What the provider tells of whoever logged in; empty where it does not tell."""
        if not metadata.userinfo_endpoint or not granted.access_token:
            return {}
        _be_safe(metadata.userinfo_endpoint, metadata.issuer)
        bearer = {"Authorization": f"Bearer {granted.access_token}"}
        try:
            return CLAIMS.validate_json(
                self._ask("GET", metadata.userinfo_endpoint, headers=bearer)
            )
        except ValidationError:
            raise CannotSignOn("wrong", "userinfo of another shape") from None

    def _ask(
        self,
        method: str,
        url: str,
        form: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        given = {"Accept": "application/json"} | dict(headers or {})
        try:
            with self._client.stream(method, url, data=form, auth=auth, headers=given) as answer:
                body = bytearray()
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > LARGEST_ANSWER:
                        raise CannotSignOn("wrong", "an answer without end")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CannotSignOn("silent", type(error).__name__) from None
        if answer.status_code != 200:
            why: Why = "refused" if 400 <= answer.status_code < 500 else "silent"
            raise CannotSignOn(why, f"{method} {urlsplit(url).path}: {answer.status_code}")
        return bytes(body)


@cache
def _trusted() -> SSLContext:
    """Read once: it takes longer than all the requests of a log-in."""
    return httpx.create_ssl_context(trust_env=False)


def _read(shape: type[Shape], body: bytes) -> Shape:
    """A wrong shape is said without what stood in it."""
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        fields = ", ".join(str(one["loc"][0]) if one["loc"] else "body" for one in error.errors())
        raise CannotSignOn("wrong", f"{shape.__name__} of another shape: {fields}") from None


def _be_safe(url: str, issuer: str) -> None:
    """An issuer that is reached by HTTPS sends nobody to anything less."""
    if urlsplit(url).scheme != "https" and urlsplit(issuer).scheme == "https":
        raise CannotSignOn("wrong", "an endpoint without TLS")
