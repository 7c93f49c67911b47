"""A thousand signed events for two hundred invoices, on whole installations with real processes."""

import random

import pytest

from tests import servers
from tests.installation import (
    Installation,
    Vendors,
    document,
    installation,
    post_all,
    severa_event,
    until,
    vendors,
)

INVOICES = 200
COPIES = 5
KILLED = 100  # invoices where workers are killed: each kill costs a start
# Nothing but the events that are posted: else the pollers carry over whole registers meanwhile.
HOOKS_ONLY = {"POLL_INTERVAL": "0", "FORTNOX_WEBSOCKET_URL": ""}
TRANSFER_NAME, RECEIVED_NAME = "Klar för Fortnox", "Mottagen i Fortnox"


def ordered_invoices(partners: Vendors, count: int) -> list[str]:
    guids = [partners.severa.add_simple_invoice(quantity=n % 7 + 1)["guid"] for n in range(count)]
    for guid in guids:
        partners.severa.set_status(guid, TRANSFER_NAME)
    return guids


def shuffled_knocks(guids: list[str], seed: int) -> list[tuple[str, bytes]]:
    knocks = [(f"msg_{n}", severa_event(guid)) for n, guid in enumerate(guids)] * COPIES
    random.Random(seed).shuffle(knocks)
    return knocks


def all_received(partners: Vendors, count: int) -> bool:
    return partners.severa_statuses()[RECEIVED_NAME] == count


def drained(bridge: Installation) -> bool:
    return not bridge.open_transfers()


@pytest.mark.processes
@pytest.mark.timeout(300)
def test_a_thousand_shuffled_events_make_two_hundred_invoices_and_replaying_them_writes_nothing(
    database_url: str, redis_url: str
) -> None:
    with (
        vendors() as partners,
        installation(database_url, redis_url, partners, **HOOKS_ONLY) as bridge,
    ):
        bridge.connect(document())
        guids = ordered_invoices(partners, INVOICES)
        answers = post_all(bridge.url, shuffled_knocks(guids, seed=1))
        assert answers == {(202, "accepted"): INVOICES, (200, "duplicate"): INVOICES * (COPIES - 1)}
        until("all are received", lambda: all_received(partners, INVOICES), told=bridge.output)
        until("nothing is left to do", lambda: drained(bridge), told=bridge.output)

        expected = {f"severa:{guid}": 1 for guid in guids}
        assert partners.invoices_by_reference() == expected
        states = {one["state"] for one in bridge.transfers(kind="invoice")}
        assert states == {"done"}

        writes = partners.written()
        again = [(f"msg_again_{n}", severa_event(guid)) for n, guid in enumerate(guids)]
        assert post_all(bridge.url, again) == {(202, "accepted"): INVOICES}
        until("nothing is left to do", lambda: drained(bridge), told=bridge.output)
        retried = bridge.admin(
            "POST", "/connections/acme/transfers/retry", json={"kind": ["invoice"]}
        )
        assert retried.json()["retried"] == INVOICES
        until("nothing is left to do", lambda: drained(bridge), told=bridge.output)
        assert partners.written()[len(writes) :] == []
        assert partners.invoices_by_reference() == expected


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.processes
@pytest.mark.timeout(400)
def test_workers_killed_ten_times_and_redis_flushed_and_killed_lose_nothing_and_double_nothing(
    database_url: str,
) -> None:
    with (
        servers.redis_server() as redis,
        vendors() as partners,
        installation(database_url, redis.url, partners, **HOOKS_ONLY) as bridge,
    ):
        partners.fortnox.options.latency = 0.02
        bridge.connect(document())
        guids = ordered_invoices(partners, KILLED)
        knocks = shuffled_knocks(guids, seed=2)
        answers = post_all(bridge.url, knocks[:200])
        for round_ in range(10):
            answers += post_all(bridge.url, knocks[200 + round_ * 30 : 230 + round_ * 30])
            reached = partners.severa_statuses()[RECEIVED_NAME]
            until(
                "work goes on",
                lambda seen=reached: (
                    partners.severa_statuses()[RECEIVED_NAME] > seen
                    or drained(bridge)  # these events were about what had gone through before
                ),
                told=bridge.output,
            )
            until("a worker is killed", lambda: bridge.kill("celery"), told=bridge.output)
            if round_ == 4:
                redis.flush()
            if round_ == 5:
                redis.kill()
            if round_ == 6:
                redis.restart()
        until("all are received", lambda: all_received(partners, KILLED), told=bridge.output)
        until("nothing is left to do", lambda: drained(bridge), told=bridge.output)
        assert partners.invoices_by_reference() == {f"severa:{guid}": 1 for guid in guids}
        assert answers[202, "accepted"] == KILLED
        assert {one["state"] for one in bridge.transfers(kind="invoice")} == {"done"}
