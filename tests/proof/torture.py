"""Torture: thousands of invoices through processes that are killed, paused and lied to.

What happened is judged from outside alone, by the books of the two partner systems. A run is made
of rounds, each an installation of its own and a line of the report; a report that was begun goes on
where it ended.

    python -m tests.proof.torture --report torture.jsonl --seed 1
"""

import argparse
import json
import logging
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from app.sandbox.chaos import Fault
from app.sandbox.serving import free_port
from tests import servers
from tests.installation import (
    ADMIN_KEY,
    document,
    post_all,
    severa_event,
    until,
    vendors,
)
from tests.proof.crew import Crew, Forked, Programs
from tests.proof.nursery import Nursery

TRANSFER_NAME, RECEIVED_NAME = "Klar för Fortnox", "Mottagen i Fortnox"
CLIENT_PATIENCE = 1.0  # seconds; then a call has failed, though its work may still be done
LATE = 1.0  # seconds after which a late call takes effect
ADMIN_PATIENCE = 180.0  # seconds; on a busy machine a start takes its time
DRAIN = 60.0  # seconds from the last fault until everything must be done


@dataclass(frozen=True)
class Plan:
    """One round. `again`: of a hundred invoices, how many are announced once more; `faults`: the
    share of all calls that go wrong; `quarantine`: longer than any call can take effect late;
    `celery`: real workers and a sweeper, whose client waits longer than a hanging call is worth.
    """

    database: str = "postgres"
    invoices: int = 2000
    deliveries: int = 3200
    kills: int = 200
    stops: int = 20
    redis_troubles: int = 4
    database_restarts: int = 1
    api_kills: int = 4
    faults: float = 0.06
    workers: int = 4
    threads: int = 3
    quarantine: float = 4.0
    seed: int = 1
    longest: float = 900.0
    weakened: str = ""
    celery: bool = False


@dataclass
class Report:
    """What was done, and what both books say afterwards."""

    seed: int
    database: str
    invoices: int = 0
    deliveries: int = 0
    kills: int = 0
    stops: int = 0
    redis_troubles: int = 0
    database_restarts: int = 0
    api_kills: int = 0
    calls: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    celery: bool = False
    asked_a_person: int = 0
    storm_seconds: float = 0.0
    drained_seconds: float | None = None

    @property
    def is_clean(self) -> bool:
        bad = self.lost or self.doubled or self.unbalanced
        return not bad and self.drained_seconds is not None


def storm_of_faults(share: float, *, may_hang: bool) -> list[Fault]:
    """Every kind there is, `share` of all calls together; on any call of a vendor's API."""
    kinds = [
        Fault("refuse", status=429, headers={"Retry-After": "1"}),
        Fault("refuse", status=500),
        Fault("refuse", status=503, headers={"Retry-After": "1"}),
        Fault("refuse", status=200, body="<html>", content_type="text/html"),
        Fault("break"),
        Fault("hang"),
        Fault("lose"),
        Fault("stall", delay=CLIENT_PATIENCE / 4),
        Fault("stall", delay=CLIENT_PATIENCE * 1.3),
        Fault("late", delay=LATE),
        Fault("mask", status=502),
        Fault("mask", status=200, body='{"cut": '),
    ]
    kinds = [one for one in kinds if may_hang or one.kind != "hang"]
    path = r"/(v1|3)/"
    return [replace(one, path=path, times=None, chance=share / len(kinds)) for one in kinds]


class Torture:
    def __init__(self, plan: Plan, folder: Path, say: Callable[[str], None] = print) -> None:
        self.plan, self._folder, self._say = plan, folder, say
        self.report = Report(plan.seed, plan.database, celery=plan.celery)
        self._random = random.Random(plan.seed)
        self._workers: list[int] = []
        self._paused: dict[int, float] = {}
        self._calm = False

    def run(self) -> Report:
        with ExitStack() as stack:
            enter = stack.enter_context
            self._postgres = None
            if self.plan.database == "postgres":
                self._postgres = enter(servers.postgres_server())
                assert self._postgres is not None, servers.NO_POSTGRES
                database = self._postgres.new_database()
            else:
                database = f"sqlite:///{self._folder}/bridge.db"
            self._redis = enter(servers.redis_server())
            self.partners = enter(vendors())
            self._settings = self._settings_of(database)
            self._api = enter(self._api_server())
            self._crew = self._find_crew(stack)
            self._through_everything()
        return self.report

    def _through_everything(self) -> None:
        guids = self._ordered()
        self._hire(self._crew.size)
        began = time.monotonic()
        trouble = self._troubles()
        faults, may_hang = self.plan.faults, not self.plan.celery
        self.partners.fortnox.chaos.faults += storm_of_faults(faults, may_hang=may_hang)
        self.partners.severa.chaos.faults += storm_of_faults(faults, may_hang=may_hang)
        for number, one in enumerate((self.partners.fortnox, self.partners.severa)):
            one.chaos.seed(self.plan.seed * 2 + number)
        self.partners.fortnox.options.search_delay = 0.3
        with ThreadPoolExecutor(1) as sender:
            posting = sender.submit(self._deliver, guids)
            self._storm(trouble, guids, began)
            posting.result()
        self.report.storm_seconds = round(time.monotonic() - began, 1)
        self._calm_down()
        self._drain(guids)
        self._judge(guids)

    def _ordered(self) -> list[str]:
        severa, self._net = self.partners.severa, Decimal(0)
        guids = []
        for n in range(self.plan.invoices):
            guids.append(severa.add_simple_invoice(quantity=n % 7 + 1, price=100 + n % 13)["guid"])
            severa.set_status(guids[-1], TRANSFER_NAME)
        self.report.invoices = len(guids)
        self._admin("PUT", "/connections/acme", json=document())
        self._admin("POST", "/connections/acme/activate")
        return guids

    def _deliver(self, guids: list[str]) -> None:
        """Each at least once, out of order; repeats are of the same message or of a new one."""
        rest = self.plan.deliveries - len(guids)
        repeated = [self._random.choice(guids) for _ in range(rest)]
        knocks = [(f"msg_{n}", guid) for n, guid in enumerate(guids)]
        known = dict(zip(guids, (name for name, _ in knocks), strict=True))
        for n, guid in enumerate(repeated):
            knocks.append((known[guid] if n % 2 else f"msg_again_{n}", guid))
        knocks.sort(key=lambda knock: guids.index(knock[1]) + self._random.uniform(0, 200))
        sent = [(name, severa_event(guid)) for name, guid in knocks]
        for start in range(0, len(sent), 100):
            self._send(sent[start : start + 100])

    def _send(self, knocks: list[tuple[str, bytes]]) -> None:
        """Until they are taken; while the api starts anew the sender has to come back."""
        for _ in range(60):
            try:
                post_all(self._url, knocks, at_once=8)
            except AssertionError:
                continue
            self.report.deliveries += len(knocks)
            return
        raise RuntimeError("the api takes no events")

    # What goes wrong.

    def _troubles(self) -> list[Callable[[], None]]:
        plan = self.plan
        troubles = (
            [self._kill] * plan.kills
            + [self._pause] * plan.stops
            + [self._kill_api] * plan.api_kills
            + [self._break_redis] * plan.redis_troubles
            + [self._restart_database] * plan.database_restarts
        )
        self._random.shuffle(troubles)
        return troubles

    def _storm(self, troubles: list[Callable[[], None]], guids: list[str], began: float) -> None:
        """The troubles are spread over the work: each comes when so much of it is done."""
        total, last, idle = len(troubles), time.monotonic(), self._crew.start
        while troubles:
            if time.monotonic() - began > self.plan.longest:
                raise RuntimeError(f"not through within {self.plan.longest} s: {self.report}")
            done = self._received()
            passed = total - len(troubles)
            # As far as the work has come; or, when it stands still, a trouble now and then.
            if passed <= total * done / (len(guids) * 0.95) or time.monotonic() - last > idle:
                troubles.pop()()
                last = time.monotonic()
            self._tend()
            time.sleep(0.02)
            if passed % 50 == 0:
                self._mend_by_hand()

    def _kill(self) -> None:
        alive = [pid for pid in self._workers if pid not in self._paused]
        victim = self._random.choice(alive or self._workers)
        self._workers.remove(victim)
        self._paused.pop(victim, None)
        self._crew.kill(victim)
        self.report.kills += 1
        self._hire(1)

    def _pause(self) -> None:
        """Longer than the quarantine: half of them wake up, half are killed as they lie."""
        alive = [pid for pid in self._workers if pid not in self._paused]
        if not alive:
            return self._kill()
        victim = self._random.choice(alive)
        os.kill(victim, signal.SIGSTOP)
        self._paused[victim] = time.monotonic() + self.plan.quarantine * 1.3
        self.report.stops += 1
        return None

    def _kill_api(self) -> None:
        self._api.kill()
        self._api.wait()
        self._api = self._start_api()
        self.report.api_kills += 1

    def _break_redis(self) -> None:
        """Emptied, and killed the moment after."""
        self._redis.flush()
        self._redis.kill()
        self._redis.restart()
        self.report.redis_troubles += 1

    def _restart_database(self) -> None:
        if self._postgres is not None:
            self._postgres.restart(immediate=bool(self.report.database_restarts % 2 == 0))
        self.report.database_restarts += 1

    # What keeps it going.

    def _find_crew(self, stack: ExitStack) -> Crew:
        plan, log = self.plan, self._folder / "workers.log"
        if plan.celery:
            return stack.enter_context(Programs(self._environment(), plan.workers, log))
        return Forked(
            stack.enter_context(Nursery(log)),
            self._settings,
            plan.workers,
            redis_url=self._redis.url,
            threads=plan.threads,
            patience=CLIENT_PATIENCE,
            weakened=plan.weakened,
        )

    def _hire(self, count: int) -> None:
        self._workers += [self._crew.hire() for _ in range(count)]

    def _tend(self) -> None:
        """Who lies long enough wakes up; who died of himself (his lock was lost) is replaced."""
        now = time.monotonic()
        for pid, wakes in list(self._paused.items()):
            if now >= wakes:
                os.kill(pid, signal.SIGCONT)
                del self._paused[pid]
        if self._api.poll() is not None:  # it ends when the database is away as it starts
            self._api = self._start_api()
        for pid in list(self._workers):
            if self._crew.ended(pid):
                self._workers.remove(pid)
                self._hire(1)

    def _mend_by_hand(self) -> None:
        """What a person would do: let what was put before him be tried again."""
        which = {"state": ["blocked", "failed"]}
        asked = self._ask("POST", "/connections/acme/transfers/retry", json=which)
        self.report.asked_a_person += asked["retried"] if asked else 0

    def _calm_down(self) -> None:
        self.partners.fortnox.chaos.faults.clear()
        self.partners.severa.chaos.faults.clear()
        for pid in self._paused:
            os.kill(pid, signal.SIGCONT)
        self._paused.clear()
        until("the api answers", lambda: self._admin("GET", "/connections/acme"))

    def _drain(self, guids: list[str]) -> None:
        began = time.monotonic()
        while time.monotonic() - began < DRAIN:
            self._tend()
            if self._received() == len(guids) and not self._open():
                self.report.drained_seconds = round(time.monotonic() - began, 1)
                return
            self._mend_by_hand()
            time.sleep(0.5)

    def _judge(self, guids: list[str]) -> None:
        """By the books of both systems, and nothing of ours."""
        made = self.partners.invoices_by_reference()
        theirs = {one["guid"]: one for one in self.partners.severa.books()["invoices"]}
        self.report.lost = [
            guid
            for guid in guids
            if not made[f"severa:{guid}"] or theirs[guid]["status"] != RECEIVED_NAME
        ]
        self.report.doubled = [ref for ref, count in made.items() if count > 1]
        nets = {
            one["ExternalInvoiceReference1"]: Decimal(str(one["Net"]))
            for one in self.partners.books.invoices.values()
        }
        self.report.unbalanced = [
            guid
            for guid in guids
            if nets.get(f"severa:{guid}") != Decimal(str(theirs[guid]["totalExcludingTax"]))
        ]
        calls = [*self.partners.severa.chaos.calls, *self.partners.fortnox.chaos.calls]
        self.report.calls = len(calls)
        self.report.faults = dict(Counter(call.fault for call in calls if call.fault))

    def _received(self) -> int:
        return self.partners.severa_statuses()[RECEIVED_NAME]

    def _open(self) -> int:
        query = {"state": "queued,running,waiting", "limit": 1}
        page = self._admin("GET", "/connections/acme/transfers", params=query)
        return len(page["transfers"])

    # The installation.

    def _settings_of(self, database: str) -> dict[str, Any]:
        url = self.partners.fortnox_url
        return {
            "database_url": database,
            "var_dir": str(self._folder / "var"),
            "severa_url": f"{self.partners.severa_url}/rest-api",
            "fortnox_url": url,
            "fortnox_auth_url": f"{url}/oauth-v1",
            "quarantine": self.plan.quarantine,
            "severa_rate": [1000, 1],
            "fortnox_rate": [1000, 1],
            "retry_schedule": "1s 1s 2s 2s 5s",
            "poll_interval": 0,
        }

    @contextmanager
    def _api_server(self) -> Iterator["subprocess.Popen[bytes]"]:
        self._port = free_port()
        self._url = f"http://127.0.0.1:{self._port}"
        self._http = httpx.Client(timeout=10, trust_env=False)
        self._api = self._start_api()
        try:
            until("the api answers", self._api_is_up, told=self._folder / "api.log")
            yield self._api
        finally:
            self._api.kill()
            self._api.wait()
            self._http.close()

    def _environment(self) -> dict[str, str]:
        """The settings as the programs are given them."""
        given = {
            name.upper(): f"{value[0]}/{value[1]}" if name.endswith("_rate") else str(value)
            for name, value in self._settings.items()
        }
        return {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            **given,
            "REDIS_URL": self._redis.url,
            "PORT": str(self._port),
            "ADMIN_KEY": ADMIN_KEY,
            "WORKER_CONCURRENCY": str(self.plan.threads),
        }

    def _start_api(self) -> "subprocess.Popen[bytes]":
        env = self._environment()
        with (self._folder / "api.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "app.cli", "api"], env=env, stdout=log, stderr=log
            )

    def _api_is_up(self) -> bool:
        try:
            return self._http.get(f"{self._url}/health").status_code == 200
        except httpx.TransportError:
            return False

    def _admin(self, method: str, path: str, **sent: Any) -> Any:
        """Asks until there is an answer: the api may just be starting anew."""
        deadline = time.monotonic() + ADMIN_PATIENCE
        while time.monotonic() < deadline:
            answer = self._ask(method, path, **sent)
            if answer is not None:
                return answer
            self._tend()
            time.sleep(0.2)
        raise RuntimeError("the api does not answer")

    def _ask(self, method: str, path: str, **sent: Any) -> Any:
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        try:
            answer = self._http.request(
                method, f"{self._url}/api/v1{path}", headers=headers, **sent
            )
        except httpx.TransportError:
            return None
        assert answer.status_code < 400 or answer.status_code >= 500, answer.text
        return answer.json() if answer.is_success else None


def torture(plan: Plan, say: Callable[[str], None] = print) -> Report:
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        one = Torture(plan, Path(folder), say)
        try:
            return one.run()
        except BaseException:
            for log in ("workers.log", "api.log"):
                with suppress(FileNotFoundError):
                    say((Path(folder) / log).read_text(errors="replace")[-4000:])
            raise


def machine() -> str:
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {system}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", type=Path, default=Path("torture.jsonl"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    for name in ("invoices", "deliveries", "kills", "stops", "workers", "threads"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Plan, name))
    parser.add_argument("--database", choices=("postgres", "sqlite"), default="postgres")
    parser.add_argument("--celery", action="store_true", help="real workers; costs more per kill")
    parser.add_argument("--longest", type=float, default=Plan.longest)
    given = vars(parser.parse_args())
    report, rounds, seed = given.pop("report"), given.pop("rounds"), given.pop("seed")
    report.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it tells of every fault
    lines = report.read_text().splitlines() if report.exists() else []
    for number in range(len(lines), rounds):
        print(f"round {number + 1} of {rounds}, seed {seed + number}", flush=True)
        result = torture(Plan(**given, seed=seed + number))
        with report.open("a") as file:
            file.write(json.dumps(asdict(result) | {"machine": machine()}) + "\n")
        print(result, flush=True)
    return summary([json.loads(line) for line in report.read_text().splitlines()])


def summary(rounds: list[dict[str, Any]]) -> int:
    """Prints what all rounds come to; 0 when nothing was lost, doubled or late."""
    counted = ("invoices", "deliveries", "kills", "stops", "redis_troubles", "database_restarts")
    counted += ("api_kills", "calls", "asked_a_person")
    for name in counted:
        print(f"{name:20} {sum(one[name] for one in rounds)}")
    faults: Counter[str] = Counter()
    for one in rounds:
        faults.update(one["faults"])
    print(f"{'faults':20} {faults.total()} {dict(faults)}")
    for name in ("lost", "doubled", "unbalanced"):
        print(f"{name:20} {sum(len(one[name]) for one in rounds)}")
    drained = [one["drained_seconds"] for one in rounds]
    print(f"{'drained, seconds':20} {drained}")
    is_clean = (
        all(not (one["lost"] or one["doubled"] or one["unbalanced"]) for one in rounds)
        and None not in drained
    )
    print("clean" if is_clean else "NOT CLEAN")
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
