"""How a Severa access token is got: client credentials, as JSON. Source: POST /v1/token."""

import re
from collections.abc import Callable
from datetime import timedelta

import httpx
from pydantic import BaseModel, Field, ValidationError

from app.calls import Ask
from app.errors import Refused, Unauthorized, Unclear
from app.scopes import Scopes
from app.severa.told import told

SCOPES = (
    "customers:read customers:write settings:read settings:write projects:read "
    "invoices:read invoices:write fees:read fees:write travels:read files:read organization:read"
)
WELCOME = "fees:delete"  # without it, a fee is taken back by a correcting one
ask = Ask("severa", told)


class Granted(BaseModel):
    access_token: str = Field(repr=False)
    access_token_expires_in: int = 3600
    scope: str | None = None

    @property
    def listed(self) -> list[str]:
        return re.split(r"[\s,]+", self.scope or "")


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


def scopes(
    client: httpx.Client,
    url: str,
    client_id: str,
    client_secret: str,
    turn: Callable[[], None],
) -> Scopes:
    """One call where all is well, else one for each scope; `turn` is waited for before each.

    Unauthorized: the credentials themselves are refused, or are worth nothing.
    """
    wanted = [*SCOPES.split(), WELCOME]

    def lacks(*asked: str) -> list[str]:
        turn()
        granted = _ask(client, url, client_id, client_secret, " ".join(asked))
        return [one for one in asked if granted.scope and one not in granted.listed]

    try:
        missing = lacks(*wanted)
    except Unauthorized as refusal:
        missing = [one for one in wanted if _is_refused(lacks, one)]
        if len(missing) == len(wanted):
            raise refusal from None
    return Scopes(
        tuple(one for one in missing if one != WELCOME),
        tuple(one for one in missing if one == WELCOME),
    )


def _is_refused(lacks: Callable[[str], list[str]], scope: str) -> bool:
    try:
        return bool(lacks(scope))
    except Unauthorized:
        return True


def _fetch(
    client: httpx.Client, url: str, client_id: str, client_secret: str, scope: str
) -> tuple[str, timedelta]:
    granted = _ask(client, url, client_id, client_secret, scope)
    return granted.access_token, timedelta(seconds=granted.access_token_expires_in)


def _ask(client: httpx.Client, url: str, client_id: str, client_secret: str, scope: str) -> Granted:
    body = {"client_id": client_id, "client_secret": client_secret, "scope": scope}
    try:
        answer = ask(client, "POST", f"{url}/v1/token", json_body=body)
        return Granted.model_validate(answer.data)
    except Refused as error:
        raise Unauthorized("severa", error.words, status=error.status, code=error.code) from error
    except ValidationError as error:
        raise Unclear("severa", "a token answer of another shape") from error
