"""A mail server on loopback that keeps what it takes, and can be told to refuse."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from app.sandbox.serving import free_port


@dataclass
class Mailbox:
    """`refuses`: addresses it does not take; `answer`: what it says to a mail, instead of 250;
    `private`: of each mail, whether it came encrypted; `taken`: called when a mail is in the box,
    before its sender hears of it.
    """

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    answer: str = ""
    private: list[bool] = field(default_factory=list)
    taken: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names them
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address in self.refuses:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        if self.answer:
            return self.answer
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        by_tls = server.transport.get_extra_info("ssl_object") is not None
        self.private.append(by_tls or session.ssl is not None)
        self.taken()
        return "250 OK"

    def authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss", handled=False)


@contextmanager
def mailbox(port: int = 0, **more: Any) -> Iterator[Mailbox]:
    box = Mailbox(port or free_port())
    if more.pop("login", False):
        more = {"authenticator": box.authenticate, "auth_require_tls": False} | more
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **more)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
