"""A lock that lives exactly as long as a process: who can take it knows that the holder is gone.

A time lease would let a paused process wake up and send a second time; this cannot expire
under a live holder. PostgreSQL: a session advisory lock on a connection of its own.
SQLite: flock on a file.
"""

import fcntl
import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Protocol
from uuid import uuid4

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from app.db import Database
from app.errors import BridgeError


class LockLost(BridgeError):
    """This process can no longer prove that it is the holder: it must not send anything."""


class ProcessLock(Protocol):
    """`name` is unique to one life of one process."""

    name: str

    def still_held(self) -> bool: ...
    def is_gone(self, name: str) -> bool:
        """Whether the process of that name has ended for good."""

    def release(self) -> None: ...


def host_name() -> str:
    return socket.gethostname()[:24]


def process_name(kind: str) -> str:
    return f"{kind}-{host_name()}-{os.getpid()}-{uuid4().hex[:12]}"


@contextmanager
def alone(db: Database, what: str, var_dir: Path) -> Iterator[None]:
    """One holder of `what` at a time, over all processes; waits for its turn."""
    if db.is_sqlite:
        folder = var_dir / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{_safe(what)}.turn").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _key(what)})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _key(what)})


def take(db: Database, kind: str, var_dir: Path) -> ProcessLock:
    name = process_name(kind)
    return FileLock(name, var_dir / "locks") if db.is_sqlite else AdvisoryLock(name, db)


def lead(db: Database, what: str, kind: str, var_dir: Path) -> ProcessLock | None:
    """The one place at the head of `what`, over all processes; None while another has it."""
    name = process_name(kind)
    try:
        if db.is_sqlite:
            return LeadingFileLock(name, var_dir / "locks", what)
        return AdvisoryLock(name, db, what)
    except LockLost:
        return None


class FileLock:
    def __init__(self, name: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name, self._folder = name, folder
        self._file = (folder / name).open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def still_held(self) -> bool:
        return not self._file.closed

    def is_gone(self, name: str) -> bool:
        if name == self.name:
            return False
        path = self._folder / name
        try:
            with path.open() as other:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return True
        except BlockingIOError:
            return False
        path.unlink(missing_ok=True)
        return True

    def release(self) -> None:
        with suppress(FileNotFoundError):
            (self._folder / self.name).unlink()
        self._file.close()


class LeadingFileLock(FileLock):
    """Its file stays: were it removed, two processes could each hold a file of that name."""

    def __init__(self, name: str, folder: Path, what: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name, self._folder = name, folder
        self._file = (folder / f"{_safe(what)}.lead").open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise LockLost(f"another process leads {what}") from error

    def release(self) -> None:
        self._file.close()


class AdvisoryLock:
    def __init__(self, name: str, db: Database, what: str = "") -> None:
        self._engine = db.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._guard = Lock()
        self.name = name
        self._connection = self._open()
        self._session = self._connection.scalar(text("SELECT pg_backend_pid()"))
        if not self._try(self._connection, what or name):
            self._connection.close()
            raise LockLost(f"{what or name} is held by another process")

    def still_held(self) -> bool:
        with self._guard:
            try:
                session = self._connection.scalar(text("SELECT pg_backend_pid()"))
            except SQLAlchemyError:
                return False
            return bool(session == self._session)  # a new session would not hold the lock

    def is_gone(self, name: str) -> bool:
        if name == self.name:
            return False
        with self._open() as other:
            return self._try(other, name)

    def release(self) -> None:
        with self._guard, suppress(SQLAlchemyError):
            self._connection.close()  # not of the pool: the session ends, and the lock with it

    def _open(self) -> Connection:
        """Outside the pool: closing it must end the session, and with it the lock."""
        connection = self._engine.connect()
        connection.detach()
        return connection

    @staticmethod
    def _try(connection: Connection, name: str) -> bool:
        query = text("SELECT pg_try_advisory_lock(:key)")
        return bool(connection.scalar(query, {"key": _key(name)}))


def _key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


def _safe(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:24]
