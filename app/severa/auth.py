"""How a Severa access token is got: client credentials, as JSON. Source: POST /v1/token."""

from datetime import timedelta

import httpx
from pydantic import BaseModel, ValidationError

from app.calls import Ask
from app.errors import Refused, Unauthorized, Unclear
from app.severa.told import told

SCOPES = (
    "customers:read customers:write settings:read settings:write projects:read "
    "invoices:read invoices:write fees:read fees:write travels:read files:read organization:read"
)
WELCOME = "fees:delete"  # without it, a fee is taken back by a correcting one
ask = Ask("severa", told)


class Granted(BaseModel):
    access_token: str
    access_token_expires_in: int = 3600


def fetch(
    client: httpx.Client, url: str, client_id: str, client_secret: str
) -> tuple[str, timedelta]:
    """The token and how long it lives. A refusal of any kind is Unauthorized.

    Severa refuses the whole token for one scope that the credential lacks, so what can be done
    without is asked for once and then left out.
    """
    try:
        return _fetch(client, url, client_id, client_secret, f"{SCOPES} {WELCOME}")
    except Unauthorized:
        return _fetch(client, url, client_id, client_secret, SCOPES)


def _fetch(
    client: httpx.Client, url: str, client_id: str, client_secret: str, scope: str
) -> tuple[str, timedelta]:
    body = {"client_id": client_id, "client_secret": client_secret, "scope": scope}
    try:
        answer = ask(client, "POST", f"{url}/v1/token", json_body=body)
        granted = Granted.model_validate(answer.data)
    except Refused as error:
        raise Unauthorized("severa", error.words, status=error.status, code=error.code) from error
    except ValidationError as error:
        raise Unclear("severa", "a token answer of another shape") from error
    return granted.access_token, timedelta(seconds=granted.access_token_expires_in)
