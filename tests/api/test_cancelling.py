"""Many set going at once are taken back: as they stood before, unless somebody else wants them."""

from typing import Any

from app import backfills, batches, waiting, worklist
from app.models import audit, batch_rows, transfer_log, work
from app.worklist import BACKGROUND, Settlement, Want
from tests.api.conftest import BOTH, Stage

AT = "/api/v1/connections/acme"


def end(stage: Stage, key: str, state: Any, waits_for: str | None = None) -> str:
    want = Want("acme", "customer", key)
    item = worklist.claim_now(stage.hall.db, "test", want, stage.now)
    assert item is not None
    worklist.settle(stage.hall.db, item, Settlement(state, waits_for=waits_for), stage.now)
    return item.id


def stand(stage: Stage) -> dict[str, tuple[str, Any, Any]]:
    return {row.key: (row.state, row.waits_for, row.received_at) for row in stage.rows(work)}


def retry_all(stage: Stage) -> str:
    stage.later(minutes=1)
    answer = stage.client.post(f"{AT}/transfers/retry", json={"kind": "customer"})
    assert answer.status_code == 202
    return str(answer.json()["backfill"])


def cancel(stage: Stage, batch: str) -> Any:
    stage.later(minutes=1)
    return stage.client.post(f"{AT}/backfills/{batch}/cancel")


@BOTH
def test_a_cancelled_retry_leaves_every_row_as_it_stood(stage: Stage) -> None:
    stage.connect()
    for number, state in enumerate(("done", "skipped", "failed", "blocked")):
        end(stage, f"{number}", state)
    end(stage, "9", "blocked", "work:customer:other")
    before = stand(stage)
    batch = retry_all(stage)
    assert {state for state, _, _ in stand(stage).values()} == {"queued"}
    answer = cancel(stage, batch).json()
    assert (answer["state"], answer["kind"], answer["total"]) == ("cancelled", "retry", 0)
    assert stand(stage) == before
    assert stage.rows(batch_rows) == []
    assert [row.what for row in stage.rows(transfer_log)][-1] == "put_back_by_person"
    assert [row.action for row in stage.rows(audit)][-1] == "backfill.cancelled"


@BOTH
def test_what_somebody_else_wants_too_is_not_taken_back(stage: Stage) -> None:
    """Before, since, under way, or woken while it waited: nothing is lost with a batch."""
    stage.connect()
    stage.want("customer", "wanted before")
    end(stage, "wanted since", "done")
    end(stage, "running", "blocked")
    end(stage, "may have come", "blocked", "fortnox:units")
    end(stage, "alone", "done")
    batch = retry_all(stage)
    stage.want("customer", "wanted since")
    assert worklist.claim_now(stage.hall.db, "test", Want("acme", "customer", "running"), stage.now)
    with stage.hall.db.transaction() as tx:
        waiting.wake(tx, "acme", "fortnox:units", stage.now)
    end(stage, "other", "done")
    state = {key: state for key, (state, _, _) in stand(stage).items()}
    assert state.pop("other") == "done"
    assert state == dict.fromkeys(state, "queued") | {"running": "running"}
    cancel(stage, batch)
    after = {key: state for key, (state, _, _) in stand(stage).items()}
    assert after == state | {"alone": "done", "other": "done"}


def test_what_a_blocked_row_waited_for_and_has_come_meanwhile_lets_it_run(stage: Stage) -> None:
    stage.connect()
    end(stage, "waits", "blocked", "work:project:first")
    end(stage, "second", "done")
    batch = retry_all(stage)
    item = worklist.claim_now(stage.hall.db, "test", Want("acme", "project", "first"), stage.now)
    assert item is not None
    worklist.settle(stage.hall.db, item, Settlement("done"), stage.now)
    cancel(stage, batch)
    assert stand(stage)["waits"][0] == "queued"


@BOTH
def test_a_cancelled_backfill_wants_nobody_any_more_and_what_was_new_says_why(
    stage: Stage,
) -> None:
    stage.connect()
    end(stage, "known", "done")
    asked = {"kind": "customer", "direction": "severa_to_fortnox"}
    batch = stage.client.post(f"{AT}/backfill", json=asked).json()["id"]
    wants = [Want("acme", "customer", key, BACKGROUND, batch=batch) for key in ("known", "new")]
    with stage.hall.db.transaction() as tx:
        batches.want(tx, batch, wants, stage.later(minutes=1))
    assert cancel(stage, batch).status_code == 200
    rows = {row.key: row for row in stage.rows(work)}
    assert rows["known"].state == "done"
    assert (rows["new"].state, rows["new"].reason["code"]) == ("skipped", "taken_back_by_person")
    with stage.hall.db.transaction() as tx:
        assert backfills.is_cancelled(tx, batch)
    again = stage.client.post(f"{AT}/backfill", json=asked).json()
    assert again["id"] != batch


def test_what_has_ended_by_itself_is_not_cancelled(stage: Stage) -> None:
    stage.connect()
    end(stage, "1", "done")
    end(stage, "2", "done")
    batch = retry_all(stage)
    end(stage, "1", "done")
    end(stage, "2", "done")
    assert stage.client.get(f"{AT}/backfills/{batch}").json()["state"] == "done"
    assert stage.rows(batch_rows) == []
    assert cancel(stage, batch).status_code == 409
    assert cancel(stage, "bfl_unknown").status_code == 404


def test_cancelling_goes_on_where_it_was_cut_off(stage: Stage) -> None:
    stage.connect()
    for number in range(3):
        end(stage, f"{number}", "done")
    batch = retry_all(stage)
    with stage.hall.db.transaction() as tx:
        row = backfills.find(tx, "acme", batch)
        assert row is not None
        assert backfills.cancel(tx, row, stage.now)
        assert batches.take_back(tx, "acme", batch, stage.now, most=1) == (1, True)
    assert {state for state, _, _ in stand(stage).values()} == {"done", "queued"}
    assert cancel(stage, batch).status_code == 200
    assert {state for state, _, _ in stand(stage).values()} == {"done"}
