"""What the pages say, asked without a browser."""

import csv
import html
import io

from app import cursors, worklist
from app.worklist import Want
from tests.api.conftest import GUID
from tests.console.conftest import Guest


def test_the_start_page_says_in_one_sentence_whether_all_is_well(guest: Guest) -> None:
    guest.log_in()
    assert "no worker is running" in guest.get("/c/acme/").text


def test_what_is_stuck_is_grouped_by_cause_with_the_next_step_and_who(guest: Guest) -> None:
    for n in (1, 2, 3):
        want = Want("acme", "customer", GUID.format(n))
        guest.stage.want("customer", GUID.format(n))
        guest.stage.end(want, "blocked", "customer_without_vat_number", number=str(n), name="Åsa")
    guest.log_in()
    english = guest.get("/c/acme/").text
    assert english.count("state=blocked&amp;reason=customer_without_vat_number") == 1
    swedish = guest.get("/c/acme/", **{"accept-language": "sv"}).text
    assert "Vad som behöver hjälp" in swedish
    found = guest.get("/c/acme/transfers?state=blocked&reason=customer_without_vat_number").text
    assert found.count('class="mark blocked"') == 3
    other = guest.get("/c/acme/transfers?state=blocked&reason=customer_without").text
    assert "Nothing matches." in other


def test_the_log_is_searched_by_what_an_error_says(guest: Guest) -> None:
    """In the words that the reader sees, in either language, and of what holds another up."""
    row, other = (guest.stage.want("customer", GUID.format(n)) for n in (1, 2))
    guest.stage.end(Want("acme", "customer", GUID.format(1)), "blocked", "customer_address_missing")
    held = {"why": "customer_address_missing", "name": "Kustens"}
    guest.stage.end(
        Want("acme", "customer", GUID.format(2)), "blocked", "other_record_blocked", **held
    )
    guest.log_in()
    for q in ("ADDRESS", "adress", "has no address"):
        found = guest.get(f"/c/acme/transfers?q={q}").text
        assert (row in found, other in found) == (True, True)
    for q in ("period", "the", "fortnox"):
        assert "Nothing matches." in guest.get(f"/c/acme/transfers?q={q}").text


def test_what_waits_for_the_rate_limit_is_told_with_when_it_will_be_done(guest: Guest) -> None:
    for n in range(4):
        guest.stage.want("customer", f"waits {n}")
    limited = Want("acme", "customer", "limited")
    guest.stage.end(limited, "waiting", "rate_limited", system="fortnox")
    guest.log_in()
    page = guest.get("/c/acme/").text
    assert "5 transfers wait for their turn within the rate limit." in page
    assert "Done about" not in page  # nothing has ended yet by which to tell
    for n in range(2):
        guest.stage.end(Want("acme", "project", f"{n}"), "done")
    page = guest.get("/c/acme/").text
    assert "Done about 09:12:30." in page  # five at two in five minutes, from 9 in Stockholm
    assert page.count('class="mark waiting"') == 0


def test_each_side_says_until_when_everything_of_it_has_been_heard(guest: Guest) -> None:
    with guest.stage.hall.db.transaction() as tx:
        for name in ("severa:invoices", "fortnox:invoices"):
            cursors.start(tx, "acme", f"poll:{name}", "{}", guest.stage.now)
    guest.log_in()
    page = guest.get("/c/acme/").text
    for door in ("Severa, regular checks", "Fortnox, regular checks", "Fortnox, live"):
        assert page.count(door) == 1


def test_the_log_as_a_file_has_every_match_and_no_formulas(guest: Guest) -> None:
    formulas = [f"{sign}cmd|' /C calc'!A0" for sign in "=+-@\t"]
    for one in formulas:
        guest.stage.want("customer", one)
    guest.stage.want("invoice", GUID.format(9))
    guest.log_in()
    answer = guest.get("/c/acme/transfers.csv?kind=customer")
    assert answer.text.startswith("\ufeff")
    lines = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff")), delimiter=";"))
    assert sorted(line[3] for line in lines[1:]) == sorted(f"'{one}" for one in formulas)


def test_what_partner_systems_call_things_is_shown_and_never_run(guest: Guest) -> None:
    name = "<script>alert('x')</script>\"onload=x"
    want = Want("acme", "customer", GUID.format(1))
    event = guest.stage.hear("<b>one</b>", b'{"type":"<img src=x>"}', want)
    row = guest.stage.end(want, "blocked", "customer_without_vat_number", number="1", name=name)
    with guest.stage.hall.db.transaction() as tx:
        worklist.describe(tx, row, source=name)
    guest.stage.say(row, "retried_by_person")
    guest.log_in()
    places = ("", "transfers", f"transfers/{row}", f"transfers/{row}/retry", "events")
    for place in (*places, f"events/{event}", "retry?kind=customer", "transfers?q=<script>"):
        page = guest.get(f"/c/acme/{place}").text
        assert html.escape("<script>", quote=False) in page
        assert "<script>" not in page
        assert "<b>one" not in page


def test_a_transfer_shows_what_its_run_would_write_before_it_runs(guest: Guest) -> None:
    row = guest.stage.want()
    guest.log_in()
    assert "new invoice" in guest.get(f"/c/acme/transfers/{row}/retry").text
    swedish = guest.get(f"/c/acme/transfers/{row}/retry", **{"accept-language": "sv"}).text
    assert "ny faktura" in swedish
    assert "create_invoice" not in swedish
    assert guest.stage.planned == [row, row]
    assert guest.stage.hints == []


def test_payloads_are_masked_and_shown_to_those_who_may_configure(guest: Guest) -> None:
    want = Want("acme", "invoice", GUID.format(7))
    body = b'{"type":"invoice.updated","data":{"guid":"1","name":"Personal Name"}}'
    guest.stage.hear("one", body, want)
    row = guest.stage.want()
    guest.log_in()
    shown = guest.get(f"/c/acme/transfers/{row}").text
    assert "Severa: Invoice: changed" in shown
    assert "Personal Name" not in shown
    guest.client.cookies.clear()
    guest.log_in_as("operate")
    assert "word for word" not in guest.get(f"/c/acme/transfers/{row}").text


def test_what_is_not_there_is_a_page_and_not_a_problem_document(guest: Guest) -> None:
    guest.log_in()
    for path in ("/c/other/", "/c/acme/transfers/trf_none", "/c/%00/", "/c/acme/mistyped"):
        answer = guest.get(path)
        assert answer.status_code == 404
        assert "There is nothing here" in answer.text


def test_the_address_of_a_form_leads_to_its_page(guest: Guest) -> None:
    """As the browser shows it after the form was refused: loaded anew, or in another language."""
    guest.log_in()
    for at, page in (
        ("/c/acme/connect/emails", "/c/acme/connect"),
        ("/c/acme/settings", "/c/acme/connect"),
        ("/accounts/asa/password", "/accounts"),
        ("/keys", "/accounts"),
    ):
        assert guest.get(at).headers["location"] == page
    refused = guest.post("/c/acme/connect/emails", error_emails="nobody")
    assert 'name="next" value="/c/acme/connect/emails"' in refused.text
