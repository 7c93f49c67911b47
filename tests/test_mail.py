"""Error mails, against a real mail server: one for a cause, never one for each record."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import select, update
from starlette.testclient import TestClient

from app import alarms, api, connections, worklist
from app.errors import Reason, because
from app.hall import Hall, open_hall
from app.mail import letter
from app.mail.post import CannotSend, Post
from app.models import audit, mails, outages, work
from app.settings import Settings
from app.worklist import Want
from tests.installation import Vendors
from tests.mailbox import Mailbox, mailbox
from tests.workshop import Workshop, workshop

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PEOPLE = ["ekonomi@acme.example", "it@acme.example"]
NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with mailbox() as opened:
        yield opened


@pytest.fixture
def shop(
    request: pytest.FixtureRequest, tmp_path: Path, redis_url: str, box: Mailbox
) -> Iterator[Workshop]:
    """On SQLite; on PostgreSQL where a test asks for it."""
    url = f"sqlite:///{tmp_path}/bridge.db"
    if getattr(request, "param", "") == "postgres":
        url = request.getfixturevalue("postgres").recycled_database()
    with _shop(url, tmp_path, redis_url, box.url) as opened:
        box.mails, box.envelopes, box.refuses = [], [], set()
        box.answer = ""
        yield opened


@contextmanager
def _shop(url: str, folder: Path, redis_url: str, smtp_url: str) -> Iterator[Workshop]:
    settings = Settings(
        database_url=url,
        var_dir=folder / "var",
        smtp_url=SecretStr(smtp_url),
        mail_from="Bryggan <bridge@brygga.example>",
        public_url="https://brygga.example",
        poll_interval=0,
    )
    hall = open_hall(settings)
    try:
        nobody: Any = None  # mails ask no vendor
        partners = Vendors(nobody, nobody, "http://127.0.0.1:1", "http://127.0.0.1:1")
        with workshop(hall, redis_url, partners) as opened:
            opened.clock.stop()
            opened.clock.move_on(NOON - opened.clock())
            opened.connect(error_emails=PEOPLE)
            alarms.plant(opened.hall.db, opened.clock())
            yield opened
    finally:
        hall.db.close()


def stuck(shop: Workshop, reason: Reason, *numbers: int, state: str = "blocked") -> None:
    wants = [Want("acme", "invoice", f"guid-{number}") for number in numbers]
    with shop.hall.db.transaction() as tx:
        worklist.enqueue(tx, wants, shop.clock())
        for number in numbers:
            tx.execute(
                update(work)
                .where(work.c.key == f"guid-{number}")
                .values(
                    state=state,
                    due_at=None,
                    reason={"code": reason.code, "facts": reason.facts},
                    source_label=f"{number} Nordbygg AB",
                )
            )


def mended(shop: Workshop) -> None:
    with shop.hall.db.transaction() as tx:
        tx.execute(update(work).where(work.c.kind == "invoice").values(state="done", due_at=None))


def pass_by(shop: Workshop, time: timedelta, step: timedelta = MINUTE) -> None:
    end = shop.clock() + time
    while shop.clock() < end:
        shop.clock.move_on(min(step, end - shop.clock()))
        shop.run()


def texts(mail: EmailMessage) -> tuple[str, str]:
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


def states(shop: Workshop) -> list[str]:
    with shop.hall.db.reading() as tx:
        return list(tx.scalars(select(mails.c.state).order_by(mails.c.id)))


@pytest.mark.parametrize("shop", ["sqlite", "postgres"], indirect=True)
def test_five_hundred_failures_of_one_cause_are_two_mails(shop: Workshop, box: Mailbox) -> None:
    reason = because("currency_missing", currency="EUR")
    stuck(shop, reason, *range(1, 251))
    shop.run()
    assert box.mails == []
    stuck(shop, reason, *range(251, 501))
    pass_by(shop, 3 * MINUTE)
    assert box.subjects() == [
        "Acme Konsult AB: 500 överföringar står stilla. Valutan EUR finns inte i Fortnox."
    ]
    pass_by(shop, HOUR, 10 * MINUTE)
    assert len(box.mails) == 1
    mended(shop)
    pass_by(shop, HOUR, 5 * MINUTE)
    assert len(box.mails) == 2
    assert box.subjects()[1] == "Acme Konsult AB: löst. Valutan EUR finns inte i Fortnox."
    assert states(shop) == ["sent", "sent"]
    with shop.hall.db.reading() as tx:
        assert tx.scalars(select(mails.c.content)).all() == [None, None]

    plain, html = texts(box.mails[0])
    for text in (plain, html):
        assert "Faktura 1 Nordbygg AB" in text
        assert text.count("Nordbygg AB") == 20
        assert "och 480 till" in text
        assert "Att göra (ekonomi)" in text
        assert "https://brygga.example/c/acme/transfers?reason=currency_missing" in text
    assert box.envelopes[0] == ("bridge@brygga.example", PEOPLE)
    headers = box.mails[0]
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Reply-To"] == ", ".join(PEOPLE)
    assert headers["Message-ID"].endswith("@brygga.example>")
    assert headers.get_content_type() == "multipart/alternative"


def test_what_stands_is_told_each_morning_in_one_mail(shop: Workshop, box: Mailbox) -> None:
    stuck(shop, because("currency_missing", currency="EUR"), 1)
    stuck(shop, because("product_unknown", number="77"), 2, 3)
    pass_by(shop, 3 * MINUTE)
    assert len(box.mails) == 2
    pass_by(shop, 48 * HOUR, 4 * HOUR)
    assert box.subjects()[2:] == ["Acme Konsult AB: 3 överföringar står fortfarande stilla"] * 2
    assert "77" in texts(box.mails[2])[0]
    ids = [mail["Message-ID"] for mail in box.mails]
    assert len(set(ids)) == 4


def test_a_stopped_connection_is_told_at_once_and_in_its_language(
    shop: Workshop, box: Mailbox
) -> None:
    shop.connect(error_emails=PEOPLE, language="en", label="Acme\r\nBcc: thief@evil.example")
    shop.run()
    with shop.hall.db.transaction() as tx:
        connections.stop(tx, "acme", because("consent_lost"), shop.clock())
    shop.run()
    (mail,) = box.mails
    assert mail["Subject"].startswith(
        "Acme Bcc: thief@evil.example: Fortnox no longer accepts the approval"
    )
    assert mail["Bcc"] is None
    assert "To do (administrator):" in texts(mail)[0]
    assert box.envelopes[0][1] == PEOPLE


def test_an_outage_is_told_when_it_is_long(shop: Workshop, box: Mailbox) -> None:
    with shop.hall.db.transaction() as tx:
        tx.execute(
            outages.insert().values(
                connection="acme", system="fortnox", failures=9, since=shop.clock()
            )
        )
    stuck(shop, because("vendor_silent", system="fortnox"), *range(1, 4), state="waiting")
    pass_by(shop, HOUR, 5 * MINUTE)
    assert box.mails == []
    pass_by(shop, 4 * HOUR, 10 * MINUTE)
    assert len(box.mails) == 1


def test_a_mail_waits_for_a_server_that_is_away(shop: Workshop, box: Mailbox) -> None:
    stuck(shop, because("currency_missing", currency="EUR"), 1)
    box.answer = "451 later"
    pass_by(shop, 5 * MINUTE)
    assert box.mails == []
    assert states(shop) == ["waiting"]
    assert shop.outcome("mail", "errors") == ("waiting", "mail_not_sent")
    box.answer = ""
    pass_by(shop, HOUR, 10 * MINUTE)
    assert len(box.mails) == 1
    assert shop.row("mail", "errors").reason is None


def test_a_process_that_dies_with_the_mail_out_sends_it_again_under_the_same_id(
    shop: Workshop, box: Mailbox
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    stuck(shop, because("currency_missing", currency="EUR"), 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alarms, "sent", die)
        with pytest.raises(Killed):
            pass_by(shop, 3 * MINUTE)
    shop.process.crank.room.holder.take_back_lost()
    pass_by(shop, 10 * MINUTE)
    first, second = box.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]


def test_a_retry_that_ends_where_it_began_is_not_told_as_solved(
    shop: Workshop, box: Mailbox
) -> None:
    reason = because("currency_missing", currency="EUR")
    stuck(shop, reason, 1)
    pass_by(shop, 3 * MINUTE)
    mended(shop)
    pass_by(shop, 5 * MINUTE)
    stuck(shop, reason, 1)
    pass_by(shop, 2 * HOUR, 10 * MINUTE)
    assert len(box.mails) == 1


def test_an_address_that_is_refused_costs_the_others_nothing(shop: Workshop, box: Mailbox) -> None:
    box.refuses = {PEOPLE[0]}
    stuck(shop, because("currency_missing", currency="EUR"), 1)
    pass_by(shop, 3 * MINUTE)
    assert [to for _, to in box.envelopes] == [[PEOPLE[1]]]
    assert states(shop) == ["sent"]


def test_records_with_facts_of_their_own_are_told_each(shop: Workshop, box: Mailbox) -> None:
    stuck(shop, because("product_unknown", number="<b>77</b>"), 1)
    stuck(shop, because("product_unknown", number="78"), 2)
    pass_by(shop, 3 * MINUTE)
    plain, html = texts(box.mails[0])
    assert "<b>77</b>" in plain
    assert "<b>77" not in html
    assert "78" in html


def test_a_test_mail_goes_out_by_the_admin_api(shop: Workshop, box: Mailbox) -> None:
    hall = shop.hall
    for hall_of, expected in (
        (hall, 200),
        (_with(hall, smtp_url=SecretStr("smtp://127.0.0.1:1")), 502),
        (_with(hall, smtp_url=SecretStr("")), 409),
    ):
        app = FastAPI(openapi_url="/api/v1/openapi.json", docs_url=None)
        nothing: Any = None
        api.mount(app, hall_of, hint=lambda n: None, plan=nothing, look=nothing)
        headers = {"Authorization": f"Bearer {hall.keys.admin}"}
        with TestClient(app) as client:
            answer = client.post("/api/v1/connections/acme/mail/test", headers=headers)
        assert answer.status_code == expected, answer.text
        if expected == 200:
            assert answer.json() == {"sent_to": PEOPLE, "refused": []}
    assert box.subjects() == ["Acme Konsult AB: testmeddelande från integrationen"]
    with hall.db.reading() as tx:  # an attempt that failed was made, too
        assert tx.scalars(select(audit.c.action)).all() == ["mail.tested"] * 2


def _with(hall: Hall, **changes: Any) -> Hall:
    return replace(hall, settings=hall.settings.model_copy(update=changes))


def test_a_password_is_used_and_never_told() -> None:
    with mailbox(login=True) as box:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "a@b.example", "c@d.example", "x"
        good = Post(SecretStr(f"smtp://me:p%40ss@127.0.0.1:{box.port}"), "a@b.example", "")
        assert good.send(message, ["c@d.example"]) == []
        assert box.logins == [(b"me", b"p@ss")]
        wrong = replace(good, url=SecretStr(f"smtp://me:canary@127.0.0.1:{box.port}"))
        with pytest.raises(CannotSend) as caught:
            wrong.send(message, ["c@d.example"])
    assert "canary" not in str(caught.value)
    assert "535" in caught.value.words


@pytest.mark.parametrize("url", ["http://x", "smtp://", "mailhost:25", "smtp://127.0.0.1:99999"])
def test_an_address_of_no_mail_server_is_said_to_be_none(url: str) -> None:
    with pytest.raises(CannotSend):
        Post(SecretStr(url), "a@b.example", "").send(EmailMessage(), ["c@d.example"])


def test_addresses_that_would_break_a_header_are_left_out() -> None:
    given = ["a@b.example", "a@b.example", "x\n@y.example", "a@b,c@d", "<a@b>", "eko@å.example"]
    assert letter.addresses(given) == ["a@b.example", "eko@xn--5ca.example"]
