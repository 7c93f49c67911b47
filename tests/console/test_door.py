"""Who comes in, who does not, and what a form has to bring along."""

import pytest

from app import people
from app.models import sessions
from tests.console.conftest import PASSWORD, Guest

PAGES = ("/", "/c/acme/", "/c/acme/transfers", "/c/acme/transfers.csv")


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_led_to_the_log_in_page(guest: Guest, path: str) -> None:
    answer = guest.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/log-in")
    assert "acme" not in answer.text


def test_the_admin_key_opens_and_log_out_closes(guest: Guest) -> None:
    answer = guest.log_in(next="/c/acme/transfers")
    assert (answer.status_code, answer.headers["location"]) == (303, "/c/acme/transfers")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" in cookie  # the public address of this stage is https
    value = guest.client.cookies["session"]
    assert value not in str(guest.stage.rows(sessions))
    guest.client.cookies.set("session", value)
    assert guest.post("/log-out").headers["location"] == "/log-in"
    guest.client.cookies.set("session", value)
    assert guest.get("/c/acme/").status_code == 303
    assert guest.stage.rows(sessions) == []


def test_a_session_ends_by_itself(guest: Guest) -> None:
    guest.log_in()
    assert guest.get("/c/acme/").status_code == 200
    guest.stage.later(hours=13)
    assert guest.get("/c/acme/").status_code == 303


def test_a_wrong_key_is_refused_and_guessing_is_slow(guest: Guest) -> None:
    answers = [guest.log_in("adm_wrong").status_code for _ in range(10)]
    assert answers == [401] * 10
    assert guest.log_in().status_code == 429
    assert guest.stage.rows(sessions) == []


AWAY = (
    *("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""),
    *("/\t/evil.example", "/\r\n/evil.example", "\t//evil.example", "/x\\..//evil.example"),
)


def test_log_in_leads_to_no_other_site(guest: Guest) -> None:
    for place in AWAY:
        assert guest.log_in(next=place).headers["location"] == "/"
        chosen = guest.client.post("/preferences", data={"next": place, "theme": "dark"})
        assert chosen.headers["location"] == "/"
        assert "secure" in chosen.headers["set-cookie"].lower()


def test_who_logs_in_anew_because_a_form_came_too_late_is_led_back_to_its_page(
    guest: Guest,
) -> None:
    def sent(referer: str) -> str:
        form = {"csrf": "", "error_emails": "a@x.se"}
        answer = guest.client.post(
            "/c/acme/connect/emails", data=form, headers={"referer": referer}
        )
        return answer.headers["location"]

    assert sent("https://testserver/c/acme/connect?open=emails").endswith(
        "/connect%3Fopen%3Demails"
    )
    assert sent("https://evil.example/c/acme/connect") == "/log-in"
    assert sent("") == "/log-in"


def test_an_account_opens_with_its_password_alone(guest: Guest) -> None:
    guest.log_in_as("view")
    assert guest.get("/c/acme/").status_code == 200
    guest.client.cookies.clear()
    assert guest.log_in("another password", "a-view").status_code == 401
    assert guest.log_in(PASSWORD, "nobody-of-this-name").status_code == 401


def test_who_is_removed_is_out_at_once(guest: Guest) -> None:
    guest.log_in_as("operate")
    with guest.stage.hall.db.transaction() as tx:
        assert people.remove(tx, "a-operate")
    assert guest.get("/c/acme/").status_code == 303


def test_a_form_without_the_pages_token_changes_nothing(guest: Guest) -> None:
    row = guest.stage.want()
    guest.log_in()
    path = f"/c/acme/transfers/{row}/retry"
    assert guest.client.post(path, data={"csrf": "guessed"}).status_code == 403
    other = {"csrf": guest.token()}
    foreign = guest.client.post(path, data=other, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403
    assert guest.stage.hints == []
    assert guest.post(path).status_code == 303
    assert guest.stage.hints == [1]


def test_who_may_only_view_runs_nothing_again(guest: Guest) -> None:
    row = guest.stage.want()
    guest.log_in_as("view")
    path = f"/c/acme/transfers/{row}/retry"
    assert guest.post(path).status_code == 403
    assert guest.get(path).status_code == 403
    assert (guest.stage.hints, guest.stage.planned) == ([], [])
    assert "Run again" not in guest.get(f"/c/acme/transfers/{row}").text


def test_every_page_forbids_foreign_scripts(guest: Guest) -> None:
    guest.log_in()
    for path in ("/log-in", *PAGES[1:], "/c/acme/nothing-here"):
        policy = guest.get(path).headers.get("content-security-policy", "")
        if path != "/c/acme/nothing-here":
            assert "script-src 'self'" in policy
            assert "unsafe" not in policy
