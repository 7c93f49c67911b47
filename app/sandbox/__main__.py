"""`python -m app.sandbox`: both partner systems in one process, telling a bridge what happens."""

import json
import queue
import signal
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from app import signatures
from app.sandbox import fortnox, severa
from app.sandbox.serving import served

Knock = tuple[str, bytes]


class Messenger:
    """Posts signed events to a bridge, in order; what it does not take is offered again."""

    def __init__(self, base: str, secret: str) -> None:
        self._base, self._secret = base, secret
        self._waiting: queue.Queue[Knock] = queue.Queue()
        threading.Thread(target=self._run, daemon=True).start()

    def say(self, source: str) -> Callable[[dict[str, Any]], None]:
        def put(event: dict[str, Any]) -> None:
            self._waiting.put((source, json.dumps(event).encode()))

        return put

    def _run(self) -> None:
        with httpx.Client(timeout=10) as client:
            while True:
                self._deliver(client, *self._waiting.get())

    def _deliver(self, client: httpx.Client, source: str, body: bytes) -> None:
        message_id = f"msg_{uuid4().hex}"
        while True:
            stamp = int(time.time())
            headers = {
                "content-type": "application/json",
                "webhook-id": message_id,
                "webhook-timestamp": str(stamp),
                "webhook-signature": signatures.sign(self._secret, message_id, stamp, body),
            }
            try:
                answer = client.post(f"{self._base}/{source}", content=body, headers=headers)
                if answer.status_code < 500:
                    return
            except httpx.TransportError:
                pass  # the bridge is not there yet, or not now
            time.sleep(1)


def main() -> None:
    parser = ArgumentParser(prog="python -m app.sandbox", description=__doc__)
    parser.add_argument("--severa-port", type=int, default=9101)
    parser.add_argument("--fortnox-port", type=int, default=9102)
    parser.add_argument("--webhooks", default="", help="http://…/webhooks/<connection>")
    parser.add_argument("--secret", default="", help="whsec_… of both sources")
    given = parser.parse_args()
    one, other = severa.Severa(), fortnox.Fortnox()
    severa.seed_demo(one)
    fortnox.seed_demo(other)
    if given.webhooks:
        messenger = Messenger(given.webhooks, given.secret)
        tell_severa = messenger.say("severa")
        one.options.notify = lambda kind, guid: tell_severa(_severa_event(kind, guid))
        other.options.notify = messenger.say("fortnox")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with (
        served(one.app, given.severa_port) as first,
        served(other.app, given.fortnox_port) as second,
    ):
        print(f"Severa {first}/rest-api, Fortnox {second}", flush=True)  # noqa: T201
        stop.wait()


def _severa_event(kind: str, guid: str) -> dict[str, Any]:
    stamp = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"type": kind, "timestamp": stamp, "data": {"guid": guid}}


if __name__ == "__main__":
    main()
