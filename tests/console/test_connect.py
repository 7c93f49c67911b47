"""The checklist: what its forms say becomes settings, and nothing is activated half-configured."""

import json
from dataclasses import dataclass

import pytest

from app.console import answers, guide, words
from app.console.ready import COMPARED, MENDED, OF_RECORDS, SEEN_TO
from app.documents import MASK
from app.errors import Invalid
from tests.api.conftest import GUID, SECRETS
from tests.console.conftest import Guest


@dataclass(frozen=True)
class Status:
    guid: str
    name: str
    is_active: bool = True
    is_paid: bool = False
    is_sent: bool = False


def settings(guest: Guest) -> dict[str, object]:
    found: dict[str, object] = guest.stage.client.get("/api/v1/connections/acme").json()
    return found


def test_each_form_changes_its_own_settings_and_no_secret(guest: Guest) -> None:
    guest.log_in()
    at = "/c/acme/connect"
    before = settings(guest)
    assert guest.post(f"{at}/emails", error_emails="a@x.se, b@x.se\nc@x.se").status_code == 303
    assert guest.post(f"{at}/customers", customer_master="fortnox").status_code == 303
    mapping = {"map": "10 = STH\n20 =\n", "from": "business_unit", "fee_accounts": "4000-4999"}
    assert guest.post(f"{at}/bookkeeping", **mapping).status_code == 303
    assert guest.post(f"{at}/severa", client_id="new-id", client_secret="").status_code == 303
    after = settings(guest)
    different = {name for name in before if before[name] != after[name]} - {"updated_at"}
    assert different == {"error_emails", "customer_master", "cost_centers", "severa"} | {
        "fee_accounts"
    }
    assert after["error_emails"] == ["a@x.se", "b@x.se", "c@x.se"]
    assert after["cost_centers"] == {"from": "business_unit", "map": {"10": "STH", "20": None}}
    with guest.stage.hall.db.reading() as tx:
        kept = guest.stage.client.app.state.desk.connection(tx, "acme")  # type: ignore[attr-defined]
    assert kept.document.severa.client_secret.get_secret_value() == SECRETS["severa"]


@pytest.mark.parametrize(
    ("part", "form", "said"),
    [
        ("emails", {"error_emails": "nobody"}, "not an e-mail address"),
        ("bookkeeping", {"map": "10 STH"}, "expected lines like"),
        ("bookkeeping", {"fee_accounts": "all"}, "expected account ranges"),
        ("statuses", {"transfer": GUID.format(1), "received": GUID.format(1)}, "chosen twice"),
        ("webhooks", {"severa": "not-a-secret"}, "expected whsec_"),
    ],
)
def test_what_is_wrong_is_said_beside_the_form_and_changes_nothing(
    guest: Guest, part: str, form: dict[str, str], said: str
) -> None:
    guest.log_in()
    before = settings(guest)
    answer = guest.post(f"/c/acme/connect/{part}", **form)
    assert answer.status_code == 400
    assert said in answer.text
    assert settings(guest) == before


def test_a_half_configured_connection_is_not_activated(guest: Guest) -> None:
    guest.log_in()
    guest.post("/connections", name="half", label="Half AB")
    assert guest.post("/c/half/activate").headers["location"] == "/c/half/preflight"
    found = guest.stage.client.get("/api/v1/connections/half").json()
    assert found["active"] is False
    page = guest.get("/c/half/connect").text
    assert page.count("To do") == 3
    assert "severa.client_id" in page
    assert "Activate Fortnox" not in guest.get("/c/half/preflight?now=1").text


def test_each_step_says_where_it_is_seen_to(guest: Guest) -> None:
    guest.log_in()
    page = guest.get("/c/acme/connect").text
    assert page.count('href="https://severa.example/"') == 4
    assert page.count('href="https://apps.fortnox.se/"') == 3


def test_every_finding_leads_to_where_it_is_mended() -> None:
    led = {*MENDED, *COMPARED, *SEEN_TO}
    assert set(words.CHECKS) - led == set()
    assert led >= OF_RECORDS


def test_settings_go_out_masked_and_come_back_the_same(guest: Guest) -> None:
    guest.log_in()
    out = guest.get("/c/acme/settings.json").text
    assert not any(secret in out for secret in SECRETS.values())
    before = settings(guest)
    changed = json.loads(out) | {"label": "Another name"}
    assert guest.post("/c/acme/settings", document=json.dumps(changed)).status_code == 303
    after = settings(guest)
    assert after["label"] == "Another name"
    assert {**after, "label": 0, "updated_at": 0} == {**before, "label": 0, "updated_at": 0}
    assert guest.post("/c/acme/settings", document="[").status_code == 400


def test_statuses_are_suggested_by_flags_and_names() -> None:
    statuses = [
        Status("1", "Utkast"),
        Status("2", "Klar för Fortnox"),
        Status("3", "Mottagen i Fortnox", is_sent=True),
        Status("4", "Betald", is_paid=True, is_sent=True),
        Status("5", "Fel i Fortnox"),
        Status("6", "Gammal: klar för Fortnox", is_active=False),
    ]
    found = guide.suggested(statuses)
    assert found == {"paid": "4", "error": "5", "received": "3", "transfer": "2"}
    assert guide.suggested([Status("1", "Sent", is_sent=True)]) == {"received": "1"}


def test_an_empty_secret_keeps_the_stored_one_and_makes_none() -> None:
    plain = {"severa": {"client_id": "", "client_secret": ""}}
    answers.severa({"client_id": "x"}, plain)
    assert plain["severa"]["client_secret"] == ""
    plain["severa"]["client_secret"] = MASK
    answers.severa({"client_id": "x"}, plain)
    assert plain["severa"]["client_secret"] == MASK
    with pytest.raises(Invalid):
        answers.bookkeeping({"map": "= STH"}, {})
