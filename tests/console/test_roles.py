"""Every route of the console with every role: who may less is turned away, and nothing happened."""

import importlib
import pkgutil
from typing import get_args

import pytest
from fastapi.routing import APIRoute

from app import console
from app.identity import Scope
from app.models import audit, sessions
from app.worklist import Want
from tests.api.conftest import GUID
from tests.console.conftest import PASSWORD, Guest

ROLES: tuple[Scope, ...] = get_args(Scope)
OPEN = {
    *("GET /log-in", "POST /log-in", "POST /preferences"),
    *("GET /log-in/oidc", "GET /log-in/oidc/callback"),
}
AT = "/c/{connection}"
NEEDS: dict[str, Scope] = {
    "GET /": "view",
    "POST /log-out": "view",
    "GET /password": "view",
    "POST /password": "view",
    f"GET {AT}/": "view",
    f"GET {AT}/beside": "view",
    f"POST {AT}/beside/{{act}}": "operate",
    "POST /connections": "configure",
    f"GET {AT}/connect": "view",
    f"POST {AT}/connect/{{part}}": "configure",
    f"GET {AT}/connect/statuses": "configure",
    f"GET {AT}/connect/products": "configure",
    f"POST {AT}/connect-severa-check": "configure",
    f"POST {AT}/connect-fortnox-invite": "configure",
    f"GET {AT}/preflight": "view",
    f"POST {AT}/activate": "configure",
    f"POST {AT}/deactivate": "configure",
    f"GET {AT}/settings.json": "configure",
    f"POST {AT}/settings": "configure",
    f"GET {AT}/retry": "operate",
    f"POST {AT}/retry": "operate",
    f"GET {AT}/transfers": "view",
    f"GET {AT}/transfers.csv": "view",
    f"GET {AT}/transfers/{{transfer}}": "view",
    f"GET {AT}/transfers/{{transfer}}/retry": "operate",
    f"POST {AT}/transfers/{{transfer}}/retry": "operate",
    f"GET {AT}/backfills": "view",
    f"GET {AT}/backfills/ahead": "operate",
    f"POST {AT}/backfills": "operate",
    f"POST {AT}/backfills/{{backfill}}/cancel": "operate",
    f"GET {AT}/events": "view",
    f"GET {AT}/events/{{event}}": "view",
    f"GET {AT}/reconciliation": "view",
    f"GET {AT}/reconciliation.csv": "view",
    f"GET {AT}/registers": "view",
    f"GET {AT}/registers.csv": "view",
    f"GET {AT}/webhook-test": "view",
    f"POST {AT}/webhook-test": "operate",
    "GET /accounts": "configure",
    "POST /accounts": "configure",
    "POST /accounts/{person}/remove": "configure",
    "POST /accounts/{person}/scope": "configure",
    "POST /accounts/{person}/password": "configure",
    "POST /accounts/{person}/disabled": "configure",
    "POST /keys": "configure",
    "POST /keys/{key}/revoke": "configure",
    "GET /audit": "configure",
    f"GET {AT}/{{rest:path}}": "view",
    "GET /accounts/{rest:path}": "view",
    "GET /keys": "view",
    "GET /keys/{rest:path}": "view",
}
# They read the partner systems before they answer, and there are none here.
FAR = {f"GET {AT}/reconciliation.csv", f"GET {AT}/registers.csv", f"GET {AT}/beside"}
FAR |= {f"GET {AT}/connect/statuses", f"GET {AT}/connect/products"}
QUERIES = {f"GET {AT}/retry": "?kind=invoice"}
QUERIES[f"GET {AT}/backfills/ahead"] = "?way=customer:severa_to_fortnox"
WANT = Want("acme", "invoice", GUID.format(7))


def routes() -> set[str]:
    rooms = [
        importlib.import_module(one.name)
        for one in pkgutil.iter_modules(console.__path__, f"{console.__name__}.")
    ]
    found = [one for room in rooms if hasattr(room, "routes") for one in room.routes.routes]
    assert all(isinstance(one, APIRoute) for one in found)
    return {f"{method} {one.path}" for one in found for method in one.methods}


@pytest.fixture
def places(guest: Guest) -> dict[str, str]:
    """An address for each route, of things that are there."""
    event = guest.stage.hear("one", b"{}", WANT)
    names = {"{connection}": "acme", "{transfer}": guest.stage.want(), "{event}": event}
    names |= {
        "{rest:path}": "settings",
        "{act}": "severa-new",
        "{part}": "emails",
        "{person}": "a-view",
    }
    names |= {"{backfill}": "bck_1", "{key}": "key_1"}
    found = {}
    for one in NEEDS:
        place = one.partition(" ")[2]
        for name, value in names.items():
            place = place.replace(name, value)
        found[one] = place + QUERIES.get(one, "")
    return found


def ask(guest: Guest, route: str, place: str, token: str) -> tuple[int, str]:
    if route.startswith("GET"):
        answer = guest.get(place)
    else:
        form = {"csrf": token, "name": "eve", "password": PASSWORD, "scope": "configure"}
        answer = guest.client.post(place, data=form)
    return answer.status_code, answer.headers.get("location", "") + answer.text


def test_of_every_route_it_is_decided_who_may_use_it() -> None:
    assert routes() == set(NEEDS) | OPEN


def test_a_stranger_is_sent_to_the_log_in_from_everywhere(
    guest: Guest, places: dict[str, str]
) -> None:
    for route, place in places.items():
        status, said = ask(guest, route, place, "")
        assert (route, status, said[:7]) == (route, 303, "/log-in")
    assert guest.stage.rows(audit) == []
    assert guest.stage.hints == []


@pytest.mark.parametrize("role", ROLES)
def test_every_route_is_closed_to_whoever_may_less_and_open_to_the_others(
    guest: Guest, places: dict[str, str], role: Scope
) -> None:
    guest.log_in_as(role)
    token = guest.token()
    for route, place in places.items():
        if ROLES.index(role) < ROLES.index(NEEDS[route]):
            status, said = ask(guest, route, place, token)
            assert (route, status) == (route, 403)
            assert "Your account may not do this." in said
        elif route.startswith("GET") and route not in FAR:
            assert (route, ask(guest, route, place, token)[0]) in ((route, 200), (route, 303))
    assert guest.stage.rows(audit) == []
    assert guest.stage.hints == []


def test_no_form_is_taken_without_the_token_of_the_page(
    guest: Guest, places: dict[str, str]
) -> None:
    """Nor with the token of somebody else's page, or from another site."""
    guest.log_in_as("configure")
    token = guest.token()
    guest.client.cookies.clear()
    guest.log_in()
    mine = guest.token()
    far = {"sec-fetch-site": "cross-site"}
    for route, place in places.items():
        if route.startswith("POST"):
            for given, headers in (("", {}), (token, {}), (mine, far)):
                answer = guest.client.post(place, data={"csrf": given}, headers=headers)
                assert (route, answer.status_code) == (route, 403)
                assert "The page was too old." in answer.text
    assert guest.stage.rows(audit) == []
    assert len(guest.stage.rows(sessions)) == 2  # the log-out was not taken either
