"""One trace from the webhook to the vendor, as a collector sees it; and nothing where it is off."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app import log, tracing
from app.hall import open_hall
from app.main import build
from app.models import events
from app.sandbox.serving import served
from app.sandbox.severa import TRANSFER
from app.settings import Rate, Settings
from tests.collector import Collector, Told, collector
from tests.installation import severa_event, signed, vendors
from tests.workshop import Workshop, workshop

pytestmark = pytest.mark.processes

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SENDER = f"00-{TRACE}-00f067aa0ba902b7-01"


@dataclass
class Traced:
    shop: Workshop
    url: str
    seen: Collector

    def knock(self, guid: str, **headers: str) -> str:
        """The event's id."""
        body = severa_event(guid)
        with httpx.Client(trust_env=False) as client:
            answer = client.post(
                f"{self.url}/webhooks/acme/severa", content=body, headers=signed(body) | headers
            )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def invoice(self) -> str:
        severa = self.shop.partners.severa
        guid: str = severa.add_simple_invoice()["guid"]
        severa.set_status(guid, TRANSFER)
        return guid

    def flush(self) -> None:
        recorder = tracing.Here.recorder
        recorder._provider.force_flush()  # type: ignore[attr-defined]  # what its clock does


@pytest.fixture(scope="module")
def traced(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Traced]:
    folder: Path = tmp_path_factory.mktemp("traced")
    redis_url = request.getfixturevalue("shared_redis").url
    with collector() as seen, vendors() as partners:
        settings = Settings(
            database_url=f"sqlite:///{folder}/bridge.db",
            var_dir=folder,
            traces_url=seen.url,
            severa_rate=Rate(1000, 1),
            fortnox_rate=Rate(1000, 1),
        )
        hall = open_hall(settings)
        tracing.set_up(settings, "test")
        try:
            with workshop(hall, redis_url, partners) as shop:
                shop.connect()
                with served(build(shop.hall, redis_url)) as url:
                    yield Traced(shop, url, seen)
        finally:
            tracing.close()
            hall.db.close()


def test_one_trace_leads_from_the_sender_through_the_database_to_both_vendors(
    traced: Traced,
) -> None:
    guid = traced.invoice()
    event = traced.knock(guid, traceparent=SENDER)
    with capture_logs(processors=[log._traced]) as lines:
        traced.shop.run()
    traced.flush()
    ours = [one for one in traced.seen.spans if one.trace == TRACE]
    by_id = {one.id: one for one in ours}
    [door] = [one for one in ours if one.kind == "server"]
    assert (door.name, door.parent) == ("POST /webhooks/{connection}/severa", SENDER[36:52])
    assert door.facts["http.response.status_code"] == 202
    assert (door.facts["bridge.event_id"], door.service) == (event, "bridge-test")
    [run] = [one for one in ours if one.name == "run invoice"]
    assert (run.parent, run.kind) == (door.id, "consumer")
    assert run.facts["bridge.event_id"] == event
    assert (run.facts["bridge.connection"], run.facts["bridge.state"]) == ("acme", "done")
    calls = [one for one in ours if one.kind == "client"]
    assert {one.facts["peer.service"] for one in calls} == {"severa", "fortnox"}
    assert all(run in ancestors(one, by_id) for one in calls)
    made = [one for one in calls if one.facts["url.path"].endswith("/3/invoices")]
    assert "POST fortnox" in {one.name for one in made}
    assert all(one.facts["http.response.status_code"] < 300 for one in made)
    settled = [line for line in lines if line["event"] == "work.settled"]
    assert {line["trace_id"] for line in settled} == {TRACE}


def ancestors(span: Told, by_id: dict[str, Told]) -> list[Told]:
    found = []
    while span.parent in by_id:
        span = by_id[span.parent]
        found.append(span)
    return found


def test_a_sender_without_a_trace_begins_one_and_a_broken_header_does_no_harm(
    traced: Traced,
) -> None:
    ids = {traced.knock(traced.invoice(), traceparent="00-canary-" + "9" * 500)}
    ids.add(traced.knock(traced.invoice()))
    traced.flush()
    doors = [one for one in traced.seen.spans if one.facts.get("bridge.event_id") in ids]
    assert len({one.trace for one in doors} - {TRACE}) == 2
    assert {one.parent for one in doors} == {""}
    with traced.shop.hall.db.reading() as tx:
        kept = tx.execute(select(events.c.trace).where(events.c.id.in_(ids))).scalars().all()
    assert {one.split("-")[1] for one in kept} == {one.trace for one in doors}
    traced.shop.run()


def test_a_call_that_fails_is_marked_and_its_words_stay_here(traced: Traced) -> None:
    with pytest.raises(ValueError, match="canary"), tracing.span("broken"):
        raise ValueError("canary of a customer")
    traced.flush()
    [broken] = traced.seen.named("broken")
    assert (broken.is_error, broken.facts["error.type"]) == (True, "ValueError")


def test_a_span_tells_neither_secrets_nor_what_stood_in_an_address(traced: Traced) -> None:
    with httpx.Client(base_url=traced.url, trust_env=False) as client:
        client.get("/api/v1/connections/canary-name?q=canary", headers={"Cookie": "canary=1"})
        client.get("/nowhere/canary?q=canary")
        client.get("/health")
    traced.flush()
    assert traced.seen.named("GET /api/v1/connections/{connection}")
    assert not [one for one in traced.seen.spans if "health" in str(one)]
    assert b"canary" not in b"".join(traced.seen.raw)


def test_switched_off_nothing_is_told_or_kept() -> None:
    before = tracing.Here.recorder
    tracing.Here.recorder = tracing.Silent()
    try:
        tracing.set_up(Settings(), "test")
        assert isinstance(tracing.Here.recorder, tracing.Silent)
        with tracing.span("a") as told, tracing.span("b"):
            tracing.note({"c": 1})
            assert (told, tracing.current(), tracing.trace_id()) == (None, None, {})
    finally:
        tracing.Here.recorder = before
