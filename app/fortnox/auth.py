"""How a Fortnox access token is got: client credentials for one company, named by TenantId.

Source: Fortnox's developer pages on client credentials; the answer's Content-Type is not to be
trusted, its JSON is.
"""

from base64 import b64encode
from datetime import timedelta

import httpx
from pydantic import BaseModel, ValidationError

from app.calls import Ask
from app.errors import Refused, Unauthorized, Unclear
from app.fortnox.told import told

ask = Ask("fortnox", told)


class Granted(BaseModel):
    access_token: str
    expires_in: int = 3600


def fetch(
    client: httpx.Client, auth_url: str, client_id: str, client_secret: str, tenant_id: str
) -> tuple[str, timedelta]:
    """The token and how long it lives. A refusal of any kind is Unauthorized."""
    basic = b64encode(f"{client_id}:{client_secret}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "TenantId": tenant_id}
    form = {"grant_type": "client_credentials"}
    try:
        answer = ask(client, "POST", f"{auth_url.rstrip('/')}/token", headers=headers, form=form)
        granted = Granted.model_validate(answer.data)
    except Refused as error:
        raise Unauthorized("fortnox", error.words, status=error.status, code=error.code) from error
    except ValidationError as error:
        raise Unclear("fortnox", "a token answer of another shape") from error
    return granted.access_token, timedelta(seconds=granted.expires_in)
