"""Never more calls than the vendor allows, by however many threads and processes, Redis or not."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import OutOfMemoryError
from redis.retry import Retry
from structlog.testing import capture_logs

from app.errors import TryLater
from app.limits import TRAVEL, Limits
from app.settings import Rate
from tests.servers import RedisServer, redis_server

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parent.parent
FORTNOX = "fortnox"
PROCESS = """\
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from redis import Redis
from app.limits import Limits
from app.settings import Rate
url, connection, calls, seconds, each = sys.argv[1:]
with Redis.from_url(url, socket_timeout=1) as client, ThreadPoolExecutor(8) as pool:
    limits = Limits(client, {"fortnox": Rate(int(calls), float(seconds))})
    def call(_):
        limits.wait_turn(connection, "fortnox")
        return time.monotonic()
    limits.left(connection, "fortnox")
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(list(pool.map(call, range(int(each))))))
"""


class Stopped(Exception):
    pass


class Client(Redis):
    """Counts what it is asked to say."""

    said = 0

    def execute_command(self, *args: Any, **options: Any) -> Any:
        self.said += 1
        return super().execute_command(*args, **options)


class Clock:
    ahead = 0.0
    stopped: float | None = None

    def __call__(self) -> float:
        return (self.stopped or time.monotonic()) + self.ahead


class Process:
    """What one process has: a client and a budget of its own."""

    def __init__(self, url: str, rate: Rate, timeout: float, **how: Any) -> None:
        self.client = Client.from_url(
            url,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
        )
        self.clock = Clock()
        rates = {"fortnox": rate, "severa": rate}
        self.limits = Limits(self.client, rates, clock=self.clock, **how)

    def may_call(self, connection: str, lane: int = 0, system: Any = FORTNOX) -> bool:
        try:
            self.limits.wait_turn(connection, system, lane, patience=0)
        except TryLater:
            return False
        return True

    def calls(self, connection: str, lane: int = 0, tries: int = 50) -> int:
        """How many of many tries are permitted at once."""
        return sum(self.may_call(connection, lane) for _ in range(tries))


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def frail() -> Iterator[RedisServer]:
    """A server of its own for a test that mistreats it."""
    with redis_server() as server:
        yield server


@pytest.fixture
def connection() -> str:
    return uuid4().hex


@pytest.fixture
def process() -> Iterator[Callable[..., Process]]:
    made: list[Process] = []

    def make(server: RedisServer, rate: Rate, *, timeout: float = 1.0, **how: Any) -> Process:
        made.append(Process(server.url, rate, timeout, **how))
        return made[-1]

    yield make
    for each in made:
        each.client.close()


def assert_kept(times: list[float], rate: Rate) -> None:
    """No window of `rate.seconds`, wherever it starts, holds more than `rate.calls`."""
    times = sorted(times)
    for first, one_too_many in zip(times, times[rate.calls :], strict=False):
        assert one_too_many - first >= rate.seconds


def test_processes_and_threads_together_keep_every_window(server, connection, process) -> None:
    rate = Rate(10, 0.5)
    command = [sys.executable, "-c", PROCESS, server.url, connection, "10", "0.5", "15"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    others = [subprocess.Popen(command, **pipes) for _ in range(2)]
    assert [other.stdout.readline() for other in others] == ["ready\n"] * 2

    def call(_: int) -> float:
        here.limits.wait_turn(connection, FORTNOX)
        return time.monotonic()

    here = process(server, rate)
    for other in others:
        other.stdin.write("go\n")
        other.stdin.flush()
    with ThreadPoolExecutor(16) as pool:
        times = list(pool.map(call, range(15)))
    for other in others:
        times += json.loads(other.communicate()[0])
    assert len(times) == 45
    assert_kept(times, rate)


def test_a_backlog_takes_little_more_than_the_ideal(server, connection, process) -> None:
    limits = process(server, Rate(25, 0.3)).limits

    def call(_: int) -> float:
        limits.wait_turn(connection, FORTNOX)
        return time.monotonic()

    with ThreadPoolExecutor(16) as pool:
        times = list(pool.map(call, range(100)))
    ideal = 3 * (0.3 + TRAVEL)
    assert ideal - 0.005 <= max(times) - min(times) < ideal + 0.3
    assert_kept(times, Rate(25, 0.3))


def test_a_refused_call_is_not_counted(server, connection, process) -> None:
    one = process(server, Rate(3, 60))
    assert one.calls(connection) == 3
    assert one.client.zcard(f"limit:{connection}:fortnox") == 3
    assert one.limits.left(connection, FORTNOX) == 0


def test_what_takes_longer_than_the_patience_says_when(server, connection, process) -> None:
    one = process(server, Rate(1, 60))
    one.limits.wait_turn(connection, FORTNOX)
    with pytest.raises(TryLater) as later:
        one.limits.wait_turn(connection, FORTNOX, patience=59)
    assert (later.value.reason.code, later.value.reason.facts) == (
        "rate_limited",
        {"system": "fortnox"},
    )
    assert timedelta(seconds=59) < later.value.after <= timedelta(seconds=60 + TRAVEL)


def test_what_is_left_is_the_same_for_all_and_costs_nothing(server, connection, process) -> None:
    one, two = process(server, Rate(5, 60)), process(server, Rate(5, 60))
    assert one.calls(connection, tries=2) == 2
    assert [p.limits.left(connection, FORTNOX) for p in (one, two, one, two)] == [3, 3, 3, 3]
    assert two.calls(connection) == 3


def test_connections_and_systems_have_their_own_budgets(server, connection, process) -> None:
    one = process(server, Rate(2, 60))
    assert one.calls(connection) == 2
    assert one.calls(f"{connection}2") == 2
    assert [one.may_call(connection, system="severa") for _ in range(3)] == [True, True, False]


def test_nothing_stays_behind(server, connection, process) -> None:
    one = process(server, Rate(1, 1), sleep=lambda _: pytest.fail("slept"))
    one.may_call(connection)
    one.limits.back_off(connection, FORTNOX, 3)
    with pytest.raises(pytest.fail.Exception):
        one.limits.wait_turn(connection, FORTNOX)
    keys = sorted(one.client.scan_iter(f"*{connection}*"))
    name = f"limit:{connection}:fortnox".encode()
    assert keys == [name, name + b":live", name + b":paused"]
    assert all(0 < one.client.pttl(key) < 4000 for key in keys)


def test_a_server_that_forgot_the_script_is_told_it_again(server, connection, process) -> None:
    one = process(server, Rate(4, 60))
    with capture_logs() as logs:
        assert one.calls(connection, tries=2) == 2
        one.client.script_flush()
        assert one.calls(connection) == 2
    assert logs == []


def test_a_clock_that_was_set_back_does_not_lock_the_window(server, connection, process) -> None:
    one = process(server, Rate(2, 0.2))
    hour = (time.time() + 3600) * 1e6
    one.client.zadd(f"limit:{connection}:fortnox", {"somebody:1:1": hour, "somebody:1:2": hour})
    assert one.calls(connection) == 0
    one.limits.wait_turn(connection, FORTNOX, patience=1)


# -- lanes


def test_the_background_leaves_a_fifth_for_live_calls(server, connection, process) -> None:
    one = process(server, Rate(25, 60))
    assert one.calls(connection, lane=1) == 20
    assert one.calls(connection, lane=0) == 5


@pytest.mark.parametrize(("calls", "background"), [(1, 1), (2, 1), (4, 3), (10, 8)])
def test_a_small_budget_is_left_one_call_and_keeps_one(
    server, connection, process, calls: int, background: int
) -> None:
    assert process(server, Rate(calls, 60)).calls(connection, lane=2) == background


def test_live_calls_pass_a_backfill_within_a_window(server, connection, process) -> None:
    """Twelve at once: more than the reserve, so they have to push the backfill aside."""
    rate, stop = Rate(10, 0.5), threading.Event()
    backfill, worker = process(server, rate), process(server, rate)
    times: list[float] = []

    def fill() -> None:
        while not stop.is_set():
            backfill.limits.wait_turn(connection, FORTNOX, lane=1)
            times.append(time.monotonic())

    def live(_: int) -> float:
        began = time.monotonic()
        worker.limits.wait_turn(connection, FORTNOX)
        times.append(time.monotonic())
        return times[-1] - began

    with ThreadPoolExecutor(8) as crowd, ThreadPoolExecutor(12) as pool:
        crowd_is_done = [crowd.submit(fill) for _ in range(8)]
        while len(times) < 8:
            stop.wait(0.001)
        waits = list(pool.map(live, range(12)))
        stop.set()
    assert all(done.result() is None for done in crowd_is_done)
    assert max(waits) < rate.seconds + TRAVEL + 0.2
    assert_kept(times, rate)


def test_the_background_waits_for_as_many_as_it_needs(server, connection, process) -> None:
    one, now = process(server, Rate(10, 60)), time.time()
    ages = {f"somebody:1:{age}": (now - age) * 1e6 for age in range(50, 60)}
    one.client.zadd(f"limit:{connection}:fortnox", ages)
    with pytest.raises(TryLater) as later:
        one.limits.wait_turn(connection, FORTNOX, lane=1, patience=0)
    assert abs(later.value.after.total_seconds() - (60 + TRAVEL - 57)) < 0.5


# -- the vendor says 429


def test_a_back_off_holds_for_every_process(server, connection, process) -> None:
    one, two = process(server, Rate(5, 60)), process(server, Rate(5, 60))
    one.limits.back_off(connection, FORTNOX, 30)
    one.limits.back_off(connection, FORTNOX, 1)
    with pytest.raises(TryLater) as later:
        two.limits.wait_turn(connection, FORTNOX, patience=10)
    assert timedelta(seconds=29) < later.value.after <= timedelta(seconds=30.1)
    assert (one.calls(connection), two.limits.left(connection, FORTNOX)) == (0, 0)
    assert one.may_call(connection, system="severa")
    assert one.may_call(f"{connection}2")


def test_a_back_off_ends_when_it_said(server, connection, process) -> None:
    one, two = process(server, Rate(5, 60)), process(server, Rate(5, 60))
    began = time.monotonic()
    one.limits.back_off(connection, FORTNOX, 0.3)
    two.limits.wait_turn(connection, FORTNOX)
    assert 0.3 <= time.monotonic() - began < 0.5
    assert two.limits.left(connection, FORTNOX) == 4


def test_a_back_off_said_while_redis_is_away_reaches_the_others(frail, connection, process) -> None:
    one, two = process(frail, Rate(5, 60)), process(frail, Rate(5, 60))
    frail.kill()
    one.limits.back_off(connection, FORTNOX, 30)
    assert (one.calls(connection), one.limits.left(connection, FORTNOX)) == (0, 0)
    frail.restart()
    one.clock.ahead += 1
    assert one.calls(connection) == 0
    assert two.calls(connection) == 0


def test_a_back_off_heard_of_is_remembered_without_redis(frail, connection, process) -> None:
    one, two = process(frail, Rate(5, 60)), process(frail, Rate(5, 60))
    one.limits.back_off(connection, FORTNOX, 30)
    assert two.calls(connection) == 0
    frail.kill()
    assert two.calls(connection) == 0


# -- without Redis


def kill(server: RedisServer) -> None:
    server.kill()


def pause(server: RedisServer) -> None:
    server.pause()


def make_read_only(server: RedisServer) -> None:
    with Redis.from_url(server.url) as client:
        client.replicaof("127.0.0.1", 1)


@pytest.mark.parametrize("harm", [kill, pause, make_read_only])
def test_without_redis_a_process_keeps_to_a_quarter(frail, connection, process, harm) -> None:
    one = process(frail, Rate(16, 60), timeout=0.3)
    assert one.calls(connection, tries=1) == 1
    with capture_logs() as logs:
        harm(frail)
        with ThreadPoolExecutor(16) as pool:
            permitted = list(pool.map(one.may_call, [connection] * 48))
    assert sum(permitted) == 3  # and the one that Redis gave
    assert [(log["event"], log["log_level"]) for log in logs] == [("limits.local", "warning")]


def test_a_redis_that_is_full_still_counts(frail, connection, process) -> None:
    """A script whose first command only deletes may write; a budget is a few hundred bytes."""
    one, two = process(frail, Rate(16, 60)), process(frail, Rate(16, 60))
    one.client.config_set("maxmemory", 1)
    with pytest.raises(OutOfMemoryError):
        one.client.set("anything", 1)
    with capture_logs() as logs:
        assert one.calls(connection, tries=7) == 7
        assert two.calls(connection) == 9
    assert logs == []


def test_a_redis_that_refuses_the_script_counts_as_away(frail, connection, process) -> None:
    one = process(frail, Rate(16, 60))
    one.client.acl_setuser("default", commands=["-zadd"])
    assert one.calls(connection) == 4


def test_without_redis_at_all_the_smallest_budget_is_one_call(frail, connection, process) -> None:
    one = process(frail, Rate(3, 60))
    frail.kill()
    assert one.limits.left(connection, FORTNOX) == 1
    assert one.calls(connection) == 1
    assert one.limits.left(connection, FORTNOX) == 0


def test_without_redis_the_background_leaves_room_too(frail, connection, process) -> None:
    one = process(frail, Rate(25, 60))
    frail.kill()
    assert one.calls(connection, lane=1) == 5
    assert one.calls(connection, lane=0) == 1


def test_without_redis_the_background_stands_back_too(frail, connection, process) -> None:
    def sleep(_: float) -> None:
        raise Stopped

    one = process(frail, Rate(4, 0.5), sleep=sleep)
    frail.kill()
    one.clock.stopped = time.monotonic()
    assert one.calls(connection) == 1
    with pytest.raises(Stopped):
        one.limits.wait_turn(connection, FORTNOX)
    one.clock.ahead = 0.5 + TRAVEL + 0.01
    assert not one.may_call(connection, lane=1)
    assert one.may_call(connection)


def test_a_redis_that_is_away_is_asked_once_a_second(frail, connection, process) -> None:
    one = process(frail, Rate(8, 60))
    frail.kill()
    one.calls(connection)
    assert one.client.said == 1
    one.clock.ahead += 1
    one.calls(connection)
    assert one.client.said == 2


def test_nobody_waits_for_the_one_who_asks_a_hung_redis(frail, connection, process) -> None:
    one = process(frail, Rate(8, 60), timeout=0.5)
    frail.pause()
    assert one.may_call(connection)
    one.clock.ahead += 1
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(one.may_call, connection)
        while one.client.said == 1:
            time.sleep(0.001)
        one.calls(f"{connection}2")
        assert not asking.done()
        assert asking.result()


def test_calls_made_without_redis_count_when_it_is_back(frail, connection, process) -> None:
    one, two = process(frail, Rate(8, 60)), process(frail, Rate(8, 60))
    frail.kill()
    assert one.calls(connection) == 2
    frail.restart()
    with capture_logs() as logs:
        one.clock.ahead += 1
        assert one.calls(connection, tries=1) == 0
    assert [log["event"] for log in logs] == ["limits.shared"]
    assert one.client.zcard(f"limit:{connection}:fortnox") == 2
    assert two.calls(connection) == 0  # one window is left out: there may be more like `one`


def test_a_flushed_redis_lets_nobody_through_for_one_window(frail, connection, process) -> None:
    one, two, newcomer = (process(frail, Rate(8, 0.5)) for _ in range(3))
    assert (one.calls(connection, tries=3), two.calls(connection)) == (3, 5)
    frail.flush()
    began = time.monotonic()
    assert (one.calls(connection), two.calls(connection), newcomer.calls(connection)) == (0, 0, 0)
    newcomer.limits.wait_turn(connection, FORTNOX)
    assert time.monotonic() - began >= 0.5


def test_a_process_keeps_its_rate_whatever_happens_to_redis(frail, connection, process) -> None:
    rate, stop, times = Rate(8, 0.3), threading.Event(), []

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise Stopped

    one = process(frail, rate, timeout=0.2, sleep=sleep)

    def work() -> None:
        while True:
            one.limits.wait_turn(connection, FORTNOX)
            times.append(time.monotonic())

    def more_calls(number: int) -> None:
        wanted, deadline = len(times) + number, time.monotonic() + 10
        while len(times) < wanted:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    with ThreadPoolExecutor(16) as pool:
        workers = [pool.submit(work) for _ in range(16)]
        try:
            for harm, mend in (
                (frail.flush, lambda: None),
                (frail.pause, frail.resume),
                (frail.kill, frail.restart),
            ):
                more_calls(9)
                harm()
                more_calls(3)
                mend()
            more_calls(9)
        finally:
            stop.set()
    assert all(isinstance(worker.exception(), Stopped) for worker in workers)
    assert_kept(times, rate)
    assert max(later - earlier for earlier, later in pairwise(sorted(times))) < 3
