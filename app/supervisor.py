"""Keeps named processes running in the foreground, and takes all of them down together."""

import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import BinaryIO

from app.backoff import Backoff

TICK = 0.1  # seconds between two looks at the children
LONGEST_LINE = 65536  # bytes; a longer line is passed on in pieces
COLOURS = (36, 33, 35, 32, 34, 96, 93, 95)

# Runs in the child, between fork and exec: a preexec_fn is unsafe where other threads run.
_TIE = """\
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, int(sys.argv[1]))  # PR_SET_PDEATHSIG
if os.getppid() != int(sys.argv[2]): os._exit(1)
os.execvp(sys.argv[3], sys.argv[3:])
"""


def tied_to_parent(argv: Sequence[str], number: signal.Signals) -> list[str]:
    """A command that gets the signal when the thread that starts it ends, however that happens.

    Only Linux can do that; elsewhere the command comes back as it was.
    """
    if sys.platform != "linux":
        return list(argv)
    return [sys.executable, "-I", "-S", "-c", _TIE, str(int(number)), str(os.getpid()), *argv]


@dataclass(frozen=True)
class Child:
    """One process to keep alive; `env` is its whole environment, None means ours."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None


@dataclass
class _Life:
    """What is known of one child right now."""

    child: Child
    label: bytes
    wait: float = 0.0
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    code: int = 0

    def buried(self) -> bool:
        """Whether the process has ended; what it left in its group is ended too."""
        if self.process is None:
            return False
        code = self.process.poll()
        if code is None:
            return False
        self.kill()
        self.process, self.code = None, code
        return True

    def kill(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):  # macOS says EPERM of a dead group
                os.killpg(self.process.pid, signal.SIGKILL)


@dataclass
class _Pipe:
    """The output of one process, cut into lines."""

    label: bytes
    rest: bytes = b""

    def lines(self, data: bytes) -> list[bytes]:
        *whole, self.rest = (self.rest + data).split(b"\n")
        if len(self.rest) > LONGEST_LINE or (self.rest and not data):
            whole.append(self.rest)
            self.rest = b""
        return whole


@dataclass
class Supervisor:
    """Runs children until SIGTERM, SIGINT, SIGHUP or `stop()`, and restarts those that die.

    On Linux a child is killed when the supervisor dies without a word: an orphan would keep its
    port. `ready` runs in a thread once everything is started; if it fails, so does the whole run.
    `colours`: for the names in a terminal.
    """

    children: Sequence[Child]
    grace: float = 30.0
    backoff: Backoff = field(default_factory=Backoff)
    ready: Callable[[], object] | None = None
    log: Callable[..., object] | None = None
    output: BinaryIO = field(default_factory=lambda: sys.stdout.buffer)
    colours: bool = True

    def __post_init__(self) -> None:
        self._lives = [
            _Life(child, label) for child, label in zip(self.children, self._labels(), strict=True)
        ]
        self._selector: selectors.BaseSelector = selectors.DefaultSelector()
        self._ear, self._bell = socket.socketpair()
        self._ear.settimeout(0)
        self._bell.settimeout(0)
        self._stopping = threading.Event()
        self._herald: threading.Thread | None = None
        self._hurry = False
        self._failed = False

    def run(self) -> int:
        """Blocks until everything has ended; answers the exit code. Runs once."""
        with self._signals():
            try:
                self._selector.register(self._ear, selectors.EVENT_READ)
                self._start_all()
                while not self._stopping.is_set():
                    self._pass_on(TICK)
                    self._tend()
            finally:
                self._end()
        if self._failed and self._herald is not None:
            self._herald.join()  # its traceback is printed as it ends
        return 1 if self._failed else 0

    def stop(self) -> None:
        """Asks `run` to end everything; safe in a signal handler and in any thread."""
        self._stopping.set()
        with suppress(OSError):  # full or closed: it will look anyway
            self._bell.send(b".")

    # -- starting and restarting

    def _start_all(self) -> None:
        for life in self._lives:
            self._start(life)
        if self.ready is not None:
            self._herald = threading.Thread(target=self._tell, args=(self.ready,), daemon=True)
            self._herald.start()

    def _tell(self, ready: Callable[[], object]) -> None:
        try:
            ready()
        except BaseException:
            self._failed = True
            self.stop()
            raise

    def _start(self, life: _Life) -> None:
        # Signals that reach our process group, like a terminal's Ctrl-C, must not reach a child.
        life.process = subprocess.Popen(  # noqa: S603 - the command is the caller's own
            tied_to_parent(life.child.argv, signal.SIGKILL),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=life.child.env,
            process_group=0,
        )
        life.started = time.monotonic()
        if life.process.stdout is not None:
            self._selector.register(
                life.process.stdout, selectors.EVENT_READ, data=_Pipe(life.label)
            )

    def _tend(self) -> None:
        now = time.monotonic()
        for life in self._lives:
            if life.buried():
                self._postpone(life, now)
            elif life.process is None and now >= life.due:
                self._restart(life, now)

    def _restart(self, life: _Life, now: float) -> None:
        try:
            self._start(life)
        except OSError as error:  # the machine has no room for another process just now
            self._report("supervisor.not_restarted", name=life.child.name, error=error)
            life.started = now
            self._postpone(life, now)
        else:
            self._report("supervisor.restarted", name=life.child.name, code=life.code)

    def _postpone(self, life: _Life, now: float) -> None:
        life.wait = self.backoff.after(life.wait, now - life.started)
        life.due = now + life.wait

    # -- ending

    def _end(self) -> None:
        for life in reversed(self._lives):
            if life.process is not None:
                life.process.terminate()
        deadline = time.monotonic() + self.grace
        while self._alive() and time.monotonic() < deadline and not self._hurry:
            self._pass_on(TICK / 2)
        self._kill_what_is_left()
        self._pass_on_the_rest()
        self._close()

    def _alive(self) -> bool:
        for life in self._lives:
            life.buried()
        return any(life.process is not None for life in self._lives)

    def _kill_what_is_left(self) -> None:
        for life in reversed(self._lives):
            if life.process is not None:
                life.kill()
                life.process.wait()

    def _pass_on_the_rest(self) -> None:
        deadline = time.monotonic() + 1.0  # a process that left its group may hold a pipe open
        while len(self._selector.get_map()) > 1 and time.monotonic() < deadline:
            self._pass_on(TICK / 10)

    def _close(self) -> None:
        for key in list(self._selector.get_map().values()):
            self._hang_up(key)
        self._selector.close()
        self._ear.close()
        self._bell.close()

    # -- output

    def _pass_on(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            if not isinstance(key.data, _Pipe):
                with suppress(BlockingIOError):
                    self._ear.recv(4096)
                continue
            data = os.read(key.fd, LONGEST_LINE)
            self._write([key.data.label + line for line in key.data.lines(data)])
            if not data:
                self._hang_up(key)

    def _hang_up(self, key: selectors.SelectorKey) -> None:
        self._selector.unregister(key.fileobj)
        if not isinstance(key.fileobj, int):
            key.fileobj.close()  # type: ignore[attr-defined]

    def _write(self, lines: Sequence[bytes]) -> None:
        if not lines:
            return
        try:
            self.output.write(b"".join(line + b"\n" for line in lines))
            self.output.flush()
        except OSError:  # nobody reads us any more: the terminal or the pipe is gone
            self.stop()

    def _labels(self) -> Iterator[bytes]:
        width = max((len(child.name) for child in self.children), default=0)
        for number, child in enumerate(self.children):
            label = f"{child.name:<{width}} | "
            if self.colours and self.output.isatty():
                label = f"\x1b[{COLOURS[number % len(COLOURS)]}m{label}\x1b[0m"
            yield label.encode()

    def _report(self, event: str, **fields: object) -> None:
        if self.log is not None:
            self.log(event, **fields)
        else:
            facts = " ".join(f"{name}={value}" for name, value in fields.items())
            self._write([f"{event} {facts}".encode()])

    # -- signals

    @contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's shape
        # Only a second Ctrl-C ends the grace: make and init systems may send SIGTERM twice.
        if number == signal.SIGINT and self._stopping.is_set():
            self._hurry = True
        self.stop()
