"""Who knocks: the Standard Webhooks signature or a bearer token; all tried in constant time.

Source: the Standard Webhooks specification, `webhook-id.webhook-timestamp.body` by HMAC-SHA256.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from app.documents import Door

HEADERS = ("authorization", "webhook-id", "webhook-timestamp", "webhook-signature")
TOLERANCE = timedelta(seconds=300)
NO_MATCH = "no signature matches a secret"


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
    if not door.secrets:
        return Verdict(ok=False, failed="the source takes bearer tokens only, it has no secret")
    if not given:
        return Verdict(ok=False, failed="webhook-signature has no v1, followed by base64")
    signed = f"{message_id}.{stamp}.".encode("utf-8", "surrogateescape") + body
    matches = [
        hmac.compare_digest(hmac.digest(_key(secret.get_secret_value()), signed, "sha256"), one)
        for secret in door.secrets
        for one in given
    ]
    return GENUINE if any(matches) else Verdict(ok=False, failed=NO_MATCH)


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


@lru_cache(maxsize=1000)
def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))


def likely_cause(headers: Mapping[str, str], body: bytes, secrets: Iterable[str]) -> str:
    """For the operator, where no signature matches: the usual slip that would explain it, or ""."""
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = _signatures(headers.get("webhook-signature", ""))
    head = f"{message_id}.{stamp}.".encode("utf-8", "surrogateescape")
    for secret in secrets:
        key, bare = _key(secret), secret.removeprefix("whsec_").encode()
        slips = {
            "the secret was used as text; what follows whsec_ is base64": [
                hmac.digest(text, head + body, "sha256") for text in (bare, secret.encode())
            ],
            "the body was changed after it was signed": [
                hmac.digest(key, head + other, "sha256") for other in _rewritten(body)
            ],
            "the body alone was signed, without id and timestamp": [
                hmac.digest(key, body, "sha256")
            ],
        }
        for cause, ones in slips.items():
            if any(hmac.compare_digest(one, sent) for one in ones for sent in given):
                return cause
    return ""


def _rewritten(body: bytes) -> list[bytes]:
    """The same content as other tools would have written it."""
    found = [body.strip(), body.strip() + b"\n"]
    try:
        content = json.loads(body)
    except ValueError:
        return found
    for separators in ((",", ":"), (", ", ": ")):
        for ascii_only in (True, False):
            text = json.dumps(content, separators=separators, ensure_ascii=ascii_only)
            found.append(text.encode("utf-8", "surrogatepass"))
    return found
