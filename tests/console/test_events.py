"""What was heard, and the test bench: why a webhook was turned away, without a secret in it."""

import json
import re
from pathlib import Path

import pytest

from app import eventlog, signatures, worklist
from app.console.bench import CAUSES, FAILS
from app.models import events
from app.signatures import sign
from app.worklist import Want
from tests.api.conftest import GUID, SECRETS
from tests.console.conftest import Guest

INVOICE = Want("acme", "invoice", GUID.format(7))
BODY = '{"type": "invoice.updated",\n "data": {"guid": "1A000000-0000-4000-8000-000000000007"}}'


def test_the_events_are_listed_by_where_they_came_from_and_what_came_of_them(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = guest.stage.hear("one", b"{}", INVOICE)
    ignored = guest.stage.hear("two", b"{}", None, reason="nothing_follows")
    row = guest.stage.end(INVOICE, "blocked", "customer_number_missing")
    with guest.stage.hall.db.transaction() as tx:
        worklist.describe(tx, row, source="2077 Midsommarängen och Ängen AB")
    guest.log_in()

    def listed(query: str = "") -> list[str]:
        return re.findall(r"/c/acme/events/(evt_\w+)", guest.get(f"/c/acme/events{query}").text)

    assert listed() == [ignored, heard]
    assert listed("?q=MIDSOMMAR%C3%84NGEN") == [heard]
    monkeypatch.setattr(eventlog, "LATEST", 1)  # what is older is searched in another way
    assert listed("?kind=invoice&source=severa&status=accepted&door=webhook") == [heard]
    assert listed("?q=000000007") == [heard]
    assert listed("?q=MIDSOMMAR%C3%84NGEN") == [heard]
    assert listed("?q=ONE&kind=invoice") == [heard]
    assert listed("?q=INVOICE.UPDATED") == [ignored, heard]
    assert listed("?q=midsommar&status=ignored") == []
    assert listed("?status=ignored") == [ignored]
    assert listed("?source=fortnox") == []
    assert listed("?door=everything") == [ignored, heard]
    page = guest.get("/c/acme/events").text
    assert page.count('class="mark blocked"') == 1
    assert "This kind of event does not lead to a transfer." in page


def test_older_events_are_on_further_pages(guest: Guest) -> None:
    ids = [guest.stage.hear(f"{n}", b"{}", None, reason="nothing_follows") for n in range(60)]
    guest.log_in()
    first = guest.get("/c/acme/events").text
    (older,) = re.findall(r'href="(/c/acme/events\?before=\w+)"', first)
    found = [re.findall(r"events/(evt_\w+)", text) for text in (first, guest.get(older).text)]
    assert found[0] + found[1] == ids[::-1]
    assert "every 4s" in first
    assert "every 4s" not in guest.get(older).text


def test_one_event_shows_what_came_of_it_and_masks_what_is_personal(guest: Guest) -> None:
    body = b'{"type":"invoice.updated","data":{"guid":"1","name":"Personal Name"}}'
    event = guest.stage.hear("one", body, INVOICE)
    work_id = guest.stage.end(INVOICE, "done")
    guest.stage.say(work_id, "retried_by_person")
    guest.log_in()
    page = guest.get(f"/c/acme/events/{event}").text
    assert f"/c/acme/transfers/{work_id}" in page
    assert "Somebody chose Retry." in page
    assert "invoice.updated" in page
    assert "Personal Name" not in page
    guest.stage.connect("other")
    assert guest.get(f"/c/other/events/{event}").status_code == 404
    guest.log_in_as("operate")
    assert "word for word" not in guest.get(f"/c/acme/events/{event}").text


def checked(guest: Guest, body: str = BODY, *, source: str = "severa", **headers: str) -> str:
    lines = "\r\n".join(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())
    pasted = body.replace("\n", "\r\n")  # as browsers send it
    form = {"source": source, "headers": lines, "body": pasted}
    answer = guest.post("/c/acme/webhook-test", **form)
    assert answer.status_code == 200
    assert not any(secret in answer.text for secret in SECRETS.values())
    return answer.text


def signed(guest: Guest, body: str = BODY, *, late: int = 0) -> dict[str, str]:
    stamp = int(guest.stage.now.timestamp()) - late
    signature = sign(SECRETS["signing"], "msg_1", stamp, body.encode())
    given = {"webhook_timestamp": str(stamp), "webhook_signature": signature}
    return {"Webhook_Id": "msg_1"} | given


def test_a_genuine_request_is_recognised_and_told_what_would_follow(guest: Guest) -> None:
    guest.log_in()
    told = checked(guest, **signed(guest))
    assert "The door takes this as genuine." in told
    assert f"This would be looked at: Invoice {GUID.format(7)}" in told
    token = checked(guest, authorization=f"Bearer {SECRETS['token']}")
    assert "The door takes this as genuine." in token
    assert guest.stage.rows(events) == []


def test_each_check_that_fails_is_named(guest: Guest) -> None:
    guest.log_in()
    good = signed(guest)
    assert "bearer token is none of those" in checked(guest, authorization="Bearer guessed")
    assert "Neither the header" in checked(guest)
    old = signed(guest, late=3600)
    assert "more than five minutes" in checked(guest, **old)
    changed = checked(guest, BODY, **signed(guest, json.dumps(json.loads(BODY))))
    assert "The body was changed after it was signed" in changed
    assert "matches none of the secrets" in checked(guest, BODY.replace("7", "8"), **good)
    broken = checked(guest, "[1", **signed(guest, "[1"))
    assert "The door takes this as genuine." in broken
    assert "The body is not understood: body is not JSON." in broken


def test_an_old_request_is_checked_as_if_it_had_just_come(guest: Guest) -> None:
    guest.log_in()
    sent = signed(guest, late=9999)
    headers = "\n".join(f"{name.replace('_', '-')}: {value}" for name, value in sent.items())
    form = {"source": "severa", "headers": headers, "body": BODY, "old": "on"}
    assert "takes this as genuine" in guest.post("/c/acme/webhook-test", **form).text


def test_every_word_of_the_door_has_its_sentence() -> None:
    source = Path(signatures.__file__).read_text()
    assert set(FAILS) == {*re.findall(r'failed="([^"]+)"', source), signatures.NO_MATCH}
    assert set(CAUSES) == set(re.findall(r'"([^"\n]+)": \[\n', source))
