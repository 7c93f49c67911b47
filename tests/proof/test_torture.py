"""A short torture; `make torture` is the long one."""

import json
from dataclasses import asdict

import pytest

from tests.proof.torture import Plan, Report, summary, torture

SHORT = Plan(
    invoices=60,
    deliveries=100,
    kills=10,
    stops=2,
    redis_troubles=1,
    database_restarts=1,
    api_kills=1,
    workers=3,
    quarantine=3.0,
    seed=4,
    longest=200,
)


@pytest.mark.processes
@pytest.mark.timeout(300)
def test_what_is_killed_paused_cut_off_and_lied_to_loses_nothing_and_doubles_nothing(
    postgres: object,
) -> None:
    report = torture(SHORT)
    assert (report.lost, report.doubled, report.unbalanced) == ([], [], [])
    assert report.drained_seconds is not None, "not everything was done a minute after the storm"
    assert (report.deliveries, report.kills, report.stops) == (100, 10, 2)
    assert (report.redis_troubles, report.database_restarts, report.api_kills) == (1, 1, 1)
    assert sum(report.faults.values()) >= 5


def test_a_report_with_one_lost_or_late_round_is_not_clean(capsys: object) -> None:
    clean = Report(1, "sqlite", drained_seconds=1.0)
    lost = Report(2, "sqlite", drained_seconds=1.0, lost=["a"])
    late = Report(3, "sqlite")
    assert [one.is_clean for one in (clean, lost, late)] == [True, False, False]
    as_lines = [json.loads(json.dumps(asdict(one))) for one in (clean, lost, late)]
    assert summary(as_lines[:1]) == 0
    assert summary(as_lines[:2]) == 1
    assert summary([as_lines[0], as_lines[2]]) == 1
