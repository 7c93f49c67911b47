"""The link for a Fortnox administrator, and a look at what Severa allows, over the admin API."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from app import locks
from app.api import consent
from app.holder import Holder
from app.limits import Limits
from app.models import invitations
from app.notary import Notary
from app.sandbox.chaos import Fault
from app.sandbox.serving import served
from app.sandbox.severa import Severa, SeveraOptions
from app.severa.auth import SCOPES, WELCOME
from app.workroom import Workroom
from tests.api.conftest import BOTH, SECRETS, Stage

AT = "/api/v1/connections/acme"
LINK, CHECK = f"{AT}/fortnox/consent", f"{AT}/severa/check"
ALL = [*SCOPES.split(), WELCOME]


@pytest.fixture
def severa(stage: Stage, redis_url: str) -> Iterator[Severa]:
    """The stage, with a Notary between it and a Severa that knows the credentials."""
    vendor = Severa(SeveraOptions(rate=None))
    vendor.add_client("s-id", SECRETS["severa"], ALL)
    with served(vendor.app) as url:
        settings = stage.hall.settings.model_copy(update={"severa_url": f"{url}/rest-api"})
        hall = replace(stage.hall, settings=settings)
        lock = locks.take(hall.db, "test", settings.var_dir)
        redis = Redis.from_url(redis_url)
        limits = Limits(redis, settings.rates)
        room = Workroom(
            hall, Holder(hall.db, lock, hall.clock, hall.settings.quarantine_time), limits
        )
        consent.mount(stage.client.app, Notary(room))  # type: ignore[arg-type]
        yield vendor
        room.close()
        redis.close()
        lock.release()


def asked(severa: Severa) -> int:
    return len(severa.chaos.calls)


@BOTH
def test_a_link_needs_the_app_and_nothing_else(stage: Stage, severa: Severa) -> None:
    stage.client.put(AT, json={"fortnox": {"client_id": "f", "client_secret": "s"}})
    answer = stage.client.post(LINK)
    assert answer.status_code == 200
    assert answer.json()["url"].startswith("https://apps.fortnox.se/oauth-v1/auth?client_id=f&")
    assert answer.json()["expires_at"] == "2026-11-24T08:10:00.000Z"
    assert answer.headers["cache-control"] == "no-store"
    assert len(stage.rows(invitations)) == 1


@pytest.mark.parametrize(
    ("fortnox", "missing"),
    [
        ({}, ["fortnox.client_id", "fortnox.client_secret"]),
        ({"client_id": "f"}, ["fortnox.client_secret"]),
        ({"client_secret": "s"}, ["fortnox.client_id"]),
    ],
)
def test_without_the_app_there_is_no_link(
    stage: Stage, severa: Severa, fortnox: Any, missing: list[str]
) -> None:
    stage.client.put(AT, json={"fortnox": fortnox})
    answer = stage.client.post(LINK)
    assert (answer.status_code, answer.json()["missing"]) == (409, missing)
    assert stage.rows(invitations) == []


@pytest.mark.parametrize("address", [LINK, CHECK])
def test_strangers_get_nothing(stage: Stage, severa: Severa, address: str) -> None:
    stage.connect()
    headers = {"Authorization": "Bearer wrong"}
    assert stage.client.post(address, headers=headers).status_code == 401
    assert stage.client.post(address.replace("acme", "nobody")).status_code == 404
    assert stage.rows(invitations) == []
    assert asked(severa) == 0


def test_links_that_are_long_gone_are_forgotten(stage: Stage, severa: Severa) -> None:
    stage.connect()
    for _ in range(3):
        stage.client.post(LINK)
    stage.later(days=1, minutes=11)
    stage.client.post(LINK)
    assert len(stage.rows(invitations)) == 1


def test_the_callback_is_no_part_of_the_documented_api(stage: Stage, severa: Severa) -> None:
    paths = stage.client.get("/api/v1/openapi.json").json()["paths"]
    assert "/api/v1/connections/{connection}/fortnox/consent" in paths
    assert "/oauth/fortnox/callback" not in paths


def test_credentials_that_may_do_everything_are_well_after_one_call(
    stage: Stage, severa: Severa
) -> None:
    stage.connect()
    answer = stage.client.post(CHECK)
    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "missing": [], "missing_welcome": [], "reason": None}
    assert asked(severa) == 1


@pytest.mark.parametrize("lacking", [["fees:write"], ["files:read", "organization:read"]])
def test_scopes_that_are_missing_are_named(
    stage: Stage, severa: Severa, lacking: list[str]
) -> None:
    stage.connect()
    severa.add_client("s-id", SECRETS["severa"], [one for one in ALL if one not in lacking])
    answer = stage.client.post(CHECK, headers={"Accept-Language": "en"}).json()
    assert (answer["ok"], sorted(answer["missing"])) == (False, lacking)
    assert answer["reason"]["code"] == "severa_scopes_missing"
    assert all(one in answer["reason"]["message"] for one in lacking)


def test_a_scope_that_is_only_welcome_is_named_and_all_is_well(
    stage: Stage, severa: Severa
) -> None:
    stage.connect()
    severa.add_client("s-id", SECRETS["severa"], SCOPES.split())
    answer = stage.client.post(CHECK).json()
    assert (answer["ok"], answer["missing_welcome"]) == (True, [WELCOME])
    assert answer["reason"]["code"] == "severa_scopes_welcome"


def test_wrong_credentials_are_said_in_severas_words(stage: Stage, severa: Severa) -> None:
    stage.connect(severa={"client_id": "s-id", "client_secret": "wrong"})
    answer = stage.client.post(CHECK).json()
    assert (answer["ok"], answer["missing"]) == (False, [])
    assert answer["reason"]["code"] == "token_refused"
    assert "Invalid client credentials." in answer["reason"]["message"]
    assert "wrong" not in str(answer)


def test_a_vendor_that_gives_less_than_was_asked_for_is_noticed(
    stage: Stage, severa: Severa
) -> None:
    """The other reading: no refusal, but a token with fewer scopes, separated by commas."""
    stage.connect()
    body = json.dumps({"access_token": "t", "scope": ",".join(ALL[:-2])})
    fault = Fault("mask", "/token", status=200, body=body, content_type="application/json")
    severa.chaos.faults.append(fault)
    answer = stage.client.post(CHECK).json()
    assert answer["missing"] == [ALL[-2]]
    assert answer["missing_welcome"] == [WELCOME]


def test_while_severa_is_away_settings_are_taken_and_a_check_says_so(
    stage: Stage, severa: Severa
) -> None:
    severa.chaos.faults.append(Fault("refuse", status=503, times=None))
    stage.connect()
    changed = stage.client.patch(AT, json={"severa": {"client_secret": "new"}})
    assert changed.status_code == 200
    assert asked(severa) == 0
    assert stage.client.post(CHECK).status_code == 502
