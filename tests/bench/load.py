"""A load of signed events from a process of its own: `python -m tests.bench.load URL …`.

The requests are made before the clock starts, and sent over connections that stay open, each with
one request under way; so the sender costs the machine as little as Python can.
"""

import asyncio
import json
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit
from uuid import uuid4

from app import signatures

SENDERS = 32


class Sender(asyncio.Protocol):
    """Sends its share one after the other; answers are read as far as the status and the end."""

    def __init__(self, load: "Load") -> None:
        self._load, self._rest = load, b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop has types of its own
        self._next()

    def data_received(self, data: bytes) -> None:
        self._rest += data
        head, found, body = self._rest.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._load.took.append(time.perf_counter() - self._sent)
        self._load.statuses[int(head[9:12])] += 1
        self._rest = b""
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server hung up"))

    def _next(self) -> None:
        if not self._load.requests:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(self._load.requests.pop())


class Load:
    def __init__(self, requests: list[bytes]) -> None:
        self.requests = requests
        self.took: list[float] = []
        self.statuses: Counter[int] = Counter()

    async def run(self, host: str, port: int) -> float:
        loop, began = asyncio.get_running_loop(), time.perf_counter()
        pairs = [
            await loop.create_connection(lambda: Sender(self), host, port) for _ in range(SENDERS)
        ]
        await asyncio.gather(*(sender.done for _, sender in pairs))
        return time.perf_counter() - began


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0])


def some(events: int, records: int) -> list[str]:
    """The GUIDs of invoices that do not exist, as many events about each of them."""
    return [f"1a000000-0000-4000-8000-{number % records:012d}" for number in range(events)]


def request(host: str, path: str, secret: str, guid: str) -> bytes:
    """One event of about 510 bytes in all."""
    body = json.dumps(
        {
            "type": "invoice.status_changed",
            "timestamp": "2026-11-24T08:15:30Z",
            "data": {"guid": guid, "note": "x" * 100},
        }
    ).encode()
    message_id, stamp = f"msg_{uuid4().hex}", int(time.time())
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"webhook-id: {message_id}\r\nwebhook-timestamp: {stamp}\r\n"
        f"webhook-signature: {signatures.sign(secret, message_id, stamp, body)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--secret", required=True)
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--records", type=int, default=1000, help="how many they are about")
    parser.add_argument("--about", type=Path, help="a file with one GUID a line, instead")
    given = parser.parse_args()
    url = urlsplit(given.url)
    assert url.hostname
    assert url.port
    about = given.about.read_text().split() if given.about else some(given.events, given.records)
    load = Load([request(url.netloc, url.path, given.secret, guid) for guid in about])
    try:
        import uvloop
    except ImportError:
        seconds = asyncio.run(load.run(url.hostname, url.port))
    else:
        seconds = uvloop.run(load.run(url.hostname, url.port))
    json.dump(
        {"seconds": seconds, "took": sorted(load.took), "statuses": dict(load.statuses)},
        sys.stdout,
    )


if __name__ == "__main__":
    main()
