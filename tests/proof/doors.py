"""No webhooks: thousands of changes through a listener and a poller that are killed all the time.

Listener, workers and sweeper are processes, and the sandbox drops the socket. The poller is two of
them: the sweeper plants the polls, the workers run them.

    python -m tests.proof.doors --seed 1
"""

import argparse
import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqlalchemy import func, select

from app import hearing, listened
from app.models import events
from app.sync import wants
from tests import servers
from tests.installation import until
from tests.proof.changes import SITE, Changes, Verdict
from tests.proof.stage import Stage, stage
from tests.proof.torture import CLIENT_PATIENCE, machine

KINDS = ("listener", "worker", "sweeper", "socket")


@dataclass(frozen=True)
class Plan:
    """`troubles`: of each kind. `seconds`: over which the changes are spread at least, so that no
    more than `at_once` records are under way; `away`: the longest time that a killed process stays
    away; `drain`: seconds from the last change until both systems must say the same.
    """

    database: str = "postgres"
    changes: int = 2000
    troubles: int = 50
    seconds: float = 240.0
    workers: int = 2
    threads: int = 3
    at_once: int = 100
    poll_interval: float = 2.0
    quarantine: float = 2.0
    away: float = 2.0
    pace: float = 0.5
    drain: float = 120.0
    seed: int = 1


@dataclass
class Report:
    """`events`: those that Fortnox had for us; `heard`: how many of them the listener kept."""

    seed: int
    database: str
    changes: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    events: int = 0
    heard: int = 0
    heard_twice: int = 0
    records: int = 0
    calls: int = 0
    asked_a_person: int = 0
    unsettled: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    equal_after_seconds: float | None = None
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def is_clean(self) -> bool:
        heard_all = self.heard == self.events and not self.heard_twice
        return self.verdict.is_clean and heard_all and self.equal_after_seconds is not None


class Doors:
    def __init__(self, plan: Plan, on: Stage) -> None:
        self.plan, self._stage = plan, on
        self._random = random.Random(plan.seed)
        self._changes = Changes(on.partners, plan.seed)
        self.report = Report(plan.seed, plan.database)
        self._alive: dict[str, list[int]] = {kind: [] for kind in KINDS[:3]}
        self._comes_back: list[tuple[float, str]] = []
        self._asks_at, self._under_way = 0.0, 0

    def run(self) -> Report:
        self._begin()
        began = time.monotonic()
        self._storm(began)
        self.report.seconds = round(time.monotonic() - began, 1)
        ended = time.monotonic()
        while time.monotonic() < ended + self.plan.drain:
            self._tend()
            if not self._open() and self._verdict().is_clean:
                self.report.equal_after_seconds = round(time.monotonic() - ended, 1)
                break
            time.sleep(0.5)
        time.sleep(self.plan.poll_interval * 2)  # what it now hears again must change nothing
        self._count()
        return self.report

    def _begin(self) -> None:
        on = self._stage
        product = on.partners.severa.find("products", "290")["guid"]
        on.connect(default_product=product)
        for kind in ("sweeper", "listener", *["worker"] * self.plan.workers):
            self._hire(kind)
        until("the company is listened to", self._is_listened_to, 30, on.folder / "workers.log")
        on.partners.severa.change("projects", SITE, name="Byggplatsen")
        books = on.partners.books
        until("the project is there", lambda: str(SITE) in books.projects, 60)
        self._changes.one_of_each()
        until("every topic has a mark", self._has_all_marks, 60, on.folder / "workers.log")
        self._since = len(on.partners.fortnox.events)

    def _storm(self, began: float) -> None:
        """Each trouble comes when so many of the changes are made."""
        plan = self.plan
        troubles = [kind for kind in KINDS for _ in range(plan.troubles)]
        self._random.shuffle(troubles)
        total = len(troubles)
        for number in range(plan.changes):
            self._changes.make()
            while troubles and total - len(troubles) < total * (number + 1) / plan.changes:
                self._make_trouble(troubles.pop())
            due = began + plan.seconds * (number + 1) / plan.changes
            while time.monotonic() < due or self._under_way >= plan.at_once:
                self._tend()
                time.sleep(0.01)
        self.report.changes = plan.changes

    def _make_trouble(self, kind: str) -> None:
        if kind == "socket":
            self._stage.partners.fortnox.drop_sockets()
        else:
            while not self._alive[kind]:
                self._tend()
                time.sleep(0.02)
            victim = self._random.choice(self._alive[kind])
            self._alive[kind].remove(victim)
            self._stage.kill(victim)
            away = self._random.uniform(0, self.plan.away)
            self._comes_back.append((time.monotonic() + away, kind))
        self.report.kills[kind] = self.report.kills.get(kind, 0) + 1

    def _tend(self) -> None:
        due = [one for one in self._comes_back if one[0] <= time.monotonic()]
        for one in due:
            self._comes_back.remove(one)
            self._hire(one[1])
        if time.monotonic() >= self._asks_at:
            self._asks_at = time.monotonic() + 2
            self._under_way = self._open()
            self.report.asked_a_person += self._stage.forgive()

    def _hire(self, kind: str) -> None:
        on, plan = self._stage, self.plan
        role: dict[str, Callable[[], int]] = {
            "listener": lambda: on.hire("listen", pace=plan.pace),
            "sweeper": lambda: on.hire("sweep"),
            "worker": lambda: on.hire("work", threads=plan.threads, patience=CLIENT_PATIENCE * 5),
        }
        self._alive[kind].append(role[kind]())

    def _verdict(self) -> Verdict:
        self.report.verdict = self._changes.verdict()
        return self.report.verdict

    def _open(self) -> int:
        """What is under way still might make something a second time."""
        kinds = ("poll", "mail", "retention")
        return sum(
            kind not in kinds and state in ("queued", "running", "waiting")
            for (kind, _), (state, _) in self._stage.unsettled().items()
        )

    def _is_listened_to(self) -> bool:
        with self._stage.hall.db.reading() as tx:
            standing = listened.standing(tx, "acme")
        return standing is not None and standing.reason is None

    def _has_all_marks(self) -> bool:
        """A topic of which nothing was ever heard has no place where it could go on."""
        with self._stage.hall.db.reading() as tx:
            return {topic for _, topic in hearing.known(tx, wants.topics())} == {*wants.topics()}

    def _count(self) -> None:
        self._verdict()
        partners, asked = self._stage.partners, wants.topics()
        told = {
            f"{one['topic']}:{one['offset']}"
            for one in partners.fortnox.events[self._since :]
            if one["topic"] in asked
        }
        with self._stage.hall.db.reading() as tx:
            rows = tx.execute(
                select(events.c.identity, func.count())
                .where(events.c.connection == "acme", events.c.door == "listener")
                .group_by(events.c.identity)
            )
            kept = Counter({row[0]: row[1] for row in rows})
        self.report.events, self.report.heard = len(told), len(told & kept.keys())
        self.report.heard_twice = sum(count > 1 for count in kept.values())
        self.report.calls = len(partners.severa.chaos.calls) + len(partners.fortnox.chaos.calls)
        self.report.unsettled = dict(
            Counter(
                f"{kind} {state} {reason['code'] if reason else ''}".rstrip()
                for (kind, _), (state, reason) in self._stage.unsettled().items()
            )
        )
        self.report.records = sum(1 for _ in self._changes.counted())


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/bridge.db"
        return
    with servers.postgres_server() as server:
        assert server is not None, servers.NO_POSTGRES
        yield server.new_database()


def doors(plan: Plan, redis_url: str, folder: Path) -> Report:
    """Its log is printed when it breaks off."""
    with _database(plan.database, folder) as url:
        how = {
            "poll_interval": plan.poll_interval,
            "quarantine": plan.quarantine,
            "retry_schedule": "1s 1s 2s 2s 5s",
        }
        try:
            with stage(url, redis_url, folder, **how) as on:
                return Doors(plan, on).run()
        except BaseException:
            with suppress(FileNotFoundError):
                print((folder / "workers.log").read_text(errors="replace")[-6000:])
            raise


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, usual in asdict(Plan()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(usual), default=usual)
    parser.add_argument("--report", type=Path, default=Path("var/doors.json"))
    given = vars(parser.parse_args())
    path = given.pop("report")
    plan = Plan(**given)
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it tells of every lost socket
    with tempfile.TemporaryDirectory(prefix="doors-") as folder, servers.redis_server() as redis:
        report = doors(plan, redis.url, Path(folder))
    told = asdict(report) | {"clean": report.is_clean, "machine": machine()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{json.dumps(told, indent=2)}\n")
    counts = {what: len(found) for what, found in told["verdict"].items()}
    print(json.dumps(told | {"verdict": counts}, indent=2))
    return 0 if report.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
