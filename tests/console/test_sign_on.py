"""Log-in at the organisation, against a provider on a port of its own that can be made to lie."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import httpx2
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app import console
from app.models import audit, people, sessions
from app.oidc import CALLBACK
from tests.api.conftest import Stage
from tests.console.conftest import Guest
from tests.console.oidc_server import (
    CLIENT,
    SECRET,
    OidcServer,
    another_key,
    oidc_server,
    shared_key,
)

ROLES = {
    "configure": frozenset({"it"}),
    "operate": frozenset({"ledger"}),
    "view": frozenset({"staff"}),
}


@dataclass
class Browser:
    guest: Guest
    provider: OidcServer

    def leave(self, place: str = "/c/acme/transfers") -> str:
        """To the provider, and what that sends back: the address of the callback."""
        sent = self.guest.get(f"/log-in/oidc?next={place}")
        assert sent.status_code == 303, sent.text
        with httpx.Client(trust_env=False) as client:
            back = client.get(sent.headers["location"]).headers["location"]
        assert back.startswith(f"https://bridge.example{CALLBACK}?")
        return str(back.removeprefix("https://bridge.example"))

    def log_in(self) -> httpx2.Response:
        return self.guest.get(self.leave())

    @property
    def stage(self) -> Stage:
        return self.guest.stage

    def is_in(self) -> bool:
        return self.guest.get("/c/acme/").status_code == 200


@pytest.fixture
def browser(stage: Stage) -> Iterator[Browser]:
    stage.connect()
    with oidc_server(stage.hall.clock) as provider:
        changed = {
            "oidc_issuer": provider.issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SecretStr(SECRET),
            "oidc_roles": ROLES,
        }
        settings = stage.hall.settings.model_copy(update=changed)
        state = stage.client.app.state  # type: ignore[attr-defined]
        state.desk = replace(state.desk, hall=replace(stage.hall, settings=settings))
        console.mount(stage.client.app)  # type: ignore[arg-type]
        client = TestClient(stage.client.app, "https://bridge.example", follow_redirects=False)
        client.headers["accept-language"] = "en"
        yield Browser(Guest(stage, client), provider)


def test_who_comes_from_the_organisation_gets_the_role_of_their_groups(browser: Browser) -> None:
    assert (
        "/log-in/oidc?next=/c/acme/transfers"
        in browser.guest.get("/log-in?next=/c/acme/transfers").text
    )
    browser.provider.person |= {"email": "asa@acme.example", "name": "Åsa"}
    answer = browser.log_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/c/acme/transfers")
    assert browser.is_in()
    (row,) = browser.stage.rows(people)
    assert (row.label, row.scope, row.password) == ("asa@acme.example", "operate", "")
    assert row.seen_at == browser.stage.now
    browser.provider.person["groups"] = ["staff", "it"]
    first = browser.guest.client.cookies["session"]
    browser.guest.client.cookies.delete("session")
    browser.log_in()
    assert browser.guest.get("/accounts").status_code == 200
    browser.guest.client.cookies.set("session", first, "bridge.example")
    assert browser.guest.get("/c/acme/").status_code == 303  # the old role ended
    told = [(one.action, one.who_name, one.facts["scope"]) for one in browser.stage.rows(audit)]
    assert told == [
        ("person.added", "asa@acme.example", "operate"),
        ("person.changed", "asa@acme.example", "configure"),
    ]


def test_what_is_sent_to_the_provider_proves_who_comes_back(browser: Browser) -> None:
    sent = [urlsplit(browser.guest.get("/log-in/oidc").headers["location"]) for _ in range(2)]
    first, second = (parse_qs(one.query) for one in sent)
    assert first["scope"] == ["openid profile email"]
    assert first["code_challenge_method"] == ["S256"]
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]
        assert len(first[name][0]) >= 43
    cookie = browser.guest.get("/log-in/oidc").headers["set-cookie"].lower()
    assert all(one in cookie for one in ("httponly", "samesite=lax", "secure", "max-age=600"))


def lie(**change: Any) -> Callable[[Browser], None]:
    def tell(browser: Browser) -> None:
        for name, value in change.items():
            setattr(browser.provider, name, value)

    return tell


def long_ago(browser: Browser) -> None:
    at = int(browser.stage.now.timestamp())
    browser.provider.claims = {"iat": at - 700, "exp": at - 61}


def ahead(browser: Browser) -> None:
    at = int(browser.stage.now.timestamp())
    browser.provider.claims = {"iat": at + 61, "exp": at + 360}


def breaks(path: str, status: int, body: bytes = b"{}") -> Callable[[Browser], None]:
    return lambda browser: browser.provider.answers.update({path: (status, body)})


LIES: dict[str, tuple[Callable[[Browser], None], int]] = {
    "another issuer": (lie(claims={"iss": "https://evil.example"}), 400),
    "for another client": (lie(claims={"aud": "somebody"}), 400),
    "for several, of whom another asked": (
        lie(claims={"aud": [CLIENT, "somebody"], "azp": "somebody"}),
        400,
    ),
    "an old nonce": (lie(claims={"nonce": "another"}), 400),
    "no nonce": (lie(claims={"nonce": None}), 400),
    "nobody": (lie(claims={"sub": None}), 400),
    "for ever": (lie(claims={"exp": None}), 400),
    "over": (long_ago, 400),
    "not yet": (ahead, 400),
    "signed by another key": (lie(signs_with=another_key()), 400),
    "signed by nobody": (lie(header={"alg": "none"}), 400),
    "signed with what we know too": (
        lie(header={"alg": "HS256", "kid": "one"}, signs_with=shared_key()),
        400,
    ),
    "a key that is not there": (lie(header={"alg": "ES256", "kid": "two"}), 400),
    "no token": (breaks("/token", 200, b'{"access_token": "canary"}'), 400),
    "not JSON": (breaks("/token", 200, b"<p>canary"), 400),
    "not a token": (breaks("/token", 200, b'{"id_token": "canary.canary"}'), 400),
    "without end": (breaks("/keys", 200, b" " * 2_000_000), 400),
    "a broken provider": (breaks("/token", 503), 502),
    "a refusal": (breaks("/token", 400, b'{"error_description": "canary"}'), 403),
    "elsewhere": (breaks("/keys", 302), 502),
    "no role": (lie(person={"sub": "u-1", "groups": ["guests"]}), 403),
    "no groups": (lie(person={"sub": "u-1"}), 403),
}


TOLD = {502: "does not answer", 400: "cannot be believed", 403: ""}


def test_what_must_not_be_believed_lets_nobody_in(browser: Browser) -> None:
    """Each lie alone, from the same honest beginning; after all of them the truth still opens."""
    honest = dict(vars(browser.provider))
    for name, (tell, status) in LIES.items():
        vars(browser.provider).update(honest | {"claims": {}, "answers": {}, "codes": {}})
        browser.guest.client.app.state.patience = console.Patience()  # type: ignore[attr-defined]
        back = browser.leave()
        tell(browser)
        with capture_logs() as logs:
            answer = browser.guest.get(back)
        assert answer.status_code == status, name
        assert TOLD[status] in answer.text, name
        assert [one["event"] for one in logs] == ["console.sign_on_failed"]
        assert "canary" not in answer.text + str(logs)
        assert browser.stage.rows(sessions) == browser.stage.rows(people) == [], name
    vars(browser.provider).update(honest | {"claims": {}, "answers": {}, "codes": {}})
    assert browser.log_in().status_code == 303
    assert browser.is_in()


def test_clocks_may_differ_by_a_minute(browser: Browser) -> None:
    at = int(browser.stage.now.timestamp())
    for began, ended in ((at + 59, at + 360), (at - 300, at - 59)):
        browser.provider.claims = {"iat": began, "exp": ended}
        assert browser.log_in().status_code == 303


def test_who_logs_out_here_is_out_here(browser: Browser) -> None:
    """The organisation's own log-in goes on: only the session of this browser here ends."""
    browser.log_in()
    session = browser.guest.client.cookies["session"]
    out = browser.guest.post("/log-out")
    assert (out.status_code, out.headers["location"]) == (303, "/log-in")
    assert browser.stage.rows(sessions) == []
    browser.guest.client.cookies.set("session", session, "bridge.example")
    assert not browser.is_in()
    assert browser.log_in().status_code == 303


def test_what_comes_back_counts_once_here_and_in_time(browser: Browser) -> None:
    back = browser.leave()
    kept = browser.guest.client.cookies["signing_on"]
    browser.guest.client.cookies.clear()
    assert browser.guest.get(back).status_code == 400  # another browser
    assert "/token" not in browser.provider.asked
    later = browser.leave()
    another = browser.guest.get(later + "x")
    assert another.status_code == 400  # another state
    assert "took too long or was begun elsewhere" in another.text
    assert "signing_on" not in browser.guest.client.cookies
    back = browser.leave()
    assert browser.guest.get(f"{back}&iss=https://evil.example").status_code == 400
    browser.guest.client.cookies.set("signing_on", kept, "bridge.example")
    assert browser.guest.get(back).status_code == 400  # the cookie of another log-in
    back = browser.leave()
    browser.stage.later(minutes=10)
    assert browser.guest.get(back).status_code == 400
    assert "/token" not in browser.provider.asked
    browser.leave()
    refused = browser.guest.get(f"{CALLBACK}?error=access_denied&state=x")
    assert refused.status_code == 400
    assert browser.stage.rows(sessions) == []


def test_the_provider_may_say_no_and_may_not_write_our_log(browser: Browser) -> None:
    for error in ("access_denied", "<script>canary"):
        sent = browser.guest.get("/log-in/oidc").headers["location"]
        state = parse_qs(urlsplit(sent).query)["state"][0]
        with capture_logs() as logs:
            answer = browser.guest.get(f"{CALLBACK}?error={error}&state={state}")
        assert answer.status_code == 403
        assert "refused" in answer.text
        assert "canary" not in answer.text + str(logs)


def test_who_is_shut_out_here_stays_out_whatever_the_provider_says(browser: Browser) -> None:
    browser.log_in()
    (row,) = browser.stage.rows(people)
    at = f"/api/v1/users/{row.name}"
    assert browser.stage.client.patch(at, json={"role": "configure"}).status_code == 409
    assert browser.stage.client.patch(at, json={"disabled": True}).json()["kind"] == "oidc"
    assert not browser.is_in()
    assert browser.log_in().status_code == 403
    assert browser.guest.log_in("", row.name).status_code == 401


def test_a_silent_or_another_provider_is_said_at_once(browser: Browser) -> None:
    path = "/.well-known/openid-configuration"
    for status, body, told in (
        (500, b"", 502),
        (200, b'{"issuer": "canary"}', 400),
        (
            200,
            b'{"issuer": "https://evil.example", "authorization_endpoint": "https://e",'
            b' "token_endpoint": "https://e", "jwks_uri": "https://e"}',
            400,
        ),
    ):
        browser.provider.answers[path] = (status, body)
        answer = browser.guest.get("/log-in/oidc")
        assert answer.status_code == told
        assert "canary" not in answer.text


def test_a_secret_is_posted_where_basic_is_not_taken_and_groups_may_come_from_userinfo(
    browser: Browser,
) -> None:
    browser.provider.methods = ["client_secret_post"]
    browser.provider.person = {"sub": "u-1"}
    browser.provider.info = {"sub": "u-2", "groups": ["it"]}
    assert browser.log_in().status_code == 400  # about somebody else
    browser.provider.info = {"sub": "u-1", "groups": ["it"]}
    assert browser.log_in().status_code == 303
    assert browser.guest.get("/accounts").status_code == 200


def test_without_a_provider_there_is_no_such_log_in(guest: Guest) -> None:
    assert "/log-in/oidc" not in guest.get("/log-in").text
    assert guest.get("/log-in/oidc").headers["location"] == "/log-in"
    assert guest.get(f"{CALLBACK}?code=x&state=y").headers["location"] == "/log-in"
