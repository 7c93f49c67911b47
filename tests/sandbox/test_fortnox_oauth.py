"""Tokens of the Fortnox sandbox, and what a call without the right one gets."""

import base64
import json
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.sandbox.fortnox import SCOPES
from tests.sandbox.fortnox_client import company

AUTH = ("app", "secret")


def code_of(c, **query):
    asked = {
        "client_id": "app",
        "redirect_uri": "http://127.0.0.1/done",
        "scope": "invoice customer",
        "state": "s1",
        "response_type": "code",
        "access_type": "offline",
        **query,
    }
    answer = httpx.get(f"{c.url}/oauth-v1/auth", params=asked)
    assert answer.status_code == 302
    found = {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert found.pop("state") == "s1"
    return found


def token(c, auth=AUTH, headers=None, **form):
    return httpx.post(f"{c.url}/oauth-v1/token", data=form, auth=auth, headers=headers)


def by_code(c, code):
    return token(
        c, grant_type="authorization_code", code=code, redirect_uri="http://127.0.0.1/done"
    )


def test_a_code_works_once_and_gives_a_token_that_names_its_tenant():
    with company() as c:
        code = code_of(c)["code"]
        answer = by_code(c, code)
        assert list(answer.json()) == [
            "access_token", "expires_in", "token_type", "scope", "refresh_token",
        ]  # fmt: skip
        assert answer.headers["cache-control"] == "no-store"
        claims = answer.json()["access_token"].split(".")[1]
        assert json.loads(base64.urlsafe_b64decode(claims + "=="))["tenantId"] == 654896
        again = by_code(c, code)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("query", "error"),
    [({"scope": "nonsense"}, "invalid_scope"), ({"response_type": "token"}, "unsupported_")],
)
def test_a_consent_that_cannot_be_given_says_so_at_the_redirect(query, error):
    with company() as c:
        assert code_of(c, **query)["error"].startswith(error)


def test_a_person_may_say_no():
    with company(consent="deny") as c:
        assert code_of(c)["error"] == "access_denied"


def test_refresh_tokens_rotate_and_the_used_one_is_dead_but_not_its_successor():
    with company() as c:
        first = by_code(c, code_of(c)["code"]).json()["refresh_token"]
        second = token(c, grant_type="refresh_token", refresh_token=first).json()["refresh_token"]
        replay = token(c, grant_type="refresh_token", refresh_token=first)
        assert replay.json() == {
            "error": "invalid_grant",
            "error_description": "Invalid refresh token",
        }
        assert replay.headers["content-type"].startswith("text/html")
        assert token(c, grant_type="refresh_token", refresh_token=second).status_code == 200


def test_client_credentials_need_a_consent_and_give_no_refresh_token():
    with company() as c:
        answer = token(c, headers={"TenantId": "654896"}, grant_type="client_credentials")
        assert answer.json()["scope"] == SCOPES
        assert "refresh_token" not in answer.json()
        stranger = token(c, headers={"TenantId": "1"}, grant_type="client_credentials")
        assert (stranger.status_code, stranger.json()["error"]) == (400, "invalid_grant")
        c.fortnox.withdraw_consent("app", "654896")
        gone = token(c, headers={"TenantId": "654896"}, grant_type="client_credentials")
        assert gone.status_code == 400
        assert c.http.get("/3/me").status_code == 401


def test_consent_as_a_service_account_opens_for_client_credentials():
    with company() as c:
        c.fortnox.withdraw_consent("app", "654896")
        code_of(c, account_type="service")
        answer = token(c, headers={"TenantId": "654896"}, grant_type="client_credentials")
        assert answer.json()["scope"] == "invoice customer"


def test_a_wrong_secret_is_a_401_in_plain_text():
    with company() as c:
        answer = token(c, auth=("app", "wrong"), grant_type="client_credentials")
        assert answer.status_code == 401
        assert answer.headers["content-type"].startswith("text/plain")
        assert json.loads(answer.text)["error"] == "invalid_client"


def test_revoking_says_yes_to_anything():
    with company() as c:
        first = by_code(c, code_of(c)["code"]).json()["refresh_token"]
        for each in (first, "random"):
            answer = httpx.post(f"{c.url}/oauth-v1/revoke", data={"token": each}, auth=AUTH)
            assert answer.json() == {"revoked": True}
        assert token(c, grant_type="refresh_token", refresh_token=first).status_code == 400


def test_expired_tokens_are_unauthorized_without_error_information():
    with company() as c:
        c.get("/3/me")
        c.fortnox.expire_tokens()
        answer = c.http.get("/3/me")
        assert (answer.status_code, answer.json()) == (401, {"message": "unauthorized"})


def test_tokens_live_as_long_as_they_are_set_to():
    with company(access_token_seconds=0) as c:
        answer = token(c, headers={"TenantId": "654896"}, grant_type="client_credentials")
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert httpx.get(f"{c.url}/3/me", headers=headers).status_code == 401


@pytest.mark.parametrize("status", [400, 403])
def test_a_missing_scope_and_a_lost_licence_have_their_codes(status):
    with company(permission_status=status) as c:
        weak = c.fortnox.access_token("app", "654896", "customer")
        headers = {"Authorization": f"Bearer {weak}"}
        answer = httpx.get(f"{c.url}/3/invoices", headers=headers)
        assert answer.status_code == status
        assert answer.json()["ErrorInformation"]["code"] == 2000663
        c.tenant.lose_licence("project")
        assert c.refused("GET", "/3/projects", status=status) == 2001101
        c.tenant.regain_licence("project")
        c.get("/3/projects")
