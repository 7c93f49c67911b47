"""A mail to the addresses for errors of one connection, to see that it arrives."""

from pydantic import BaseModel

from app import audit, ids
from app.api.desk import AtDesk, Who, router
from app.api.problems import Problem
from app.mail import letter
from app.mail.post import CannotSend, post_of

routes = router("connections")


class TestMail(BaseModel):
    """`sent_to`: addresses that the mail server took; `refused`: those it did not."""

    sent_to: list[str]
    refused: list[str]


@routes.post("/connections/{connection}/mail/test")
def send_test_mail(desk: AtDesk, by: Who, connection: str) -> TestMail:
    """Sends a mail that says it is a test, at once; nothing is kept for later."""
    hall = desk.hall
    with hall.db.reading() as tx:
        found = desk.connection(tx, connection)
    post, recipients = post_of(hall.settings), letter.addresses(found.document.error_emails)
    unusable = [one for one in found.document.error_emails if not letter.addresses([one])]
    if not post.is_open:
        raise Problem(409, "SMTP_URL is not set: error mails are logged only.")
    if not recipients:
        raise Problem(409, "error_emails has no address that a mail can be sent to.")
    with hall.db.transaction() as tx:
        audit.write(tx, by, "mail.tested", connection, hall.clock())
    sheet = letter.Sheet(
        connection=connection,
        label=found.document.label,
        language=found.document.language,
        sender=post.sender,
        recipients=recipients,
        public_url=post.public_url,
        at=hall.clock(),
    )
    try:
        refused = post.send(letter.compose_test(sheet, ids.new("test")), recipients)
    except CannotSend as error:
        raise Problem(502, f"The mail was not sent: {error.words}.") from None
    taken = [one for one in recipients if one not in refused]
    return TestMail(sent_to=taken, refused=refused + unusable)
