"""Who knocks: the Standard Webhooks signature or a bearer token; all tried in constant time.

Source: the Standard Webhooks specification, `webhook-id.webhook-timestamp.body` by HMAC-SHA256.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.documents import Door

TOLERANCE = timedelta(seconds=300)


@dataclass(frozen=True)
class Verdict:
    """`failed` names the check for the operator; it is never told to who knocked."""

    ok: bool
    failed: str = ""


GENUINE = Verdict(ok=True)


def verify(
    headers: Mapping[str, str],
    body: bytes,
    door: Door,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> Verdict:
    """`headers`: names in lower case. One genuine proof is enough."""
    if not door.secrets and not door.bearer_tokens:
        return Verdict(ok=False, failed="the source is closed: it has no secret and no token")
    token = _verify_token(headers.get("authorization", ""), door)
    if token.ok or "webhook-signature" not in headers:
        return token
    return _verify_signature(headers, body, door, now, tolerance)


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`; `secret` as in the settings, `whsec_` and base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _verify_token(authorization: str, door: Door) -> Verdict:
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "bearer" or not given:
        return Verdict(ok=False, failed="neither webhook-signature nor a bearer token was sent")
    matches = [
        hmac.compare_digest(given.strip().encode(), token.get_secret_value().encode())
        for token in door.bearer_tokens
    ]
    return GENUINE if any(matches) else Verdict(ok=False, failed="no bearer token matches")


def _verify_signature(
    headers: Mapping[str, str], body: bytes, door: Door, now: datetime, tolerance: timedelta
) -> Verdict:
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id:
        return Verdict(ok=False, failed="webhook-id is missing")
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        return Verdict(ok=False, failed="webhook-timestamp is not a number of seconds")
    if abs(now.timestamp() - int(stamp)) > tolerance.total_seconds():
        return Verdict(ok=False, failed="webhook-timestamp is too far from our clock")
    given = _signatures(headers["webhook-signature"])
    signed = f"{message_id}.{stamp}.".encode("utf-8", "surrogateescape") + body
    matches = [
        hmac.compare_digest(hmac.digest(_key(secret.get_secret_value()), signed, "sha256"), one)
        for secret in door.secrets
        for one in given
    ]
    return GENUINE if any(matches) else Verdict(ok=False, failed="no signature matches a secret")


def _signatures(header: str) -> list[bytes]:
    found = []
    for part in header.split(" ")[:20]:
        version, _, value = part.partition(",")
        if version == "v1":
            try:
                found.append(base64.b64decode(value, validate=True))
            except (binascii.Error, ValueError):
                continue
    return found


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))
