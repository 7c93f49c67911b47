"""People and keys are made and taken back in the console, and the audit log says by whom."""

import re

import pytest

from app import journal
from app.models import audit, sessions
from tests.api.conftest import ADMIN_KEY, GUID
from tests.console.conftest import PASSWORD, Guest


def actions(guest: Guest) -> list[tuple[str, str]]:
    return [(row.action, row.who_kind) for row in guest.stage.rows(audit)]


def test_a_person_is_added_changed_and_removed(guest: Guest) -> None:
    guest.log_in()
    added = guest.post("/accounts", name="Asa", password=PASSWORD, scope="view")
    assert added.status_code == 303
    assert guest.post("/accounts/asa/scope", scope="operate").status_code == 303
    row = guest.stage.want()
    guest.client.cookies.clear()
    guest.log_in(PASSWORD, "asa")
    assert guest.post(f"/c/acme/transfers/{row}/retry").status_code == 303
    guest.client.cookies.clear()
    guest.log_in()
    assert guest.post("/accounts/asa/remove").status_code == 303
    guest.client.cookies.clear()
    assert guest.log_in(PASSWORD, "asa").status_code == 401
    assert actions(guest) == [
        ("person.added", "session"),
        ("person.changed", "session"),
        ("transfers.retried", "session"),
        ("person.removed", "session"),
    ]
    assert PASSWORD not in str(guest.stage.rows(audit))
    guest.log_in()
    assert guest.get("/audit").text.count('<td class="time">') == 4
    for choice, many in (("action=person.changed", 1), ("company=acme", 1), ("action=sung", 4)):
        assert guest.get(f"/audit?{choice}").text.count('<td class="time">') == many


def test_a_person_gets_another_password_and_is_shut_out_and_let_in(guest: Guest) -> None:
    guest.log_in()
    guest.post("/accounts", name="asa", password=PASSWORD, scope="view")
    another = "another horse altogether"
    assert guest.post("/accounts/asa/password", password="short").status_code == 400
    assert guest.post("/accounts/asa/password", password=another).status_code == 303
    guest.client.cookies.clear()
    assert guest.log_in(PASSWORD, "asa").status_code == 401
    assert guest.log_in(another, "asa").status_code == 303
    hers = guest.client.cookies["session"]
    guest.client.cookies.clear()
    guest.log_in()
    assert guest.get("/accounts").text.count('<td class="time"><time') == 1  # she was seen
    assert guest.post("/accounts/asa/disabled", disabled="yes").status_code == 303
    assert "Is shut out" in guest.get("/accounts").text
    guest.client.cookies.clear()
    guest.client.cookies.set("session", hers)
    assert guest.get("/c/acme/").status_code == 303
    assert guest.log_in(another, "asa").status_code == 401
    guest.client.cookies.clear()
    guest.log_in()
    assert guest.post("/accounts/asa/disabled", disabled="no").status_code == 303
    guest.client.cookies.clear()
    assert guest.log_in(another, "asa").status_code == 303
    assert another not in str(guest.stage.rows(audit))


def test_whoever_has_a_password_changes_it_and_is_out_everywhere_else(guest: Guest) -> None:
    guest.log_in()
    assert guest.get("/password").status_code == 404  # a key has none
    guest.client.cookies.clear()
    guest.log_in_as("view")
    elsewhere = guest.client.cookies["session"]
    guest.client.cookies.clear()
    guest.log_in(PASSWORD, "a-view")
    another = "another horse altogether"
    assert guest.post("/password", present="a guess", password=another).status_code == 401
    assert guest.post("/password", present=PASSWORD, password="short").status_code == 400
    assert guest.post("/password", present=PASSWORD, password=another).status_code == 303
    assert guest.get("/c/acme/").status_code == 200
    guest.client.cookies.clear()
    guest.client.cookies.set("session", elsewhere)
    assert guest.get("/c/acme/").status_code == 303
    assert guest.log_in(PASSWORD, "a-view").status_code == 401
    assert actions(guest) == [("person.changed", "session")]


def test_logging_in_gives_the_session_a_new_name_and_ends_the_one_before(guest: Guest) -> None:
    """Whoever has planted a cookie in a browser knows nothing of what it opens later."""
    guest.client.cookies.set("session", "planted", "testserver.local")
    guest.log_in()
    first = guest.client.cookies["session"]
    guest.log_in()
    assert len({"planted", first, guest.client.cookies["session"]}) == 3
    assert len(guest.stage.rows(sessions)) == 1


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("x", "short", "at least 12 characters"),
        ("admin", PASSWORD, "not admin"),
        ("<b>", PASSWORD, "expected a-z"),
    ],
)
def test_what_cannot_be_an_account_is_refused(
    guest: Guest, name: str, password: str, said: str
) -> None:
    guest.log_in()
    answer = guest.post("/accounts", name=name, password=password, scope="view")
    assert answer.status_code == 400
    assert said in answer.text
    assert actions(guest) == []


def test_a_key_is_shown_once_and_closes_its_logins_when_it_is_revoked(guest: Guest) -> None:
    guest.log_in()
    page = guest.post("/keys", name="a script", scope="view").text
    found = re.search(r'id="new-key">(brk_[\w-]+)<', page)
    assert found is not None
    assert found[1] not in guest.get("/accounts").text
    key_id = re.findall(r'action="/keys/(key_\w+)/revoke"', guest.get("/accounts").text)[0]
    guest.client.cookies.clear()
    assert guest.log_in(found[1]).status_code == 303
    mine = guest.client.cookies["session"]
    assert guest.get("/accounts").status_code == 403
    guest.client.cookies.clear()
    guest.log_in(ADMIN_KEY)
    assert guest.post(f"/keys/{key_id}/revoke").status_code == 303
    guest.client.cookies.clear()
    guest.client.cookies.set("session", mine)
    assert guest.get("/c/acme/").status_code == 303


def test_many_run_again_by_filter_on_the_low_lane(guest: Guest) -> None:
    rows = [guest.stage.want("customer", GUID.format(n)) for n in range(1, 8)]
    other = guest.stage.want("invoice", GUID.format(9))
    guest.log_in()
    page = guest.get("/c/acme/retry?kind=customer").text
    assert "Run 7 transfers again?" in page
    assert len(guest.stage.planned) == 5
    assert guest.stage.hints == []
    answer = guest.post("/c/acme/retry?kind=customer")
    assert answer.headers["location"] == "/c/acme/backfills"
    assert guest.stage.hints == [7]
    story = guest.get(f"/c/acme/transfers/{rows[0]}").text
    assert "story" in story
    with guest.stage.hall.db.reading() as tx:
        assert [one.what for one in journal.read(tx, rows[0])] == ["retried_by_person"]
        assert journal.read(tx, other) == []
    assert guest.get("/c/acme/retry").status_code == 400
    assert guest.post("/c/acme/retry").status_code == 400
    assert guest.stage.hints == [7]
