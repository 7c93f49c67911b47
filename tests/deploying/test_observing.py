"""The alert rules and the dashboard ask for figures that exist, and every alert has a chapter."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from fakeredis import FakeRedis

from app import clock, cursors, figures, metrics, processes
from app.documents import Document
from app.hall import Hall
from app.models import connections, work
from app.worklist import Want, enqueue

ROOT = Path(__file__).parent.parent.parent
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())
BOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text())
NAME = re.compile(r"\bbridge_[a-z0-9_]+")


def rules() -> list[dict[str, object]]:
    return [rule for group in RULES["groups"] for rule in group["rules"]]


def told_names(hall: Hall) -> set[str]:
    """Every figure of a bridge in which something of each kind has happened."""
    now = clock.now()
    with hall.db.transaction() as tx:
        document = Document(name="acme").model_dump(mode="json")
        row = {"document": document, "secrets": "", "active": True, "created_at": now}
        tx.execute(connections.insert().values(name="acme", updated_at=now, **row))
        enqueue(tx, [Want("acme", "invoice", "1")], now)
        tx.execute(work.update().values(state="blocked"))
        for name in ("listener", "listener:invoices", "poll:severa:invoices"):
            cursors.put(tx, "acme", name, "", now, told=True)
    processes.beat(hall.db, "w", "worker", now)
    tally, redis = figures.Tally(), FakeRedis()
    for family in figures.FAMILIES.values():
        labels = ("x",) * len(family.labels)
        if family.limits:
            tally.observe(family, *labels, seconds=1)
        else:
            tally.count(family, *labels)
    tally.hand_over(redis)
    text = metrics.text(hall.db, redis, {"severa": hall.settings.severa_rate}, now).decode()
    return {match[0] for line in text.splitlines() if (match := NAME.match(line))}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_rules_and_dashboard_ask_for_figures_that_are_told(hall: Hall) -> None:
    told = told_names(hall)
    asked = {name for rule in rules() for name in NAME.findall(str(rule["expr"]))}
    assert asked - told == set()
    targets = [target for panel in BOARD["panels"] for target in panel.get("targets", ())]
    asked = {name for target in targets for name in NAME.findall(target["expr"])}
    assert asked - told == set()
    assert len(targets) > 20


def test_every_alert_has_a_chapter_and_every_chapter_an_alert() -> None:
    alerts = [str(rule["alert"]) for rule in rules() if "alert" in rule]
    chapters = re.findall(r"^## (\w+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    assert chapters == alerts
    for rule in rules():
        if "alert" in rule:
            expected = f"runbook.md#{str(rule['alert']).lower()}"
            assert rule["annotations"]["runbook"] == expected  # type: ignore[index]
            assert rule["labels"]["severity"] in ("page", "ticket")  # type: ignore[index]


def test_the_dashboard_lies_on_its_grid_and_names_each_panel_once() -> None:
    places = [panel["gridPos"] for panel in BOARD["panels"]]
    cells = [
        (x, y)
        for at in places
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids))


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not on this machine")
@pytest.mark.parametrize(
    "words", ["check rules rules.yml", "check config prometheus.yml", "test rules rules_test.yml"]
)
def test_promtool_finds_the_rules_good(words: str) -> None:
    done = subprocess.run(
        ["promtool", *words.split()], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
