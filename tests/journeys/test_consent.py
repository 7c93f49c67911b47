"""A Fortnox administrator lets the integration in, and takes it back; refresh tokens never race."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app import api, connections, grants
from app.api import consent
from app.documents import Document
from app.fortnox.auth import SCOPES
from app.models import audit, invitations, tokens
from app.models import connections as connection_rows
from app.models import grants as grant_rows
from app.notary import Notary
from app.sandbox.chaos import Fault
from app.sandbox.fortnox.tokens import Client
from app.sandbox.severa import TRANSFER
from app.spending import QUIET
from tests.installation import Vendors, document
from tests.workshop import Workshop, workshop

APP = {"client_id": "demo-client", "client_secret": "demo-secret"}
LINK = "/api/v1/connections/acme/fortnox/consent"
CALLBACK = "/oauth/fortnox/callback"
TENANT = "654896"


@dataclass
class Office:
    """The bridge's HTTP doors, and the browser of a Fortnox administrator."""

    shop: Workshop
    client: TestClient

    def connect(self, **changes: Any) -> None:
        """Everything but the tenant, which the consent brings."""
        given = Document.model_validate(document("acme", **{"fortnox": APP} | changes))
        with self.shop.hall.db.transaction() as tx:
            connections.put(tx, self.shop.hall.vault, given, self.shop.clock())

    def link(self) -> str:
        answer = self.client.post(LINK)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])

    def answer(self, link: str) -> str:
        """What Fortnox sends the browser back to, once the administrator has answered."""
        sent = httpx.get(link, follow_redirects=False, trust_env=False)
        assert sent.status_code == 302, sent.text
        address = sent.headers["location"]
        assert address.startswith(f"https://bridge.example{CALLBACK}?")
        return str(address.removeprefix("https://bridge.example"))

    def consent(self) -> httpx.Response:
        return self.client.get(self.answer(self.link()))

    def rows(self, table: Any) -> list[Any]:
        with self.shop.hall.db.reading() as tx:
            return list(tx.execute(select(table)))

    def grant(self) -> Any:
        [row] = self.rows(grant_rows)
        return row

    def token_calls(self) -> list[int]:
        """The answers of the token endpoint, in order."""
        return [
            call.status
            for call in self.shop.partners.fortnox.chaos.calls
            if call.path.endswith("/token")
        ]

    def forget_calls(self) -> None:
        for vendor in (self.shop.partners.fortnox, self.shop.partners.severa):
            vendor.chaos.calls.clear()

    def calls(self) -> int:
        """To both vendors."""
        partners = self.shop.partners
        return len(partners.fortnox.chaos.calls) + len(partners.severa.chaos.calls)

    def invoice(self) -> str:
        """A new one that stands in the trigger status, looked at."""
        guid = str(self.shop.partners.severa.add_simple_invoice()["guid"])
        self.shop.partners.severa.set_status(guid, TRANSFER)
        self.shop.look_at("invoice", guid)
        return guid

    def hour_later(self) -> None:
        self.shop.clock.move_on(timedelta(hours=1))
        self.shop.partners.fortnox.expire_tokens()

    def refresh_token(self) -> str:
        [token] = self.shop.partners.fortnox.tokens.refresh
        return token


@pytest.fixture
def office(hall: Any, redis_url: str, partners: Vendors) -> Iterator[Office]:
    public = hall.settings.model_copy(update={"public_url": "https://bridge.example/"})
    with workshop(replace(hall, settings=public), redis_url, partners) as shop:
        partners.fortnox.tokens.consents.clear()
        app = FastAPI(openapi_url=None)
        api.mount(app, shop.hall, hint=lambda _: None, plan=lambda _: [], look=_nobody)
        consent.mount(app, Notary(shop.process.room))
        client = TestClient(app, raise_server_exceptions=False)
        client.headers["Authorization"] = f"Bearer {shop.hall.keys.admin}"
        yield Office(shop, client)


def _nobody(connection: object) -> Any:
    raise AssertionError("nothing here looks at the registers")


def test_the_link_asks_for_a_service_account_with_the_scopes_we_need(office: Office) -> None:
    office.connect()
    link = urlsplit(office.link())
    query = parse_qs(link.query, strict_parsing=True)
    assert f"{link.scheme}://{link.netloc}{link.path}" == (
        f"{office.shop.partners.fortnox_url}/oauth-v1/auth"
    )
    [state] = query.pop("state")
    assert query == {
        "client_id": ["demo-client"],
        "redirect_uri": [f"https://bridge.example{CALLBACK}"],
        "scope": [SCOPES],
        "access_type": ["offline"],
        "response_type": ["code"],
        "account_type": ["service"],
    }
    assert len(state) >= 43
    [row] = office.rows(invitations)
    assert state not in str(tuple(row))
    assert row.expires_at - office.shop.clock() <= timedelta(minutes=10)


def test_a_consent_brings_the_tenant_and_switches_on_what_lacked_nothing_else(
    office: Office,
) -> None:
    office.connect()
    before = office.shop.connection()
    assert before.document.missing() == ["fortnox.tenant_id"]
    assert not before.active
    with capture_logs() as logs:
        page = office.consent()
    assert page.status_code == 200
    assert "Fortnox är anslutet" in page.text
    assert "Vårt bolag AB" in page.text
    now = office.shop.connection()
    assert (now.document.fortnox.tenant_id, now.active, now.stopped) == (TENANT, True, None)
    written_down = [(row.action, row.who_kind, row.origin) for row in office.rows(audit)]
    assert written_down == [
        ("consent.invited", "key", "testclient"),
        ("consent.given", "link", "testclient"),
    ]
    assert now.document.missing() == []
    assert [one["event"] for one in logs] == ["consent.invited", "consent.given"]


def test_the_first_document_put_again_takes_nothing_of_the_consent_away(office: Office) -> None:
    first = document("acme", fortnox=APP)
    at = "/api/v1/connections/acme"
    assert office.client.put(at, json=first).status_code == 201
    office.consent()
    again = office.client.put(at, json=first | {"label": "Nytt namn"})
    assert again.status_code == 200
    said = again.json()
    assert (said["label"], said["active"]) == ("Nytt namn", True)
    assert said["fortnox"]["tenant_id"] == TENANT
    other = first | {"fortnox": APP | {"client_id": "another-app"}}
    assert office.client.put(at, json=other).json()["missing"] == ["fortnox.tenant_id"]
    assert office.shop.outcome("invoice", office.invoice()) == ("done", None)


def test_the_page_shows_no_secret_and_no_copy_of_it_is_kept(office: Office) -> None:
    office.connect()
    address = office.answer(office.link())
    page = office.client.get(address, headers={"Accept-Language": "en", "Authorization": ""})
    assert "Fortnox is connected" in page.text
    secrets = [*parse_qs(urlsplit(address).query).values(), [office.refresh_token()]]
    assert not [one for [one] in secrets if one in page.text]
    assert "demo-secret" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert office.refresh_token() not in str(tuple(office.grant()))


def test_from_then_on_client_credentials_are_used_and_no_refresh_token_is_kept(
    office: Office,
) -> None:
    office.connect()
    office.consent()
    office.forget_calls()
    guid = office.invoice()
    assert office.shop.outcome("invoice", guid) == ("done", None)
    assert office.token_calls() == [200]
    assert office.rows(grant_rows) == []
    office.hour_later()
    office.invoice()
    assert office.token_calls() == [200, 200]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("invalid_grant", 400),
        ("unauthorized_client", 400),
        ("unsupported_grant_type", 400),
        ("access_denied", 403),
        ("invalid_client", 401),
    ],
)
def test_an_app_without_client_credentials_lives_by_its_refresh_token(
    office: Office, error: str, status: int
) -> None:
    options = office.shop.partners.fortnox.options
    options.client_credentials = False
    options.no_consent_error, options.no_consent_status = error, status
    office.connect()
    office.consent()
    first = office.refresh_token()
    office.forget_calls()
    guid = office.invoice()
    assert office.shop.outcome("invoice", guid) == ("done", None)
    assert office.token_calls() == [status, 200]
    row = office.grant()
    assert (row.needed, row.spending, row.refresh_started_at, row.lost_at) == (
        True,
        None,
        None,
        None,
    )
    second = office.refresh_token()
    assert second != first
    office.hour_later()
    office.invoice()
    assert office.token_calls() == [status, 200, 200]
    assert office.refresh_token() not in (first, second)


def test_an_app_that_gets_client_credentials_one_day_goes_on_with_them(office: Office) -> None:
    fortnox = office.shop.partners.fortnox
    fortnox.options.client_credentials = False
    office.connect()
    office.consent()
    office.invoice()
    fortnox.options.client_credentials = True
    fortnox.tokens.refresh.clear()
    office.hour_later()
    guid = office.invoice()
    assert office.shop.outcome("invoice", guid) == ("done", None)
    assert office.rows(grant_rows) == []


def lose(office: Office) -> str:
    """A consent that is taken back; the invoice that finds it out."""
    office.shop.partners.fortnox.options.client_credentials = False
    office.connect()
    office.consent()
    office.invoice()
    office.shop.partners.fortnox.withdraw_consent("demo-client", TENANT)
    office.shop.clock.move_on(timedelta(hours=1))
    office.forget_calls()
    return office.invoice()


def test_a_lost_consent_stops_the_connection_once_and_nothing_more_is_called(
    office: Office,
) -> None:
    with capture_logs() as logs:
        guid = lose(office)
        stopped = office.shop.connection().stopped
        assert stopped is not None
        assert stopped.code == "consent_lost"
        assert office.shop.outcome("invoice", guid) == ("blocked", "consent_lost")
        assert office.token_calls() == [400, 400]  # the token was spent, and there is no other way
        office.forget_calls()
        for _ in range(20):
            office.shop.clock.move_on(timedelta(minutes=10))
            office.invoice()
        assert office.calls() == 0
    events = Counter(one["event"] for one in logs)
    assert (events["consent.lost"], events["connection.stopped"]) == (1, 1)


def test_a_new_consent_sets_everything_going_again(office: Office) -> None:
    guid = lose(office)
    assert office.consent().status_code == 200
    assert office.shop.connection().stopped is None
    office.shop.run()
    assert office.shop.outcome("invoice", guid) == ("done", None)
    assert office.grant().lost_at is None


def test_switching_on_by_hand_does_not_bring_a_lost_consent_back(office: Office) -> None:
    lose(office)
    office.forget_calls()
    with office.shop.hall.db.transaction() as tx:
        connections.set_active(tx, "acme", office.shop.clock(), active=True)
    office.shop.run()
    stopped = office.shop.connection().stopped
    assert stopped is not None
    assert stopped.code == "consent_lost"
    assert office.token_calls() == []


def test_a_refresh_without_an_answer_is_not_repeated_blindly(office: Office) -> None:
    """It was spent: what Fortnox says of it later is final, and asks for a new consent."""
    fortnox = office.shop.partners.fortnox
    fortnox.options.client_credentials = False
    office.connect()
    office.consent()
    office.invoice()
    office.hour_later()
    office.forget_calls()
    fortnox.chaos.faults.append(Fault("lose", "/oauth-v1/token"))
    guid = office.invoice()
    assert office.shop.outcome("invoice", guid)[0] == "waiting"
    assert len(office.token_calls()) == 1
    row = office.grant()
    assert row.spending is not None
    assert row.refresh_started_at is not None
    office.shop.clock.move_on(QUIET / 2)
    office.shop.retry("invoice", guid)
    assert len(office.token_calls()) == 1
    office.shop.clock.move_on(QUIET)
    office.shop.run()
    assert office.shop.outcome("invoice", guid) == ("blocked", "consent_lost")


def test_a_refresh_that_never_left_is_made_again_with_the_same_token(office: Office) -> None:
    """A process that ended before its call; the mark alone was written."""
    fortnox = office.shop.partners.fortnox
    fortnox.options.client_credentials = False
    office.connect()
    office.consent()
    office.invoice()
    office.hour_later()
    with office.shop.hall.db.transaction() as tx:
        grants.begin(tx, "acme", office.refresh_token(), office.shop.clock())
    office.shop.clock.move_on(QUIET)
    guid = office.invoice()
    assert office.shop.outcome("invoice", guid) == ("done", None)
    assert office.grant().spending is None


def test_settings_of_another_company_do_not_use_the_refresh_token(office: Office) -> None:
    office.shop.partners.fortnox.options.client_credentials = False
    office.connect()
    office.consent()
    office.invoice()
    office.connect(fortnox=APP | {"tenant_id": "111111"})
    office.forget_calls()
    guid = office.invoice()
    assert office.shop.outcome("invoice", guid) == ("blocked", "token_refused")
    assert office.token_calls() == [400]


def test_a_new_secret_is_used_at_once(office: Office) -> None:
    office.connect()
    office.consent()
    office.invoice()
    fortnox = office.shop.partners.fortnox
    fortnox.tokens.clients["demo-client"] = Client("demo-client", "new-secret")
    office.connect(
        fortnox={"client_id": "demo-client", "client_secret": "new-secret", "tenant_id": TENANT}
    )
    office.forget_calls()
    guid = office.invoice()
    assert office.shop.outcome("invoice", guid) == ("done", None)
    assert office.token_calls() == [200]


def test_a_new_consent_gets_a_new_token_with_its_new_scopes(office: Office) -> None:
    office.connect()
    office.consent()
    office.invoice()
    office.forget_calls()
    office.consent()
    office.invoice()
    assert office.token_calls() == [200, 200]  # the code, and the new token


# --- what opens nothing ---


def refused(office: Office, address: str, headline: str) -> None:
    """Said clearly, said once in the log, and nothing is stored."""
    before = office.rows(connection_rows), office.rows(grant_rows)
    with capture_logs() as logs:
        page = office.client.get(address, headers={"Accept-Language": "en"})
    assert page.status_code == 400
    assert "Fortnox is not connected" in page.text
    assert headline in page.text
    assert "demo-secret" not in page.text
    assert [one["event"] for one in logs] == ["consent.refused"]
    assert (office.rows(connection_rows), office.rows(grant_rows)) == before


def test_a_person_may_say_no(office: Office) -> None:
    office.connect()
    office.shop.partners.fortnox.options.consent = "deny"
    refused(office, office.answer(office.link()), "The integration was not approved in Fortnox.")


def test_a_scope_that_the_app_does_not_have_is_said(office: Office) -> None:
    office.connect()
    office.shop.partners.fortnox.add_client("demo-client", "demo-secret", scopes="customer")
    refused(office, office.answer(office.link()), "Fortnox answered: “invalid_scope”.")


def test_what_is_shown_of_an_error_is_never_what_a_stranger_wrote(office: Office) -> None:
    office.connect()
    state = parse_qs(urlsplit(office.link()).query)["state"][0]
    strange = "%3Cscript%3E"
    address = f"{CALLBACK}?state={state}&error={strange}&error_description={strange}"
    refused(office, address, "Fortnox did not accept the request for approval. Nothing")


def test_a_state_that_was_never_ours_opens_nothing(office: Office) -> None:
    office.connect()
    office.link()
    for state in ("", "x", "x" * 5000, "%00", "%FF"):
        refused(office, f"{CALLBACK}?code=1&state={state}", "is not one of ours")
    assert office.token_calls() == []


def test_a_link_is_good_once(office: Office) -> None:
    office.connect()
    address = office.answer(office.link())
    assert office.client.get(address).status_code == 200
    calls = office.token_calls()
    refused(office, address, "The approval link has already been used.")
    assert office.token_calls() == calls


def test_a_link_is_good_for_ten_minutes(office: Office) -> None:
    office.connect()
    address = office.answer(office.link())
    office.shop.clock.move_on(timedelta(minutes=10))
    refused(office, address, "was good for ten minutes")
    assert office.token_calls() == []


def test_who_only_looks_whether_there_is_a_page_does_not_use_the_link(office: Office) -> None:
    office.connect()
    address = office.answer(office.link())
    assert office.client.head(address).status_code == 405
    assert office.client.get(address).status_code == 200


def test_a_code_that_fortnox_refuses_is_said(office: Office) -> None:
    office.connect()
    address = office.answer(office.link())
    office.shop.partners.fortnox.tokens.codes.clear()
    refused(office, address, "Fortnox did not accept the approval")


def test_a_wrong_client_secret_is_said(office: Office) -> None:
    office.connect(fortnox=APP | {"client_secret": "wrong"})
    refused(office, office.answer(office.link()), "the client id and the client secret of the app")


@pytest.mark.parametrize("kind", ["break", "lose"])
@pytest.mark.parametrize("path", ["/oauth-v1/token", "/3/companyinformation"])
def test_a_fortnox_that_does_not_answer_is_said(office: Office, kind: Any, path: str) -> None:
    office.connect()
    address = office.answer(office.link())
    office.shop.partners.fortnox.chaos.faults.append(Fault(kind, path))
    refused(office, address, "Fortnox does not answer as expected just now.")


def test_a_company_that_may_not_be_read_is_said(office: Office) -> None:
    office.connect()
    office.shop.partners.books.lose_licence("companyinformation")
    refused(office, office.answer(office.link()), "but not that it reads the details")


def test_the_consent_of_another_company_does_not_change_whose_books_are_written(
    office: Office,
) -> None:
    office.connect()
    office.consent()
    fortnox = office.shop.partners.fortnox
    fortnox.add_tenant("777777", "Grannen AB")
    fortnox.options.consenting_tenant = "777777"
    refused(office, office.answer(office.link()), "another company in Fortnox, Grannen AB (777777)")
    assert office.shop.connection().document.fortnox.tenant_id == TENANT


def test_a_link_made_for_another_app_opens_nothing(office: Office) -> None:
    office.connect()
    address = office.answer(office.link())
    office.connect(fortnox={"client_id": "other", "client_secret": "other"})
    refused(office, address, "client id and the client secret")


def test_a_link_of_a_deleted_connection_opens_nothing(office: Office) -> None:
    office.connect()
    address = office.answer(office.link())
    with office.shop.hall.db.transaction() as tx:
        connections.delete(tx, office.shop.hall.vault, "acme", office.shop.clock())
    refused(office, address, "is not one of ours")
    for table in (invitations, grant_rows, tokens):
        assert office.rows(table) == []


def test_who_was_let_in_by_hand_needs_no_link(office: Office) -> None:
    office.shop.connect()
    office.shop.partners.fortnox.consent("demo-client", TENANT)
    guid = office.invoice()
    assert office.shop.outcome("invoice", guid) == ("done", None)
    assert office.rows(invitations) == office.rows(grant_rows) == []


def test_a_stop_that_comes_late_does_not_undo_a_new_consent(office: Office) -> None:
    """A run that began before the consent ends after it."""
    lose(office)
    old = office.shop.connection()
    office.consent()
    assert old.stopped is not None
    with office.shop.hall.db.transaction() as tx:
        late = connections.stop(tx, "acme", old.stopped, office.shop.clock(), seen=old)
    assert not late
    assert office.shop.connection().stopped is None
