"""The database: an engine, and `with db.transaction()`; SQLite embedded or PostgreSQL.

No transaction is held open while a vendor is called: `in_transaction` lets the windows check that.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from time import monotonic
from typing import Any, cast

from sqlalchemy import Connection, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DataError, IntegrityError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from app.errors import CannotStore

RESTED_SECONDS = 1.0

Tx = Connection  # an open transaction, for those who only pass it on

_open: ContextVar[int] = ContextVar("open_transactions", default=0)


def in_transaction() -> bool:
    return _open.get() > 0


class Database:
    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.url = _driver(make_url(url))
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._prepare_folder()
        self.engine = create_engine(self.url, **self._options(pool_size))
        if self.is_sqlite:
            event.listen(self.engine, "connect", _sqlite_connect)
            event.listen(self.engine, "begin", _sqlite_begin)
        else:
            event.listen(self.engine, "checkin", _rest)
            event.listen(self.engine, "checkout", self._look_whether_it_lives)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Commits at the end, rolls back on any error; SQLite waits for its one writer's place."""
        with self._opened(write=True) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """In PostgreSQL each statement sees what is committed when it begins, as it would within a
        transaction there; without one, two journeys to the server are spared.
        """
        with self._opened(write=False, **self._no_transaction) as connection:
            yield connection

    @contextmanager
    def browsing(self) -> Iterator[Connection]:
        """To read row by row: the server keeps its place within a transaction only."""
        with self._opened(write=False) as connection:
            yield connection

    @contextmanager
    def single(self) -> Iterator[Connection]:
        """For one statement: PostgreSQL makes it a transaction by itself."""
        with self._opened(write=True, **self._no_transaction) as connection:
            yield connection

    @property
    def _no_transaction(self) -> dict[str, str]:
        return {} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}

    @contextmanager
    def _opened(self, **options: Any) -> Iterator[Connection]:
        token = _open.set(_open.get() + 1)
        try:
            with (
                self.engine.connect().execution_options(**options) as connection,
                connection.begin(),
            ):
                yield connection
        finally:
            _open.reset(token)

    def ping(self) -> None:
        with self.reading() as tx:
            tx.execute(text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()

    def _look_whether_it_lives(
        self, connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object
    ) -> None:
        """One that was used a moment ago is taken at its word: asking costs a whole journey."""
        if monotonic() - record.info.get("rests_since", monotonic()) < RESTED_SECONDS:
            return
        dialect = self.engine.dialect
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error  # the others are as old; a new one is made

    def _prepare_folder(self) -> None:
        if self.url.database and self.url.database != ":memory:":
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)

    def _options(self, pool_size: int) -> dict[str, Any]:
        if self.is_sqlite:
            connect: dict[str, Any] = {"timeout": 15, "check_same_thread": False}
        else:
            connect = {
                "connect_timeout": 5,
                "keepalives_idle": 60,
                "keepalives_interval": 10,
                "keepalives_count": 3,
                "application_name": "severa-fortnox-bridge",
            }
        return {
            "pool_size": pool_size,
            "max_overflow": 16,
            "hide_parameters": True,  # an error must not print what was to be stored
            "pool_timeout": 10,
            "connect_args": connect,
        }


@contextmanager
def storing() -> Iterator[None]:
    """Whatever the database says against it means: this is not stored."""
    try:
        yield
    except (DataError, IntegrityError) as error:
        raise CannotStore(type(error).__name__, is_about_content=True) from error
    except SQLAlchemyError as error:
        raise CannotStore(type(error).__name__) from error


def _driver(url: URL) -> URL:
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    return url


def _rest(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["rests_since"] = monotonic()


def _sqlite_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see below
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000"):
        connection.execute(f"PRAGMA {pragma}").close()


def _sqlite_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def upsert(tx: Connection, table: Table) -> postgresql.Insert:
    """An INSERT that knows ON CONFLICT; both databases word it alike."""
    return insert_into(table, tx.dialect.name)


def insert_into(table: Table, dialect: str) -> postgresql.Insert:
    """The same, for statements that are built once and kept."""
    if dialect == "sqlite":
        return cast("postgresql.Insert", sqlite.insert(table))
    return postgresql.insert(table)
