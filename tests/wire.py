"""A wire to PostgreSQL that can be cut, go silent, or answer what the server never said."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread
from typing import Literal

from sqlalchemy import make_url

Trouble = Literal["cut before", "cut after", "deadlock", "disk full", "serialization", "shutdown"]
SQLSTATE: dict[str, bytes] = {
    "deadlock": b"40P01",
    "disk full": b"53100",
    "serialization": b"40001",
    "shutdown": b"57P01",
}
LARGEST = 1 << 20


@dataclass
class Fault:
    """Befalls the `nth` message that contains `marker`, counted over all connections, or over those
    in which `after` was said before.

    `cut before`: the server never hears it; `cut after`: it does, but its answer is lost. The
    others are refusals by the server, which never hears the message either.
    """

    trouble: Trouble
    marker: bytes
    nth: int = 1
    after: bytes = b""
    seen: int = 0
    fell: bool = False


@dataclass
class Wire:
    url: str
    fault: Fault | None = None
    is_down: bool = False
    _pairs: list["Pair"] = field(default_factory=list)
    _guard: Lock = field(default_factory=Lock)

    def fail(self, trouble: Trouble, marker: bytes, nth: int = 1, *, after: bytes = b"") -> Fault:
        self.fault = Fault(trouble, marker, nth, after)
        return self.fault

    def cut(self) -> None:
        """Every connection, at once; new ones are let through unless it `is_down`."""
        with self._guard:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            pair.hang_up()

    def befalls(self, message: bytes, pair: "Pair") -> Trouble | None:
        with self._guard:
            fault = self.fault
            if fault is None or fault.fell:
                return None
            if fault.after in message:
                pair.primed_for = fault
            if pair.primed_for is not fault or fault.marker not in message:
                return None
            fault.seen += 1
            fault.fell = fault.seen == fault.nth
            return fault.trouble if fault.fell else None

    def connect(self, client: socket.socket, server_path: str) -> None:
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(server_path)
        except OSError:
            client.close()
            return
        pair = Pair(client, server)
        with self._guard:
            self._pairs.append(pair)
        Thread(target=pair.to_server, args=(self.befalls,), daemon=True).start()
        Thread(target=pair.to_client, daemon=True).start()


@dataclass(eq=False)
class Pair:
    """One session; `muted`: what the server answers from now on is lost."""

    client: socket.socket
    server: socket.socket
    muted: bool = False
    primed_for: Fault | None = None

    def to_server(self, befalls: "Callable[[bytes, Pair], Trouble | None]") -> None:
        with suppress(OSError):
            while message := self.client.recv(LARGEST):
                trouble = befalls(message, self)
                if trouble is None:
                    self.server.sendall(message)
                elif trouble in SQLSTATE:
                    self.client.sendall(_refusal(SQLSTATE[trouble]))
                elif trouble == "cut after":
                    self.muted = True
                    self.server.sendall(message)
                    self.server.shutdown(socket.SHUT_WR)
                    return  # the server ends when it is done, and with it the other direction
                else:
                    break
        self.hang_up()

    def to_client(self) -> None:
        with suppress(OSError):
            while message := self.server.recv(LARGEST):
                if not self.muted:
                    self.client.sendall(message)
        self.hang_up()

    def hang_up(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def _refusal(state: bytes) -> bytes:
    """ErrorResponse, and ReadyForQuery in a transaction that failed (protocol 3.0)."""
    fields = b"SERROR\0VERROR\0C" + state + b"\0Minjected by the wire\0\0"
    return b"E" + (len(fields) + 4).to_bytes(4) + fields + b"Z" + (5).to_bytes(4) + b"E"


@contextmanager
def wire_to(database_url: str) -> Iterator[Wire]:
    """In front of a server behind a unix socket, as tests.servers starts it."""
    url = make_url(database_url)
    path = str(Path(str(url.query["host"])) / ".s.PGSQL.5432")
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        there = url.set(host="127.0.0.1", port=port, query={"sslmode": "disable"})
        wire = Wire(there.render_as_string(hide_password=False))

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = door.accept()
                    if wire.is_down:
                        client.close()
                    else:
                        wire.connect(client, path)

        Thread(target=accept, daemon=True).start()
        yield wire
        wire.cut()
