"""A new encryption key takes over while everything works, and the old one can go."""

from datetime import datetime

import pytest
from sqlalchemy import insert, select, update

from app import connections, grants, resealing, vault
from app.documents import Document
from app.grants import Holding
from app.hall import Hall
from app.identity import Identity
from app.models import audit, tokens
from app.models import connections as connection_rows
from app.vault import CannotDecrypt, Vault
from tests.installation import document

WHO = Identity("command", "command", "bridge keys rotate", "configure")
NAMES = [f"company-{number:03}" for number in range(7)]
OLD = vault.new_key()
HOLDING = Holding("company-000", "client", "tenant")


@pytest.fixture
def old(hall: Hall, now: datetime) -> Vault:
    """Whose key sealed seven connections, a token and a grant."""
    sealer = Vault([OLD])
    with hall.db.transaction() as tx:
        for name in NAMES:
            connections.put(tx, sealer, Document.model_validate(document(name)), now)
        sealed = sealer.seal("company-000 severa", "canary-token")
        row = {"connection": NAMES[0], "system": "severa", "sealed": sealed}
        tx.execute(insert(tokens).values(row | {"expires_at": now, "updated_at": now}))
        grants.put(tx, sealer, HOLDING, "canary-refresh", now, needed=False)
    return sealer


def both() -> tuple[Vault, Vault]:
    """The new key in front of the old one, and the new one alone."""
    key = vault.new_key()
    return Vault([key, OLD]), Vault([key])


def readable(hall: Hall, box: Vault) -> int:
    count = 0
    with hall.db.reading() as tx:
        for name in NAMES:
            try:
                found = connections.find(tx, box, name)
            except CannotDecrypt:
                continue
            assert found is not None
            assert found.document.severa.client_secret.get_secret_value()
            count += 1
    return count


def test_everything_is_sealed_anew_and_the_old_key_can_go(
    hall: Hall, old: Vault, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "PAGE", 3)
    two, new = both()
    assert (readable(hall, new), readable(hall, two)) == (0, 7)
    report = resealing.reseal_all(hall.db, two, WHO, now)
    assert (report.resealed, report.fresh, report.unreadable) == (9, 0, [])
    assert (readable(hall, new), readable(hall, old)) == (7, 0)
    with hall.db.reading() as tx:
        sealed = tx.scalar(select(tokens.c.sealed))
        assert new.open("company-000 severa", sealed) == "canary-token"
        rows = tx.execute(select(audit)).all()
    assert [(row.action, row.who_kind, row.facts) for row in rows] == [
        ("secrets.resealed", "command", {"rows": 9})
    ]
    again = resealing.reseal_all(hall.db, two, WHO, now)
    assert (again.resealed, again.fresh) == (0, 9)


def test_cut_off_it_goes_on_where_it_was(
    hall: Hall, old: Vault, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    two, new = both()
    whole, calls = two.reseal, 0

    def cut_off(sealed: str) -> str:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return whole(sealed)

    monkeypatch.setattr(two, "reseal", cut_off)
    with pytest.raises(KeyboardInterrupt):
        resealing.reseal_all(hall.db, two, WHO, now)
    assert (readable(hall, new), readable(hall, two)) == (3, 7)
    report = resealing.reseal_all(hall.db, two, WHO, now)
    assert (report.resealed, report.fresh) == (6, 3)


def test_what_no_key_opens_is_named_and_left_as_it_is(
    hall: Hall, old: Vault, now: datetime
) -> None:
    two, _ = both()
    strange = Vault([vault.new_key()]).seal(NAMES[0], {})
    table = connection_rows
    with hall.db.transaction() as tx:
        tx.execute(update(table).where(table.c.name == NAMES[0]).values(secrets=strange))
    report = resealing.reseal_all(hall.db, two, WHO, now)
    assert report.unreadable == ["connections of company-000"]
    with hall.db.reading() as tx:
        kept = tx.scalar(select(table.c.secrets).where(table.c.name == NAMES[0]))
    assert kept == strange


def test_settings_that_change_meanwhile_are_not_overwritten(
    hall: Hall, old: Vault, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    two, new = both()
    whole = two.reseal

    def somebody_was_quicker(sealed: str) -> str:
        with hall.db.transaction() as tx:
            changed = Document.model_validate(document(NAMES[0], label="Changed"))
            connections.put(tx, two, changed, now)
        return whole(sealed)

    monkeypatch.setattr(two, "reseal", somebody_was_quicker)
    resealing.reseal_all(hall.db, two, WHO, now)
    with hall.db.reading() as tx:
        found = connections.find(tx, new, NAMES[0])
    assert found is not None
    assert found.document.label == "Changed"
