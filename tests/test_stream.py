"""The protocol of Fortnox's WebSocket, spoken to the sandbox's real socket."""

import json
import logging
import re
import socket as sockets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve
from websockets.utils import accept_key

from app.fortnox.stream import Stream, StreamLost, TokensRefused, TopicsRefused
from tests.sandbox.fortnox_client import Company, company


@contextmanager
def stream(c: Company) -> Iterator[Stream]:
    opened = Stream(c.url.replace("http", "ws") + "/topics-v1")
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def listening(c: Company, **topics: str | None) -> Iterator[Stream]:
    with stream(c) as opened:
        opened.add_tenants("secret", [c.fortnox.access_token("app", "654896")])
        opened.add_topics(topics)
        opened.subscribe()
        yield opened


def said(frames: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in frames]


def test_events_come_as_they_were_sent() -> None:
    with company() as c, listening(c, invoices=None) as socket:
        c.invoice()
        assert said(socket.events(5)) == [c.fortnox.events[-1]]
        assert socket.events(0.05) == []


def test_what_has_arrived_comes_together_in_order() -> None:
    with company() as c, listening(c, invoices=None) as socket:
        for _ in range(20):
            c.invoice()
        found: list[bytes] = []
        while len(found) < 20:
            found += socket.events(5)
        assert said(found) == list(c.fortnox.events)


@pytest.mark.parametrize(("reading", "first"), [("inclusive", "2"), ("exclusive", "3")])
def test_it_starts_at_the_offset_it_is_given(reading: str, first: str) -> None:
    with company(websocket_offset=reading) as c:
        for _ in range(3):
            c.invoice()
        with listening(c, invoices=c.fortnox.events[1]["offset"]) as socket:
            assert said(socket.events(5))[0]["entityId"] == first


def test_each_token_is_answered_with_its_company() -> None:
    with company() as c, stream(c) as socket:
        c.fortnox.add_tenant("777")
        c.fortnox.consent("app", "777")
        one, two = (c.fortnox.access_token("app", tenant) for tenant in ("654896", "777"))
        assert socket.add_tenants("secret", [one, two]) == {one: "654896", two: "777"}


def test_companies_of_several_apps_share_a_socket() -> None:
    with company() as c, listening(c, projects=None) as socket:
        c.fortnox.add_client("other", "other-secret")
        tenant = c.fortnox.add_tenant("777")
        c.fortnox.consent("other", "777")
        token = c.fortnox.access_token("other", "777")
        assert socket.add_tenants("other-secret", [token]) == {token: "777"}
        tenant.add_project("A")
        c.tenant.add_project("B")
        found: list[bytes] = []
        while len(found) < 2:
            found += socket.events(5)
        assert [one["tenantId"] for one in said(found)] == [777, 654896]


def test_a_refused_token_is_named_and_the_others_are_not() -> None:
    with company() as c, stream(c) as socket:
        good = c.fortnox.access_token("app", "654896")
        with pytest.raises(TokensRefused) as caught:
            socket.add_tenants("secret", [good, "nonsense"])
        assert caught.value.tokens == {"nonsense"}
        with pytest.raises(TokensRefused) as caught:
            socket.add_tenants("wrong", [good])
        assert caught.value.tokens == {good}


def test_a_refused_topic_is_named() -> None:
    with company() as c, stream(c) as socket:
        with pytest.raises(TopicsRefused) as caught:
            socket.add_topics({"invoices": None, "nonsense": None})
        assert caught.value.topics == {"nonsense"}


def test_a_company_can_be_taken_off() -> None:
    with company() as c, listening(c, projects=None) as socket:
        socket.remove_tenants(["654896"])
        c.tenant.add_project("A")
        assert socket.events(0.1) == []


def test_a_dropped_socket_gives_what_had_arrived_and_then_says_so() -> None:
    with company() as c, listening(c, invoices=None) as socket:
        c.fortnox.drop_sockets()
        with pytest.raises(StreamLost):
            socket.events(5)
        with pytest.raises(StreamLost):
            socket.subscribe()


@contextmanager
def mute() -> Iterator[str]:
    """A server that lets one in and is not heard of again; its address stays open."""
    closing = threading.Event()

    def handle(listening: sockets.socket) -> None:
        there, _ = listening.accept()
        with there:
            asked = there.recv(4096).decode()
            key = re.search(r"Sec-WebSocket-Key: (.*)\r", asked, re.IGNORECASE)
            assert key is not None
            there.sendall(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {accept_key(key[1])}\r\n\r\n".encode()
            )
            closing.wait(20)

    with sockets.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=handle, args=[listening])
        thread.start()
        try:
            yield f"ws://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            closing.set()
            thread.join()


def test_who_does_not_answer_a_ping_is_lost_though_nothing_was_closed() -> None:
    with mute() as url:
        stream = Stream(url, ping_every=0.05)
        with pytest.raises(StreamLost):
            stream.events(10)


def test_nobody_there_is_a_lost_stream() -> None:
    with pytest.raises(StreamLost):
        Stream("ws://127.0.0.1:1/topics-v1", patience=2)


@contextmanager
def scripted(*script: str) -> Iterator[str]:
    """A server that answers the first thing it hears with these frames, and then nothing."""

    def handle(connection: ServerConnection) -> None:
        connection.recv()
        for frame in script:
            connection.send(frame)
        for _ in connection:
            pass

    with serve(handle, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join()


EVENT = '{"topic": "invoices", "offset": "a", "type": "invoice-updated-v1", "entityId": "1"}'


def test_an_event_before_the_answer_is_kept_for_later() -> None:
    other, answer = '{"response": "other"}', '{"response": "subscribe-v1", "result": "ok"}'
    with scripted(EVENT, other, answer, EVENT) as url:
        socket = Stream(url)
        socket.subscribe()
        found: list[bytes] = []
        while len(found) < 2:
            found += socket.events(5)
        assert found == [EVENT.encode()] * 2
        socket.close()


@pytest.mark.parametrize("answer", [(), ('{"response": "subscribe-v1", "result": "error"}',)])
def test_no_answer_and_a_refusal_without_words_are_a_lost_stream(answer: tuple[str, ...]) -> None:
    with scripted(*answer) as url:
        socket = Stream(url, patience=0.3)
        with pytest.raises(StreamLost):
            socket.subscribe()
        socket.close()


def test_an_error_that_names_nobody_refuses_everybody() -> None:
    with scripted('{"response": "add-tenants-v1", "result": "error"}') as url:
        socket = Stream(url)
        with pytest.raises(TokensRefused) as caught:
            socket.add_tenants("s", ["one", "two"])
        assert caught.value.tokens == {"one", "two"}
        socket.close()


def test_no_frame_is_ever_logged(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        caplog.at_level(logging.INFO, "uvicorn.error"),  # the sandbox's, in this same process
        company() as c,
        stream(c) as socket,
        pytest.raises(TokensRefused),
    ):
        socket.add_tenants("canary-secret", ["canary-token"])
    ours = [one for one in caplog.records if not one.name.startswith("uvicorn")]
    assert [one for one in ours if "canary" in one.getMessage()] == []
