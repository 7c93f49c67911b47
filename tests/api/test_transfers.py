"""The transfer log over the admin API: what is shown, what is found, and in which order."""

from dataclasses import asdict
from typing import Any

import pytest
from sqlalchemy import select

from app import effects, transfers, worklist
from app.api.sides import sides
from app.effects import Intent
from app.errors import because
from app.models import work
from app.reasons import explain, sentence
from app.worklist import Want
from tests.api.conftest import BOTH, GUID, Stage

AT = "/api/v1/connections/acme/transfers"
INVOICE = GUID.format(7)


def found(stage: Stage, **query: Any) -> list[str]:
    answer = stage.client.get(AT, params=query)
    assert answer.status_code == 200
    return [one["id"] for one in answer.json()["transfers"]]


def test_a_transfer_is_shown_with_both_sides(stage: Stage) -> None:
    stage.connect()
    row = stage.want()
    assert stage.client.get(AT).json() == {
        "transfers": [
            {
                "id": row,
                "connection": "acme",
                "kind": "invoice",
                "state": "queued",
                "source": {
                    "system": "severa",
                    "id": INVOICE,
                    "label": INVOICE,
                    "url": f"https://severa.example/rest-api/v1/invoices/{INVOICE}",
                    "page": None,
                },
                "target": {
                    "system": "fortnox",
                    "id": None,
                    "label": None,
                    "url": None,
                    "page": None,
                },
                "reason": None,
                "attempts": 0,
                "received_at": "2026-11-24T08:00:00.000Z",
                "started_at": None,
                "settled_at": None,
                "next_attempt_at": "2026-11-24T08:00:00.000Z",
            }
        ],
        "next_cursor": None,
    }


@BOTH
def test_a_finished_transfer_names_the_record_on_the_other_side(stage: Stage) -> None:
    stage.connect()
    row = stage.end(Want("acme", "invoice", INVOICE), "done")
    with stage.hall.db.transaction() as tx:
        worklist.describe(tx, row, source="Faktura 1001", target_id="88", target="Faktura 88")
    shown = stage.client.get(AT).json()["transfers"][0]
    assert (shown["state"], shown["attempts"]) == ("done", 1)
    assert shown["settled_at"] == "2026-11-24T08:00:00.000Z"
    assert shown["source"]["label"] == "Faktura 1001"
    assert shown["target"] == {
        "system": "fortnox",
        "id": "88",
        "label": "Faktura 88",
        "url": "https://fortnox.example/3/invoices/88",
        "page": None,
    }


def test_a_page_for_people_is_linked_where_its_address_is_known(stage: Stage) -> None:
    stage.connect()
    row = stage.end(Want("acme", "product", f"work_type:{INVOICE}"), "done")
    with stage.hall.db.transaction() as tx:
        worklist.describe(tx, row, target_id="A/1")
    with stage.hall.db.reading() as tx:
        found = transfers.find(tx, "acme", row)
    pages = {"severa_page": "https://severa.example/{kind}/{id}", "fortnox_page": ""}
    source, target = sides(found, stage.hall.settings.model_copy(update=pages))
    assert (source.page, target.page) == (f"https://severa.example/worktypes/{INVOICE}", None)
    assert (source.label, target.label) == (INVOICE, "A/1")
    stage.want("product", "fortnox:200")
    with stage.hall.db.transaction() as tx:
        other = tx.execute(select(work.c.id).where(work.c.key == "fortnox:200")).scalar_one()
        worklist.describe(tx, other, target_id=f"work_type:{INVOICE}", target="200")
    listed = stage.client.get(AT).json()["transfers"]
    (shown,) = (one for one in listed if one["id"] == other)
    assert shown["target"]["url"].endswith(f"/v1/worktypes/{INVOICE}")
    assert (shown["target"]["id"], shown["target"]["label"]) == (INVOICE, "200")


@pytest.mark.parametrize(
    ("kind", "key", "system", "url"),
    [
        ("payment", "88", "fortnox", "https://fortnox.example/3/invoices/88"),
        ("project_fee", "31", "fortnox", "https://fortnox.example/3/supplierinvoices/31"),
        ("customer", "fortnox:10 01", "fortnox", None),
        ("customer", "fortnox:1001", "fortnox", "https://fortnox.example/3/customers/1001"),
        ("product", "fortnox:A/1", "fortnox", "https://fortnox.example/3/articles/A%2F1"),
        ("product", f"work_type:{INVOICE}", "severa", f"/v1/worktypes/{INVOICE}"),
        ("project", f"severa:{INVOICE}", "severa", f"/v1/projects/{INVOICE}"),
        ("project", "../../x", "severa", None),
    ],
)
def test_where_a_transfer_comes_from(
    stage: Stage, kind: str, key: str, system: str, url: str | None
) -> None:
    stage.connect()
    stage.want(kind, key)
    source = stage.client.get(AT).json()["transfers"][0]["source"]
    assert source["system"] == system
    assert source["url"] == url or source["url"] == f"https://severa.example/rest-api{url}"


def test_a_reason_is_explained_in_the_language_asked_for(stage: Stage) -> None:
    stage.connect()
    stage.end(Want("acme", "invoice", INVOICE), "skipped", "not_in_transfer_status", status="Ny")
    swedish, english = (
        stage.client.get(AT, headers=headers).json()["transfers"][0]["reason"]
        for headers in ({}, {"Accept-Language": "en-GB,sv;q=0.5"})
    )
    assert (swedish["code"], english["code"]) == ("not_in_transfer_status",) * 2
    reason = because("not_in_transfer_status", status="Ny")
    assert swedish == asdict(explain(reason, "sv"))
    assert english == asdict(explain(reason, "en"))
    assert swedish != english


def test_the_reason_of_an_earlier_run_is_not_shown_for_a_new_one(stage: Stage) -> None:
    stage.connect()
    stage.end(Want("acme", "invoice", INVOICE), "skipped", "not_in_transfer_status")
    stage.want()
    shown = stage.client.get(AT).json()["transfers"][0]
    assert (shown["state"], shown["reason"], shown["settled_at"]) == ("queued", None, None)


def test_upkeep_is_no_transfer(stage: Stage) -> None:
    stage.connect()
    poll = stage.want("poll", "severa:invoices")
    assert found(stage) == []
    assert stage.client.get(f"{AT}/{poll}").status_code == 404


def test_one_connection_never_sees_anothers_transfers(stage: Stage) -> None:
    stage.connect("acme")
    stage.connect("other")
    row = stage.want(to="other")
    assert found(stage) == []
    assert stage.client.get(f"{AT}/{row}").status_code == 404
    assert stage.client.get(f"{AT.replace('acme', 'other')}/{row}").status_code == 200


@BOTH
def test_the_pages_hold_every_transfer_once_and_the_newest_first(stage: Stage) -> None:
    stage.connect()
    rows = []
    for number in range(7):
        stage.later(seconds=number % 2)  # some are of the same instant
        rows.append(stage.want("project", f"{number}"))
    answers, cursor = [], ""
    while cursor is not None:
        answer = stage.client.get(AT, params={"limit": 3, "cursor": cursor}).json()
        answers.append(answer["transfers"])
        cursor = answer["next_cursor"]
    assert [len(page) for page in answers] == [3, 3, 1]
    shown = [one for page in answers for one in page]
    assert sorted(one["id"] for one in shown) == sorted(rows)
    assert [one["received_at"] for one in shown] == sorted(
        (one["received_at"] for one in shown), reverse=True
    )


@BOTH
def test_states_and_kinds_are_repeated_or_separated_by_commas(stage: Stage) -> None:
    stage.connect()
    done = stage.end(Want("acme", "invoice", "1"), "done")
    blocked = stage.end(Want("acme", "customer", "2"), "blocked", "customer_number_missing")
    queued = stage.want("project", "3")
    assert set(found(stage, state="done,blocked")) == {done, blocked}
    assert set(found(stage, state=["done", "queued"])) == {done, queued}
    assert found(stage, kind="customer,project", state="blocked") == [blocked]
    assert set(found(stage, kind=["customer", "project"])) == {blocked, queued}
    assert len(found(stage, state="", kind="", q="", since="", until="", cursor="")) == 3


@BOTH
def test_a_search_looks_at_labels_ids_and_reasons_in_any_case(stage: Stage) -> None:
    stage.connect()
    row = stage.end(
        Want("acme", "invoice", INVOICE), "blocked", "unit_missing", unit="STYCK é", note='5"%_'
    )
    with stage.hall.db.transaction() as tx:
        worklist.describe(tx, row, source="Åkeriet Öst", target_id="F-88", target="Faktura 88")
    stage.want("project", "none of it")
    for q in ("åKERIET", "öst", "ÅKERIET ÖST", "f-88", "FAKTURA", "styck É", '5"%_', INVOICE[:9]):
        assert found(stage, q=q) == [row], q
    for q in ("unit", "code", "facts", "u00c5", "%", "_", "akeriet", "\x00"):
        assert (q, found(stage, q=q)) == (q, [row] if q in ("%", "_") else [])


@BOTH
def test_a_search_is_paged_like_everything_else(stage: Stage) -> None:
    stage.connect()
    rows = [stage.want("project", f"å{number}") for number in range(3)]
    stage.want("project", "b")
    first = stage.client.get(AT, params={"q": "Å", "limit": 2}).json()
    rest = stage.client.get(AT, params={"q": "Å", "limit": 2, "cursor": first["next_cursor"]})
    shown = first["transfers"] + rest.json()["transfers"]
    assert [one["id"] for one in shown] == rows[::-1]
    assert rest.json()["next_cursor"] is None


@BOTH
def test_since_is_inside_and_until_is_outside(stage: Stage) -> None:
    stage.connect()
    early = stage.want("project", "1")
    noon = stage.later(hours=4).isoformat()
    late = stage.want("project", "2")
    assert found(stage, since=noon) == [late]
    assert found(stage, until=noon) == [early]
    assert found(stage, since="2026-11-24", until="2026-11-25") == [late, early]
    assert found(stage, since="2026-11-24T13:00:00+01:00") == [late]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=lost", "state[0]"),
        ("kind=poll", "kind[0]"),
        ("since=yesterday", "since"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=%C3%A5", "cursor"),
        ("q=" + "x" * 201, "q"),
    ],
)
def test_a_filter_that_means_nothing_is_named(stage: Stage, query: str, field: str) -> None:
    stage.connect()
    answer = stage.client.get(f"{AT}?{query}")
    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == [field]


@BOTH
def test_the_timeline_tells_what_was_heard_written_and_said(stage: Stage) -> None:
    stage.connect()
    want = Want("acme", "invoice", INVOICE)
    heard = stage.hear("one", b"{}", want)
    stage.later(seconds=1)
    row = stage.end(want, "done")
    intent = Intent("acme", row, "fortnox", "create_invoice", INVOICE, {"secret": "payload"})
    with stage.hall.db.transaction() as tx:
        effect = effects.open_intent(tx, intent, stage.now)
        effects.change(
            tx, effect.id, state="done", sends=1, target_id="88", settled_at=stage.later(seconds=1)
        )
    stage.later(seconds=1)
    stage.say(row, "created_invoice", number="88")
    answer = stage.client.get(f"{AT}/{row}")
    story = answer.json()["timeline"]
    assert [(one["type"], one["at"][17:19]) for one in story] == [
        *(("event", "00"), ("effect", "02"), ("log", "03"))
    ]
    assert story[0] | {"text": ""} == {
        "at": "2026-11-24T08:00:00.000Z",
        "type": "event",
        "text": "",
        "id": heard,
        "event_type": "invoice.updated",
        "source": "severa",
        "door": "webhook",
        "status": "accepted",
    }
    assert story[1] | {"text": ""} == {
        "at": "2026-11-24T08:00:02.000Z",
        "type": "effect",
        "text": "",
        "id": effect.id,
        "system": "fortnox",
        "action": "create_invoice",
        "state": "done",
        "target_id": "88",
        "sends": 1,
    }
    said = sentence("created_invoice", {"number": "88"}, "sv")
    assert (story[2]["code"], story[2]["text"]) == ("created_invoice", said)
    assert "payload" not in answer.text


@BOTH
@pytest.mark.parametrize("name", ["trf_unknown", "%00", "retry", "å"])
def test_a_transfer_that_is_not_there_is_not_found(stage: Stage, name: str) -> None:
    stage.connect()
    assert stage.client.get(f"{AT}/{name}").status_code == 404
    assert stage.rows(work) == []
