"""How a Fortnox token is got: by client credentials, a consent's code, or a refresh token.

Client credentials are for one company, named by TenantId. Source: Fortnox's developer pages on
authorization; the answer's Content-Type is not to be trusted, its JSON is.
"""

from base64 import b64encode
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel, Field, ValidationError

from app.calls import PATIENT, Ask
from app.errors import Refused, Unauthorized, Unclear
from app.fortnox.told import told

SCOPES = (
    "companyinformation customer article invoice payment project costcenter supplier "
    "supplierinvoice bookkeeping currency settings price connectfile archive inbox profile"
)
SPENT = "invalid_grant"  # a code or a refresh token that is used, expired, or not ours
ask = Ask("fortnox", told)


class Granted(BaseModel):
    access_token: str = Field(repr=False)
    expires_in: int = 3600
    refresh_token: str = Field("", repr=False)

    @property
    def lifetime(self) -> timedelta:
        return timedelta(seconds=self.expires_in)


def fetch(
    client: httpx.Client, auth_url: str, client_id: str, client_secret: str, tenant_id: str
) -> tuple[str, timedelta]:
    """The token and how long it lives. A refusal of any kind is Unauthorized."""
    headers = _basic(client_id, client_secret) | {"TenantId": tenant_id}
    granted = _ask(client, auth_url, headers, {"grant_type": "client_credentials"})
    return granted.access_token, granted.lifetime


def by_code(  # noqa: PLR0913 - the call says that much
    client: httpx.Client,
    auth_url: str,
    client_id: str,
    client_secret: str,
    code: str,
    redirect_uri: str,
) -> Granted:
    """What a consent's code is exchanged for; it is good once, for ten minutes."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    return _ask(client, auth_url, _basic(client_id, client_secret), form, timeout=PATIENT)


def by_refresh(
    client: httpx.Client, auth_url: str, client_id: str, client_secret: str, refresh_token: str
) -> Granted:
    """Spends the refresh token and brings the next one."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return _ask(client, auth_url, _basic(client_id, client_secret), form, timeout=PATIENT)


def consent_address(auth_url: str, client_id: str, redirect_uri: str, state: str) -> str:
    """Where a system administrator lets us in as a service account of the company."""
    query = {
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": SCOPES,
        "state": state,
        "access_type": "offline",
        "response_type": "code",
        "account_type": "service",
    }
    return f"{auth_url.rstrip('/')}/auth?{urlencode(query)}"


def _basic(client_id: str, client_secret: str) -> dict[str, str]:
    basic = b64encode(f"{client_id}:{client_secret}".encode()).decode()
    return {"Authorization": f"Basic {basic}"}


def _ask(
    client: httpx.Client,
    auth_url: str,
    headers: dict[str, str],
    form: dict[str, str],
    **manner: Any,
) -> Granted:
    try:
        url = f"{auth_url.rstrip('/')}/token"
        answer = ask(client, "POST", url, headers=headers, form=form, **manner)
        return Granted.model_validate(answer.data)
    except Refused as error:
        raise Unauthorized("fortnox", error.words, status=error.status, code=error.code) from error
    except ValidationError as error:
        raise Unclear("fortnox", "a token answer of another shape") from error
