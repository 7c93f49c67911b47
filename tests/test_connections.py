"""Connections: the document round, its secrets sealed, and what outlives it."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select, update

from app import connections, links, overview, vault, worklist
from app.connections import Connection, Directory
from app.documents import MASK, Document, unmask
from app.errors import because
from app.hall import Hall
from app.links import Link
from app.models import connections as table
from app.vault import Vault
from app.worklist import Settlement, Want
from tests.halls import emptied

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
SIGNING = "whsec_Y2FuYXJ5LW9mLXNpZ25pbmc="
OTHER_SIGNING = "whsec_Y2FuYXJ5LW51bWJlci0y"
FULL: dict[str, Any] = {
    "name": "acme",
    "label": "Åkeriet & Söner AB",
    "language": "en",
    "severa": {"client_id": "s-id", "client_secret": "canary-severa"},
    "fortnox": {"client_id": "f-id", "client_secret": "canary-fortnox", "tenant_id": "654896"},
    "webhooks": {
        "severa": {"secrets": [SIGNING, OTHER_SIGNING], "bearer_tokens": ["canary-token"]},
        "fortnox": {"secrets": [], "bearer_tokens": []},
    },
    "invoice_statuses": {"transfer": "1a-1", "received": "1a-2", "paid": None, "error": None},
    "transfer_attachments": True,
    "transfer_all_customers": True,
    "customer_master": "fortnox",
    "product_master": "fortnox",
    "default_product": "1a-9",
    "error_emails": ["ekonomi@acme.example"],
    "invoice_numbering": "severa",
    "bookkeep_invoices": True,
    "cost_centers": {"from": "business_unit", "map": {"10": "STH", "20": None}},
    "vat_types": {"NO": "EXPORT"},
    "fee_accounts": "4000-4999, 6000",
}
CANARIES = ("canary", SIGNING, OTHER_SIGNING)


@pytest.fixture
def hall(opened: Hall) -> Hall:
    return emptied(opened)


def document(**changes: Any) -> Document:
    return Document.model_validate(copy.deepcopy(FULL) | changes)


def put(hall: Hall, given: Document, at: datetime = NOW) -> bool:
    with hall.db.transaction() as tx:
        return connections.put(tx, hall.vault, given, at)


def find(hall: Hall, name: str = "acme") -> Connection | None:
    with hall.db.reading() as tx:
        return connections.find(tx, hall.vault, name)


def found(hall: Hall, name: str = "acme") -> Connection:
    one = find(hall, name)
    assert one is not None
    return one


def stop(hall: Hall, at: datetime = NOW) -> None:
    with hall.db.transaction() as tx:
        connections.stop(tx, "acme", because("token_refused", system="severa"), at)


# The document by itself.


def test_a_document_comes_back_as_it_was_split() -> None:
    given = document()
    assert Document.join(*given.split()) == given
    assert given.split()[0] | {"name": "acme"} == given.split()[0]


def test_the_plain_part_has_no_secret_and_the_secret_part_has_all() -> None:
    plain, secrets = document().split()
    assert not any(canary in str(plain) for canary in CANARIES)
    assert secrets == {
        "severa.client_secret": "canary-severa",
        "fortnox.client_secret": "canary-fortnox",
        "webhooks.severa.secrets": [SIGNING, OTHER_SIGNING],
        "webhooks.severa.bearer_tokens": ["canary-token"],
        "webhooks.fortnox.secrets": [],
        "webhooks.fortnox.bearer_tokens": [],
    }


def test_what_is_shown_has_a_mask_in_the_place_of_every_secret() -> None:
    shown = document().masked()
    door = FULL["webhooks"]["severa"]
    masked_door = {"secrets": [MASK, MASK], "bearer_tokens": [MASK]}
    assert shown == FULL | {
        "severa": FULL["severa"] | {"client_secret": MASK},
        "fortnox": FULL["fortnox"] | {"client_secret": MASK},
        "webhooks": FULL["webhooks"] | {"severa": door | masked_door},
    }
    assert Document(name="acme").masked()["severa"]["client_secret"] == ""


def test_a_document_does_not_show_its_secrets_by_accident() -> None:
    assert not any(canary in repr(document()) for canary in CANARIES)


def test_a_mask_means_the_secret_that_is_stored_in_that_place() -> None:
    stored = document()
    assert Document.model_validate(unmask(stored.masked(), stored)) == stored
    changed = stored.masked()
    changed["severa"]["client_secret"] = "new"
    changed["webhooks"]["severa"]["secrets"] = [SIGNING, MASK]
    changed["webhooks"]["severa"]["bearer_tokens"] = []
    read = Document.model_validate(unmask(changed, stored))
    assert read.split()[1] | {"webhooks.fortnox.secrets": []} == {
        "severa.client_secret": "new",
        "fortnox.client_secret": "canary-fortnox",
        "webhooks.severa.secrets": [SIGNING, OTHER_SIGNING],
        "webhooks.severa.bearer_tokens": [],
        "webhooks.fortnox.secrets": [],
        "webhooks.fortnox.bearer_tokens": [],
    }


def test_a_mask_where_nothing_is_stored_is_no_client_secret() -> None:
    read = Document.model_validate(unmask({"name": "a", "severa": {"client_secret": MASK}}, None))
    assert read.severa.client_secret.get_secret_value() == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Acme"),
        ("name", "-acme"),
        ("name", "a" * 64),
        ("language", "fi"),
        ("customer_master", "excel"),
        ("error_emails", ["nobody"]),
        ("fee_accounts", "all"),
        ("default_product", "no guid!"),
        ("surprise", 1),
        ("webhooks", {"severa": {"secrets": ["plain"]}}),
        ("webhooks", {"severa": {"secrets": ["whsec_"]}}),
        ("webhooks", {"severa": {"secrets": ["whsec_*"]}}),
        ("webhooks", {"severa": {"bearer_tokens": [""]}}),
        ("vat_types", {"NO": "NONE"}),
        ("cost_centers", {"from": "row", "map": {"10": "TOOLONG"}}),
    ],
)
def test_a_bad_document_names_the_field(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        document(**{field: value})
    assert {error["loc"][0] for error in caught.value.errors()} == {field}


def test_what_is_missing_is_named() -> None:
    assert document().missing() == []
    assert Document(name="acme").missing() == [
        "severa.client_id",
        "severa.client_secret",
        "fortnox.client_id",
        "fortnox.client_secret",
        "fortnox.tenant_id",
        "invoice_statuses.transfer",
        "invoice_statuses.received",
    ]


# Stored.


def test_a_document_is_read_back_as_it_was_put(hall: Hall) -> None:
    assert put(hall, document())
    one = found(hall)
    assert one == Connection("acme", document(), active=True, stopped=None, updated_at=NOW)


def test_a_document_that_is_not_complete_waits_to_be_switched_on(hall: Hall) -> None:
    put(hall, Document(name="acme"))
    assert not found(hall).active
    put(hall, document(), LATER)
    assert not found(hall).active


def test_the_same_document_again_changes_nothing(hall: Hall) -> None:
    put(hall, document())
    assert not put(hall, document(), LATER)
    assert found(hall).updated_at == NOW


def test_one_secret_that_differs_is_a_change(hall: Hall) -> None:
    put(hall, document())
    other = FULL["severa"] | {"client_secret": "another"}
    assert put(hall, document(severa=other), LATER)
    assert found(hall).document.severa.client_secret.get_secret_value() == "another"
    assert found(hall).updated_at == LATER


def test_no_secret_is_in_the_table_in_clear(hall: Hall) -> None:
    put(hall, document())
    with hall.db.reading() as tx:
        [row] = tx.execute(select(table))
    assert not any(canary in str(tuple(row)) for canary in CANARIES)
    assert "Åkeriet" in str(tuple(row))


def test_secrets_moved_to_another_connection_do_not_open_there(hall: Hall) -> None:
    put(hall, document())
    put(hall, document(name="other"))
    with hall.db.transaction() as tx:
        sealed = tx.scalar(select(table.c.secrets).where(table.c.name == "acme"))
        tx.execute(update(table).where(table.c.name == "other").values(secrets=sealed))
    with pytest.raises(vault.CannotDecrypt):
        find(hall, "other")


def test_settings_changed_keep_the_connection_active(hall: Hall) -> None:
    put(hall, document())
    with hall.db.transaction() as tx:
        connections.set_active(tx, "acme", NOW, active=True)
    put(hall, document(label="Ny"), LATER)
    assert found(hall).active


def test_every_connection_is_listed_by_name_without_the_deleted(hall: Hall) -> None:
    for name in ("b", "a", "c"):
        put(hall, document(name=name))
    with hall.db.transaction() as tx:
        connections.delete(tx, hall.vault, "b", NOW)
        assert [one.name for one in connections.every(tx, hall.vault)] == ["a", "c"]


def test_a_deleted_connection_loses_its_secrets_and_keeps_its_links(hall: Hall) -> None:
    put(hall, document())
    link = Link("invoice", "1a00", "88", {})
    with hall.db.transaction() as tx:
        connections.set_active(tx, "acme", NOW, active=True)
        links.remember(tx, "acme", link, NOW)
        connections.delete(tx, hall.vault, "acme", LATER)
    assert find(hall) is None
    with hall.db.reading() as tx:
        [row] = tx.execute(select(table))
    assert (row.document, row.active) == ({"name": "acme"}, False)
    assert hall.vault.open("acme", row.secrets) == {}
    assert put(hall, document(), LATER)
    assert (found(hall).active, found(hall).document) == (False, document())
    with hall.db.reading() as tx:
        assert links.of_severa(tx, "acme", "invoice", "1a00") == link


# Stopped, until a person or a probe says otherwise.


def test_a_stopped_connection_says_why_until_it_is_resumed(hall: Hall) -> None:
    put(hall, document())
    stop(hall)
    assert found(hall).stopped == because("token_refused", system="severa")
    with hall.db.transaction() as tx:
        connections.resume(tx, "acme", LATER)
    assert (found(hall).stopped, found(hall).updated_at) == (None, LATER)
    with hall.db.transaction() as tx:
        connections.resume(tx, "acme", LATER + timedelta(minutes=1))
    assert found(hall).updated_at == LATER


def blocked_row(hall: Hall) -> None:
    item = worklist.claim_now(hall.db, "me", Want("acme", "invoice", "1"), NOW)
    assert item is not None
    why = because("token_refused", system="severa")
    blocked = Settlement("blocked", why, waits_for=connections.WAITING)
    worklist.settle(hall.db, item, blocked, NOW)


def state_of_row(hall: Hall) -> str:
    with hall.db.reading() as tx:
        return overview.standing(tx, "acme", "invoice", "1")[0]


def test_activating_frees_what_was_blocked_by_the_stop(hall: Hall) -> None:
    put(hall, document())
    stop(hall)
    blocked_row(hall)
    assert state_of_row(hall) == "blocked"
    with hall.db.transaction() as tx:
        connections.set_active(tx, "acme", LATER, active=True)
    assert (state_of_row(hall), found(hall).stopped) == ("queued", None)


def test_settings_that_are_mended_free_what_was_blocked_by_the_stop(hall: Hall) -> None:
    put(hall, document())
    stop(hall)
    blocked_row(hall)
    mended = FULL["severa"] | {"client_secret": "the right one"}
    assert put(hall, document(severa=mended), LATER)
    assert (state_of_row(hall), found(hall).stopped) == ("queued", None)


# In memory, for the doors.


def test_the_directory_knows_what_is_stored_once_it_is_fresh(hall: Hall) -> None:
    directory = Directory(hall.db, hall.vault)
    put(hall, document())
    assert (directory.is_fresh, directory.get("acme")) == (False, None)
    directory.refresh()
    known = directory.get("acme")
    assert directory.is_fresh
    assert known == found(hall)
    put(hall, document(label="Ny"), LATER)
    directory.refresh()
    assert directory.get("acme") is known
    directory.forget()
    directory.refresh()
    assert directory.get("acme") == found(hall)


def test_the_directory_forgets_a_deleted_connection(hall: Hall) -> None:
    directory = Directory(hall.db, hall.vault)
    put(hall, document())
    directory.refresh()
    with hall.db.transaction() as tx:
        connections.delete(tx, hall.vault, "acme", LATER)
    directory.forget()
    directory.refresh()
    assert directory.get("acme") is None


def test_one_connection_that_cannot_be_opened_does_not_close_the_others(hall: Hall) -> None:
    put(hall, document())
    with hall.db.transaction() as tx:
        connections.put(tx, Vault([vault.new_key()]), document(name="lost"), NOW)
    directory = Directory(hall.db, hall.vault)
    directory.refresh()
    assert directory.get("acme") is not None
    assert directory.get("lost") is None
