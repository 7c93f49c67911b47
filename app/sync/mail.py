"""Tells people what stands still: writes the mails down, then sends what is written down.

A mail is marked as sent after the server took it. Between the two lies the only moment in which a
process that dies makes a mail go out again; it then has the same Message-ID.
"""

from datetime import datetime, timedelta

import structlog

from app import alarms
from app.alarms import EVERY, Mail
from app.errors import Ending, TryLater, because
from app.links import Link
from app.mail import letter
from app.mail.post import CannotSend
from app.settings import Settings
from app.sync.sides import Sides
from app.worklist import Item, Settlement

log = structlog.get_logger()

LONGEST_WAIT = timedelta(minutes=30)


def sync(sides: Sides, _item: Item) -> Link | None:
    with sides.db.transaction() as tx:
        alarms.watch(tx, sides.connection, sides.clock())
    with sides.db.reading() as tx:
        waiting = alarms.unsent(tx, sides.name)
    trouble: CannotSend | None = None
    for mail in waiting:
        try:
            _send(sides, mail)
        except CannotSend as error:
            trouble = error
            if not error.is_about_mail:
                break
    if trouble is not None:
        log.error("mail.not_sent", connection=sides.name, words=trouble.words)
        raise TryLater(because("mail_not_sent", words=trouble.words))
    return None


def settlement(
    item: Item, settings: Settings, now: datetime, ending: Ending | None = None
) -> Settlement:
    """Whatever happened, it comes back; a mail is never given up."""
    if ending is None:
        return Settlement("done", due_at=now + EVERY)
    tries = item.tries + 1
    return Settlement(
        "waiting",
        ending.reason,
        due_at=now + min(settings.retry_wait(tries), LONGEST_WAIT),
        tries=tries,
        failing_since=item.failing_since or now,
    )


def _send(sides: Sides, mail: Mail) -> None:
    given = sides.document.error_emails
    recipients = letter.addresses(given)
    if len(recipients) < len(set(given)):
        log.warning("mail.address_unusable", connection=sides.name, left=len(recipients))
    sheet = letter.Sheet(
        connection=sides.name,
        label=sides.document.label,
        language=sides.document.language,
        sender=sides.post.sender,
        recipients=recipients,
        public_url=sides.post.public_url,
        at=mail.made_at,
    )
    about = {"connection": sides.name, "kind": mail.kind, "causes": _codes(mail)}
    if sides.post.is_open and recipients:
        message = letter.compose(sheet, mail.kind, mail.identity, mail.content["causes"])
        refused = sides.post.send(message, recipients)
        log.info("mail.sent", **about, recipients=len(recipients) - len(refused))
        if refused:
            log.warning("mail.recipients_refused", connection=sides.name, count=len(refused))
    else:
        log.warning("mail.only_logged", **about)
    with sides.db.transaction() as tx:
        alarms.sent(tx, mail.id, sides.clock())


def _codes(mail: Mail) -> dict[str, int]:
    """How many records of each cause."""
    return {cause["key"]: cause["count"] for cause in mail.content["causes"]}
