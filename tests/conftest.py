"""What tests stand on: real databases, a real Redis, and an installation in a folder of its own."""

import shutil
from collections.abc import Generator, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import httpx
import httpx2
import pytest

from app import clock
from app.connections import Directory
from app.hall import Hall, open_hall
from app.settings import Rate, Settings
from tests import canaries, servers


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test and the code under it print is looked through for secrets."""
    report = yield
    leaks = [
        f"{title}: {leak}" for title, text in report.sections for leak in canaries.found_in(text)
    ]
    if leaks and report.outcome == "passed":
        report.outcome = "failed"
        report.longrepr = f"a secret was printed: {', '.join(leaks)}"
    return report


@pytest.fixture(scope="session", autouse=True)
def answers_without_secrets() -> Iterator[None]:
    """So is what any client of the tests is answered."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in (httpx.Client, httpx2.Client):
            patch.setattr(kind, "send", canaries.watched(kind.send))
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.PostgresServer]:
    with servers.postgres_server() as server:
        if server is None:
            pytest.skip(servers.NO_POSTGRES)
        yield server


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[servers.RedisServer]:
    with servers.redis_server() as server:
        yield server


@pytest.fixture
def redis_url(shared_redis: servers.RedisServer) -> str:
    """An empty Redis on the one server of the session; tests that break one start their own."""
    shared_redis.flush()
    return shared_redis.url


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with empty tables, to be copied: to make it takes longer than many a test."""
    folder = tmp_path_factory.mktemp("migrated")
    open_hall(Settings(database_url=f"sqlite:///{folder}/bridge.db", var_dir=folder)).db.close()
    return folder / "bridge.db"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with nothing in it; every test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("migrated"), tmp_path / "bridge.db")
        return f"sqlite:///{tmp_path}/bridge.db"
    postgres: servers.PostgresServer = request.getfixturevalue("postgres")
    return postgres.recycled_database()


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def long_open(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hall]:
    folder = tmp_path_factory.mktemp("hall")
    url = f"sqlite:///{folder}/bridge.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").new_database()
    hall = open_hall(Settings(database_url=url, var_dir=folder), pool_size=12)
    yield hall
    hall.db.close()


@pytest.fixture(scope="module")
def opened(long_open: Hall) -> Hall:
    """A hall on each kind of database that the tests of a file share; each empties it first."""
    return replace(long_open, directory=Directory(long_open.db, long_open.vault))


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=database_url,
        var_dir=tmp_path / "var",
        quarantine=2,
        severa_rate=Rate(1000, 1),
        fortnox_rate=Rate(1000, 1),
    )


@pytest.fixture
def hall(settings: Settings) -> Iterator[Hall]:
    opened = open_hall(settings)
    yield opened
    opened.db.close()


@pytest.fixture
def now() -> datetime:
    return clock.now()
