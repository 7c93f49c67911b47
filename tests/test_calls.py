"""One call to a vendor: what the answer, or the silence, means; and nothing is ever sent twice."""

import gzip
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from app import calls
from app.calls import LARGEST, Answer, Ask
from app.db import Database
from app.errors import Busy, Missing, NotSent, Refused, Unauthorized, Unclear, VendorError
from app.fortnox.told import told

ask = Ask("fortnox", told)
URL = "http://vendor.example/3/invoices"
NO = b'{"ErrorInformation": {"Code": 2000106, "Message": "V\xc3\xa4rdet"}}'


def answering(status: int, body: bytes = b"{}", **headers: str) -> Callable[..., Answer]:
    """Asks a vendor that always answers this, once."""

    def call(**sent: Any) -> Answer:
        asked = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            return httpx.Response(status, content=body, headers=headers)

        with httpx.Client(transport=httpx.MockTransport(answer)) as client:
            try:
                return ask(client, "POST", URL, **({"json_body": {}} | sent))
            finally:
                assert len(asked) == 1

    return call


def failing(error: Exception) -> VendorError:
    """What becomes of an error of the transport."""

    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    with (
        httpx.Client(transport=httpx.MockTransport(fail)) as client,
        pytest.raises(VendorError) as caught,
    ):
        ask(client, "POST", URL, json_body={})
    assert caught.value.__cause__ is error
    return caught.value


MEANING: dict[int, type[VendorError]] = {
    **dict.fromkeys((300, 301, 302, 303, 304, 307, 308), Unclear),
    **dict.fromkeys((400, 402, 403, 405, 406, 409, 410, 412, 413, 415, 422, 423, 451), Refused),
    401: Unauthorized,
    404: Missing,
    408: Unclear,
    429: Busy,
    **dict.fromkeys((500, 501, 502, 503, 504, 520, 599), Unclear),
}


@pytest.mark.parametrize(("status", "kind"), MEANING.items())
def test_every_status_means_one_thing(status: int, kind: type[VendorError]) -> None:
    with pytest.raises(VendorError) as caught:
        answering(status, NO)()
    assert type(caught.value) is kind
    assert (caught.value.system, caught.value.status) == ("fortnox", status)
    if kind is not Busy:
        assert (caught.value.code, caught.value.words) == ("2000106", "Värdet")


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_an_answer_in_the_two_hundreds_is_data(status: int) -> None:
    found = answering(status, b'{"Invoice": {"Total": 1}}')()
    assert (found.status, found.data) == (status, {"Invoice": {"Total": 1}})


@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_an_empty_answer_is_no_data(body: bytes) -> None:
    assert answering(204, body)().data is None


@pytest.mark.parametrize(
    "body", [b"<html>", b'{"a": ', b"\xff\xfe\xff", b"[" * 100_000, b"9" * 5000 + b"x"]
)
def test_a_broken_answer_to_a_call_that_went_through_is_unclear(body: bytes) -> None:
    with pytest.raises(Unclear) as caught:
        answering(200, body)()
    assert caught.value.status == 200


def test_a_refusal_in_html_is_still_a_refusal() -> None:
    with pytest.raises(Refused) as caught:
        answering(403, b"<html>Forbidden</html>")()
    assert (caught.value.status, caught.value.code) == (403, "")


def test_a_refusal_in_plain_text_keeps_its_words() -> None:
    with pytest.raises(Refused) as caught:
        answering(403, b"Addon\n required", **{"content-type": "text/plain; charset=utf-8"})()
    assert caught.value.words == "Addon required"


def test_long_words_are_cut() -> None:
    body = json.dumps({"ErrorInformation": {"Code": 1, "Message": "x" * 10_000}}).encode()
    with pytest.raises(Refused) as caught:
        answering(400, body)()
    assert caught.value.words == "x" * 500
    assert len(str(caught.value)) <= 600


@pytest.mark.parametrize(
    ("header", "after"),
    [("7", 7), ("0", 0), ("99999", 3600), ("", None), ("-1", None), ("soon", None), ("1.5", None)],
)
def test_busy_says_when_to_come_back(header: str, after: float | None) -> None:
    with pytest.raises(Busy) as caught:
        answering(429, b"slow down", **{"retry-after": header})()
    assert caught.value.after == after


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x")]
)
def test_what_never_left_us_is_not_sent(error: Exception) -> None:
    assert type(failing(error)) is NotSent


@pytest.mark.parametrize(
    "error",
    [
        httpx.WriteError("x"),
        httpx.WriteTimeout("x"),
        httpx.ReadError("x"),
        httpx.ReadTimeout("x"),
        httpx.CloseError("x"),
        httpx.RemoteProtocolError("x"),
        httpx.DecodingError("x"),
    ],
)
def test_what_may_have_reached_them_is_unclear(error: Exception) -> None:
    assert type(failing(error)) is Unclear


@contextmanager
def talking(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server of bare sockets: what it says to each connection in turn, and what it heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    heard.append(connection.recv(65536))
                    connection.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heard
        thread.join(10)


def call(url: str) -> Answer:
    with calls.new_client() as client:
        return ask(client, "POST", url, json_body={"a": 1})


def test_a_refused_connection_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(NotSent, match="ConnectError"):
        call(url)


BROKEN = {
    "hung up without a word": b"",
    "half a status": b"HTTP/1.1 20",
    "another protocol": b"SSH-2.0-OpenSSH\r\n\r\n",
    "half a body": b'HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"Inv',
    "half a chunk": b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
    "not gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_a_call_whose_answer_breaks_off_is_unclear_and_sent_once(answer: bytes) -> None:
    with talking(answer) as (url, heard), pytest.raises(Unclear):
        call(url)
    assert len(heard) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with talking(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as (elsewhere, reached):
        answer = f"HTTP/1.1 {status} X\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n"
        with talking(answer.encode()) as (url, heard), pytest.raises(Unclear):
            call(url)
        assert (len(heard), reached) == (1, [])
        call(elsewhere)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_an_answer_of_more_than_sixteen_megabytes_is_not_read(pack: Any) -> None:
    headers = {"content-encoding": "gzip"} if pack is gzip.compress else {}
    at_most = b'"' + b"x" * (LARGEST - 2) + b'"'
    with pytest.raises(Unclear, match="the answer is too large"):
        answering(200, pack(at_most + b" "), **headers)()
    assert len(answering(200, pack(at_most), **headers)().data) == LARGEST - 2


def test_fractions_arrive_exactly() -> None:
    data = answering(200, b'{"a": 1234567890123456789.01, "b": 0.10, "c": 1, "d": 1E-2}')().data
    assert data == {
        "a": Decimal("1234567890123456789.01"),
        "b": Decimal("0.10"),
        "c": 1,
        "d": Decimal("0.01"),
    }
    assert str(data["b"]) == "0.10"
    assert type(data["c"]) is int


SENT: list[tuple[Any, bytes]] = [
    (Decimal("1.10"), b"1.1"),
    (Decimal("100.00"), b"100"),
    (Decimal("1E+3"), b"1000"),
    (Decimal("-0.01"), b"-0.01"),
    (Decimal("123456789.12"), b"123456789.12"),
    (Decimal("99999999999999999999"), b"99999999999999999999"),
    ({"Å": [None, True, "1.10"]}, '{"Å": [null, true, "1.10"]}'.encode()),
]


@pytest.mark.parametrize(("value", "text"), SENT)
def test_amounts_are_sent_exactly(value: Any, text: bytes) -> None:
    assert calls.to_json(value) == text


@pytest.mark.parametrize("text", ["1234567890123456789.01", "0.12345678901234567890", "NaN"])
def test_an_amount_that_cannot_be_sent_exactly_is_not_sent(text: str) -> None:
    with pytest.raises(ValueError, match=r"more digits than can be sent|Out of range"):
        calls.to_json(Decimal(text))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_not_sent(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        calls.to_json(value)


def test_what_is_no_json_is_not_sent() -> None:
    with pytest.raises(TypeError, match="object cannot be sent"):
        calls.to_json(object())


def test_what_is_sent_is_what_was_asked_for() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        ask(client, "PUT", URL, headers={"X-A": "b"}, params={"q": "å 1"}, json_body={"a": 1})
        ask(client, "POST", URL, form={"grant_type": "client_credentials"})
        ask(client, "GET", URL)
    put, form, get = seen
    assert (put.method, str(put.url)) == ("PUT", f"{URL}?q=%C3%A5+1")
    assert (put.headers["x-a"], put.headers["accept"]) == ("b", "application/json")
    assert (put.headers["content-type"], put.content) == ("application/json", b'{"a": 1}')
    assert form.headers["content-type"] == "application/x-www-form-urlencoded"
    assert form.content == b"grant_type=client_credentials"
    assert ("content-type" in get.headers, get.content) == (False, b"")


@pytest.mark.parametrize("write", [True, False])
def test_a_vendor_may_not_be_called_while_a_transaction_is_open(
    tmp_path: Path, write: bool
) -> None:
    db = Database(f"sqlite:///{tmp_path}/bridge.db")

    def never(_request: httpx.Request) -> httpx.Response:
        raise AssertionError("it was called")

    with httpx.Client(transport=httpx.MockTransport(never)) as client:
        with (
            db.transaction() if write else db.reading(),
            pytest.raises(RuntimeError, match="while a transaction is open"),
        ):
            ask(client, "GET", URL)
        with pytest.raises(AssertionError, match="it was called"):
            ask(client, "GET", URL)
    db.close()


def test_the_client_repeats_nothing_follows_nothing_and_heeds_no_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with calls.new_client() as client:
        assert not client.follow_redirects
        assert (client.timeout.connect, client.timeout.read) == (5, 30)
        with talking(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as (url, heard):
            assert ask(client, "GET", url).data == {}
    assert len(heard) == 1
