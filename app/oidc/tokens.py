"""Whether an ID token may be believed. Source: OpenID Connect Core 1.0 §3.1.3.7."""

from dataclasses import dataclass, field
from datetime import datetime

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.oidc.errors import CannotSignOn
from app.oidc.provider import CLAIMS, Claims, Keys

# By public keys only: never `none`, and never a key that the client knows too.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LEEWAY = 60  # seconds that two clocks may differ


@dataclass(frozen=True)
class Wanted:
    """What a token is held against."""

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    now: datetime


def believed(token: str, keys: Keys, wanted: Wanted) -> Claims:
    """What the token says. Raises CannotSignOn."""
    rules = jwt.JWTClaimsRegistry(
        int(wanted.now.timestamp()),
        LEEWAY,
        iss={"essential": True, "value": wanted.issuer},
        aud={"essential": True, "value": wanted.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": wanted.nonce},
    )
    try:
        known = KeySet.import_key_set({"keys": keys.keys})
        claims = jwt.decode(token, known, algorithms=ALGORITHMS).claims
        rules.validate(claims)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        # the library's words may quote what the token says
        raise CannotSignOn("wrong", f"the ID token: {type(error).__name__}") from None
    if claims.get("azp", wanted.client_id) != wanted.client_id:
        raise CannotSignOn("wrong", "the ID token is for somebody else")
    return CLAIMS.validate_python(claims)
