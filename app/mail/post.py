"""How a mail leaves: SMTP, encrypted wherever the server can.

smtp://user:password@host:port (587) uses STARTTLS when it is offered, and hands over a password
only then, unless the server is on this machine; smtps:// (465) is TLS from the first byte.
`?starttls=no` switches STARTTLS off. Certificates are checked.
"""

import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import structlog
from pydantic import SecretStr

from app.settings import Settings

log = structlog.get_logger()

TIMEOUT_SECONDS = 20.0
PORTS = {"smtp": 587, "smtps": 465}
HERE = ("localhost", "127.0.0.1", "::1")


class CannotSend(Exception):
    """`words`: why, without a secret. `is_about_mail`: another one could go out all the same."""

    def __init__(self, words: str, *, is_about_mail: bool = False) -> None:
        super().__init__(words)
        self.words, self.is_about_mail = words, is_about_mail


@dataclass(frozen=True)
class Post:
    """`url` empty: mails are logged and not sent."""

    url: SecretStr
    sender: str
    public_url: str

    @property
    def is_open(self) -> bool:
        return bool(self.url.get_secret_value())

    def send(self, message: EmailMessage, recipients: Sequence[str]) -> list[str]:
        """Answers who was refused while others were not. Raises CannotSend."""
        try:
            server = _server(self.url.get_secret_value())
            try:
                refused = server.send_message(message, parseaddr(self.sender)[1], recipients)
                _say_goodbye(server)
            finally:
                server.close()
        except smtplib.SMTPRecipientsRefused as error:
            code, _ = next(iter(error.recipients.values()))
            raise CannotSend(f"every recipient was refused ({code})", is_about_mail=True) from None
        except smtplib.SMTPAuthenticationError as error:
            raise CannotSend(f"the user name or password was refused ({error.smtp_code})") from None
        except smtplib.SMTPResponseException as error:
            about = isinstance(error, smtplib.SMTPDataError)
            words = f"the mail server said {error.smtp_code}"
            raise CannotSend(words, is_about_mail=about) from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise CannotSend(f"the mail server: {type(error).__name__}") from None
        return sorted(refused)


def post_of(settings: Settings) -> Post:
    return Post(settings.smtp_url, settings.mail_from, settings.public_url.rstrip("/"))


def _server(url: str) -> smtplib.SMTP:
    where = urlsplit(url)
    if where.scheme not in PORTS or not where.hostname:
        raise CannotSend("SMTP_URL is not like smtp://user:password@host:port")
    port = where.port or PORTS[where.scheme]
    if where.scheme == "smtps":
        secure = ssl.create_default_context()
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            where.hostname, port, timeout=TIMEOUT_SECONDS, context=secure
        )
    else:
        server = smtplib.SMTP(where.hostname, port, timeout=TIMEOUT_SECONDS)
    try:
        _introduce(server, where)
    except BaseException:
        server.close()
        raise
    return server


def _say_goodbye(server: smtplib.SMTP) -> None:
    """The mail is theirs by now, whatever they say to this."""
    with suppress(OSError, smtplib.SMTPException):
        server.quit()


def _introduce(server: smtplib.SMTP, where: SplitResult) -> None:
    server.ehlo()
    is_private = where.scheme == "smtps"
    wanted = not is_private and parse_qs(where.query).get("starttls") != ["no"]
    if wanted and server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
        is_private = True
    if where.username:
        if not is_private and where.hostname not in HERE:
            raise CannotSend("the mail server offers no encryption, so no password was sent")
        server.login(unquote(where.username), unquote(where.password or ""))
