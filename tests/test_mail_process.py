"""A real process killed when the mail server has its mail and the database does not know yet."""

import os
import signal
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest

from app import alarms
from app.errors import because
from app.hall import open_hall
from tests.installation import Vendors
from tests.mailbox import mailbox
from tests.proof.nursery import Nursery, as_settings
from tests.servers import PostgresServer
from tests.test_mail import PEOPLE, states, stuck
from tests.workshop import workshop

pytestmark = pytest.mark.processes


def test_a_process_killed_with_the_mail_out_repeats_it_once_under_the_same_id(
    tmp_path: Path, postgres: PostgresServer, redis_url: str
) -> None:
    nobody = Vendors(None, None, "http://127.0.0.1:1", "http://127.0.0.1:1")  # type: ignore[arg-type]
    victim: Future[int] = Future()
    with mailbox() as box, Nursery(tmp_path / "log") as nursery:
        settings = {
            "database_url": postgres.recycled_database(),
            "var_dir": str(tmp_path),
            "smtp_url": box.url,
            "public_url": "https://brygga.example",
            "poll_interval": 0,
        }
        hall = open_hall(as_settings(settings))
        with closing(hall.db), workshop(hall, redis_url, nobody) as shop:
            shop.connect(error_emails=PEOPLE)
            alarms.plant(shop.hall.db, shop.clock())
            stuck(shop, because("currency_missing", currency="EUR"), 1)
            shop.run()  # sees what stands still, and waits for more of it

            box.taken = lambda: os.kill(victim.result(20), signal.SIGKILL)
            order = {"redis_url": redis_url, "ahead": 5}
            pid = nursery.start("once", settings, **order)
            victim.set_result(pid)
            assert nursery.wait(pid) == -signal.SIGKILL
            assert (len(box.mails), states(shop)) == (1, ["waiting"])

            box.taken = lambda: None
            assert nursery.run("once", settings, **order | {"ahead": 20, "rounds": 8}) == 0
            assert states(shop) == ["sent"]
    first, second = box.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert first.as_bytes() == second.as_bytes()
