"""An OpenID provider with memory, reached over HTTP; it can be made to lie in every way we fear."""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey

CLIENT, SECRET = "bridge", "canary-of/the+client"
BASIC = base64.b64encode(f"{CLIENT}:canary-of%2Fthe%2Bclient".encode()).decode()


@dataclass
class OidcServer:
    """`claims` replaces what an ID token says (None leaves it out); `answers` replaces a whole
    answer by path; `asked`: the paths that were asked for, in order.
    """

    now: Callable[[], datetime]
    issuer: str = ""
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "u-1", "groups": ["ledger"]})
    claims: dict[str, Any] = field(default_factory=dict)
    info: dict[str, Any] | None = None
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "ES256", "kid": "one"})
    methods: list[str] = field(default_factory=lambda: ["client_secret_basic"])
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    key: Key = field(default_factory=lambda: _key("one"))
    signs_with: Key | None = None

    def answer(self, path: str, query: dict[str, str], form: dict[str, str], auth: str) -> Any:
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            return self._metadata()
        if path == "/keys":
            return {"keys": [self.key.as_dict(private=False)]}
        if path == "/authorize":
            code = secrets.token_urlsafe(8)
            self.codes[code] = query
            return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"
        if path == "/token":
            return self._token(form, auth)
        if path == "/userinfo" and self.info is not None and auth == "Bearer canary-access":
            return self.info
        return (404, b"{}")

    def _metadata(self) -> dict[str, Any]:
        at = {"token_endpoint": "token", "jwks_uri": "keys", "authorization_endpoint": "authorize"}
        told = {name: f"{self.issuer}/{path}" for name, path in at.items()}
        info = {} if self.info is None else {"userinfo_endpoint": f"{self.issuer}/userinfo"}
        methods = {"token_endpoint_auth_methods_supported": self.methods}
        return {"issuer": self.issuer} | told | info | methods

    def _token(self, form: dict[str, str], auth: str) -> Any:
        """Each code once, to the client it was made for, with the verifier of its challenge."""
        query = self.codes.pop(form.get("code", ""), {})
        posted = form.get("client_secret") == SECRET and "client_secret_post" in self.methods
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        right = (
            query.get("code_challenge") == challenge
            and query["redirect_uri"] == form.get("redirect_uri")
            and (auth == f"Basic {BASIC}" or posted)
        )
        if not right:
            return (400, b'{"error": "invalid_grant", "error_description": "canary-described"}')
        return {"id_token": self._id_token(query["nonce"]), "access_token": "canary-access"}

    def _id_token(self, nonce: str) -> str:
        at = int(self.now().timestamp())
        said = {"iss": self.issuer, "aud": CLIENT, "iat": at, "exp": at + 300, "nonce": nonce}
        claims = {k: v for k, v in (said | self.person | self.claims).items() if v is not None}
        if self.header["alg"] == "none":
            parts = (json.dumps(one).encode() for one in (self.header, claims))
            return ".".join(base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts) + "."
        return jwt.encode(self.header, claims, self.signs_with or self.key, ["ES256", "HS256"])


def another_key() -> Key:
    return _key("one")


def shared_key() -> Key:
    return OctKey.import_key(SECRET)


def _key(kid: str) -> Key:
    return ECKey.generate_key("P-256", {"kid": kid})


@contextmanager
def oidc_server(now: Callable[[], datetime]) -> Iterator[OidcServer]:
    known = OidcServer(now)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(dict(parse_qsl(body.decode())))

        def _answer(self, form: dict[str, str]) -> None:
            at = urlsplit(self.path)
            known.asked.append(at.path)
            auth = self.headers.get("Authorization", "")
            told = known.answer(at.path, dict(parse_qsl(at.query)), form, auth)
            if isinstance(told, str):
                self.send_response(302)
                self.send_header("Location", told)
                self.end_headers()
                return
            status, body = told if isinstance(told, tuple) else (200, json.dumps(told).encode())
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    known.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield known
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
