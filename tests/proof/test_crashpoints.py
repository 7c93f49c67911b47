"""A process that dies at any commit, or at any call to a vendor, leaves exactly one of everything.

The points are those that an undisturbed run passes. Between two of them nothing outside the process
changes, so that to die after one is to die before the next; `make crashpoints` tries both, at every
call that only reads too, on both databases, and kills the processes that recover at each of their
points as well. Here every second point that changes something is tried, and every fourth on the
other database, PostgreSQL.
"""

import os
from collections.abc import Iterator
from typing import TypeVar

import pytest

from app.worklist import RUNNING_PER_CONNECTION
from tests import servers
from tests.proof.scenarios import SCENARIOS, Scenario, scenes
from tests.proof.seams import Seam, Side
from tests.proof.stage import ROUNDS, Stage, stage

EVERY_POINT = bool(os.environ.get("CRASHPOINTS"))
Point = tuple[int, Side]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def theatre(
    request: pytest.FixtureRequest,
    shared_redis: servers.RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("crashes")
    url = f"sqlite:///{folder}/bridge.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").new_database()
    with stage(url, shared_redis.url, folder) as opened:
        severa = opened.partners.severa
        product = severa.find("products", "290")["guid"]
        opened.connect(bookkeep_invoices=True, transfer_attachments=True, default_product=product)
        opened.want(("project", severa.find("projects", 3001)["guid"]))
        opened.recover()
        yield opened


def points(passed: list[Seam], *, is_sample: bool) -> list[Point]:
    if EVERY_POINT:
        sides: tuple[Side, ...] = ("before", "after")
        return [(at, side) for at in range(len(passed)) for side in sides]
    changing = [at for at, one in enumerate(passed) if one.changes]
    first: list[Point] = [(changing[0], "before")]
    chosen = changing[:: 4 if is_sample else 2]
    return first + [(at, "after") for at in chosen]


@pytest.mark.processes
@pytest.mark.timeout(3600 if EVERY_POINT else 300)
@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_wherever_the_process_dies_there_is_one_of_everything(
    theatre: Stage, scenario: Scenario
) -> None:
    [undisturbed] = scenes(theatre, scenario, 1)
    theatre.want(*undisturbed.keys)
    passed = theatre.trace()
    assert set(undisturbed.count().values()) == {1}
    assert sum(one.changes for one in passed) >= 5
    chosen = points(passed, is_sample=not theatre.hall.db.is_sqlite)
    all_scenes = scenes(theatre, scenario, len(chosen))
    for some in batches(list(zip(chosen, all_scenes, strict=True))):
        for (at, side), scene in some:
            theatre.want(*scene.keys)
            assert theatre.die(at, side, takes_back=False), f"{side} {at} was not reached"
        for again in range(len(passed) if EVERY_POINT else 2):
            theatre.die(again * (1 if EVERY_POINT else 5), rounds=ROUNDS)
        theatre.recover()
        assert theatre.unsettled() == {}, [(passed[at].name, side) for (at, side), _ in some]
    counts = {
        f"{side} {at} {passed[at].name}": scene.count()
        for (at, side), scene in zip(chosen, all_scenes, strict=True)
    }
    wrong = {told: count for told, count in counts.items() if set(count.values()) != {1}}
    assert wrong == {}


T = TypeVar("T")


def batches(everything: list[T]) -> Iterator[list[T]]:
    """No more than may run at once for one company, where each may hold a second row it needs."""
    size = RUNNING_PER_CONNECTION // 2
    for first in range(0, len(everything), size):
        yield everything[first : first + size]
