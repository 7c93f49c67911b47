"""Transfers run again at a person's word: exactly those meant, and in a dry run none."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from app import effects
from app.effects import Intent
from app.errors import NothingToDo, Unclear, because
from app.models import transfer_log, work
from app.worklist import BACKGROUND, LIVE, Want
from tests.api.conftest import BOTH, Stage

AT = "/api/v1/connections/acme/transfers"


def blocked(stage: Stage, key: str, kind: str = "invoice", to: str = "acme") -> str:
    return stage.end(Want(to, kind, key), "blocked", "customer_number_missing")


def states(stage: Stage) -> dict[str, str]:
    return {row.id: row.state for row in stage.rows(work)}


@BOTH
def test_one_transfer_is_due_again_at_once(stage: Stage) -> None:
    stage.connect()
    one, other = blocked(stage, "1"), blocked(stage, "2")
    with capture_logs() as logs:
        answer = stage.client.post(f"{AT}/{one}/retry")
    assert (answer.status_code, answer.json()) == (202, {"retried": 1})
    assert states(stage) == {one: "queued", other: "blocked"}
    assert {row.id: row.lane for row in stage.rows(work)}[one] == LIVE
    assert [(row.work_id, row.what) for row in stage.rows(transfer_log)] == [
        (one, "retried_by_person")
    ]
    assert stage.hints == [1]
    assert logs == [
        {"event": "transfers.retried", "connection": "acme", "retried": 1, "log_level": "info"}
    ]


@BOTH
def test_a_write_of_unknown_outcome_is_forgiven(stage: Stage) -> None:
    stage.connect()
    one = blocked(stage, "1")
    with stage.hall.db.transaction() as tx:
        effect = effects.open_intent(tx, Intent("acme", one, "fortnox", "x", "r", {}), stage.now)
        effects.change(tx, effect.id, state="sending", sends=4, looks=2)
    stage.client.post(f"{AT}/{one}/retry")
    with stage.hall.db.reading() as tx:
        assert [(row.sends, row.looks) for row in effects.of_work(tx, one)] == [(1, 0)]


@BOTH
def test_many_run_behind_what_comes_in_meanwhile(stage: Stage) -> None:
    stage.connect()
    mine = [blocked(stage, f"{number}") for number in range(3)]
    done = stage.end(Want("acme", "invoice", "9"), "done")
    answer = stage.client.post(f"{AT}/retry", json={"state": ["blocked"], "kind": "invoice"})
    assert (answer.status_code, answer.json()["retried"]) == (202, 3)
    progress = stage.client.get(f"/api/v1/connections/acme/backfills/{answer.json()['backfill']}")
    assert (progress.json()["kind"], progress.json()["total"]) == ("retry", 3)
    assert states(stage) == dict.fromkeys(mine, "queued") | {done: "done"}
    assert {row.lane for row in stage.rows(work) if row.id in mine} == {BACKGROUND}
    assert stage.hints == [3]


def test_hundreds_are_told_to_the_queue_part_by_part(stage: Stage) -> None:
    stage.connect()
    for number in range(250):
        stage.want("project", f"{number}")
    assert stage.client.post(f"{AT}/retry", json={"q": ""}).status_code == 400
    answer = stage.client.post(f"{AT}/retry", json={"kind": ["project"]})
    assert answer.json()["retried"] == 250
    assert stage.hints == [200, 50]
    assert len(stage.rows(transfer_log)) == 250


@BOTH
def test_ids_choose_and_other_criteria_narrow(stage: Stage) -> None:
    stage.connect()
    stage.connect("other")
    one, two = blocked(stage, "1"), blocked(stage, "2", "customer")
    foreign = blocked(stage, "3", to="other")
    body = {"ids": [one, two, foreign, "trf_unknown"], "kind": ["customer"]}
    assert stage.client.post(f"{AT}/retry", json=body).json() == {"retried": 1}
    assert states(stage) == {one: "blocked", two: "queued", foreign: "blocked"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"state": []},
        {"q": ""},
        {"states": ["blocked"]},
        {"state": ["blocked"], "limit": 1},
        {"ids": ["%"]},
        {"state": ["lost"]},
        [],
    ],
)
def test_what_does_not_say_which_is_refused(stage: Stage, body: Any) -> None:
    stage.connect()
    one = blocked(stage, "1")
    assert stage.client.post(f"{AT}/retry", json=body).status_code == 400
    assert states(stage) == {one: "blocked"}
    assert (stage.hints, stage.rows(transfer_log)) == ([], [])


def test_another_connections_transfer_is_not_found(stage: Stage) -> None:
    stage.connect()
    stage.connect("other")
    foreign = blocked(stage, "1", to="other")
    poll = stage.want("poll", "x")
    for name in (foreign, poll, "trf_unknown"):
        assert stage.client.post(f"{AT}/{name}/retry").status_code == 404
    assert states(stage) == {foreign: "blocked", poll: "queued"}
    assert (stage.hints, stage.rows(transfer_log)) == ([], [])


def test_a_dry_run_answers_the_writes_and_does_none(stage: Stage) -> None:
    stage.connect()
    one = blocked(stage, "1")
    before = stage.rows(work)
    answer = stage.client.post(f"{AT}/{one}/retry", params={"dry_run": "true"})
    write = {"system": "fortnox", "action": "create_invoice", "transfer": one}
    assert (answer.status_code, answer.json()) == (200, {"writes": [write]})
    many = stage.client.post(f"{AT}/retry?dry_run=true", json={"state": "blocked"})
    assert (many.status_code, many.json()) == (
        200,
        {"writes": [write], "ends": [], "matched": 1, "planned": 1},
    )
    assert stage.rows(work) == before
    assert (stage.hints, stage.rows(transfer_log)) == ([], [])
    assert stage.planned == [one, one]


def test_a_dry_run_tells_why_nothing_would_be_written(stage: Stage) -> None:
    stage.connect()
    one, two = blocked(stage, "1"), blocked(stage, "2")
    stage.stops[one] = NothingToDo(because("not_in_transfer_status", status="Ny"))
    answer = stage.client.post(f"{AT}/{one}/retry?dry_run=true").json()
    assert answer["writes"] == []
    assert answer["reason"]["code"] == "not_in_transfer_status"
    many = stage.client.post(f"{AT}/retry?dry_run=true", json={"state": "blocked"}).json()
    assert [write["transfer"] for write in many["writes"]] == [two]
    assert [end["transfer"] for end in many["ends"]] == [one]
    stage.stops[two] = Unclear("severa", "did not answer")
    silent = stage.client.post(f"{AT}/retry?dry_run=true", json={"state": "blocked"})
    assert (silent.status_code, silent.json()["detail"]) == (502, "severa: did not answer")


def test_a_dry_run_of_many_looks_at_the_first_hundred(stage: Stage) -> None:
    stage.connect()
    for number in range(103):
        stage.want("project", f"{number}")
    answer = stage.client.post(f"{AT}/retry?dry_run=1", json={"kind": "project"}).json()
    assert (answer["matched"], answer["planned"], len(answer["writes"])) == (103, 100, 100)
    assert len(stage.planned) == 100


def test_a_dry_run_that_is_misspelt_runs_nothing(stage: Stage) -> None:
    stage.connect()
    one = blocked(stage, "1")
    for query in ("dry_run=yess", "dryrun=true", "dry-run=true"):
        assert stage.client.post(f"{AT}/{one}/retry?{query}").status_code == 400
        assert stage.client.post(f"{AT}/retry?{query}", json={"ids": [one]}).status_code == 400
    assert states(stage) == {one: "blocked"}
