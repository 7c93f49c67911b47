"""The folder of one embedded Redis: who owns it, and the small files that all may read."""

import os
import sys
import time
from pathlib import Path
from typing import IO

if sys.platform != "win32":
    import fcntl


class Folder:
    """Whoever holds its lock owns it; a process that ends, however it ends, holds it no more."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[bytes] | None = None

    @property
    def is_own(self) -> bool:
        return self._lock is not None

    def own(self) -> bool:
        """Whether it is ours now; it is not while another process owns it."""
        lock = self.open("lock", os.O_APPEND)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        return True

    def disown(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def make(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def file(self, suffix: str) -> Path:
        return self.path / f"redis.{suffix}"

    def open(self, suffix: str, how: int) -> IO[bytes]:
        """`how`: the flag beside writing and creating, O_TRUNC or O_APPEND."""
        return os.fdopen(os.open(self.file(suffix), os.O_WRONLY | os.O_CREAT | how, 0o600), "wb")

    def read(self, suffix: str) -> str:
        try:
            return self.file(suffix).read_text()
        except FileNotFoundError:
            return ""

    def keep(self, suffix: str, text: str) -> None:
        """Whole or not at all: others may be reading it."""
        with self.open(f"{suffix}.new", os.O_TRUNC) as file:
            file.write(text.encode())
        self.file(f"{suffix}.new").replace(self.file(suffix))

    @property
    def url(self) -> str:
        """With its password; empty before the first start."""
        url = self.read("url")
        return url if url.startswith("redis://") else ""

    @property
    def pid(self) -> int:
        """Of the server that was started last; 0 before the first start."""
        pid = self.read("pid")
        return int(pid) if pid.isdigit() else 0

    def set_data_aside(self) -> None:
        """Nothing of value lives in Redis only, so unreadable data must not stop the bridge."""
        for name in ("appendonlydir", "appendonly.aof"):
            data = self.path / name
            if data.exists():
                data.rename(self.path / f"{name}.unreadable-{time.time_ns()}")
