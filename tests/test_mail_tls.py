"""Mail over TLS, against real servers with certificates: trusted, foreign, and for another name."""

import ssl
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from app.mail import post
from app.mail.post import CannotSend, Post
from tests.mailbox import Mailbox, mailbox

TO = "ekonomi@acme.example"


def certificate(folder: Path, *names: x509.GeneralName) -> Path:
    """Signed by itself, with its key: whoever trusts it trusts this server alone."""
    key, named = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=True)
        .sign(key, SHA256())
    )
    file = folder / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return file


def context(file: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(file)
    return made


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As an administrator trusts the authority of their own network."""
    file = certificate(tmp_path, x509.IPAddress(ip_address("127.0.0.1")))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return file


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "bridge@acme.example", TO, "x"
    return message


def send(box: Mailbox, scheme: str = "smtp", more: str = "", who: str = "me:p%40ss@") -> list[str]:
    url = SecretStr(f"{scheme}://{who}127.0.0.1:{box.port}{more}")
    return Post(url, "bridge@acme.example", "").send(letter(), [TO])


def served(scheme: str, file: Path) -> dict[str, Any]:
    if scheme == "smtps":
        return {"login": True, "ssl_context": context(file)}
    return {"login": True, "tls_context": context(file), "require_starttls": True}


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_mail_and_its_password_travel_encrypted(trusted: Path, scheme: str) -> None:
    with mailbox(**served(scheme, trusted)) as box:
        assert send(box, scheme) == []
    assert (box.private, box.logins) == ([True], [(b"me", b"p@ss")])
    assert box.envelopes == [("bridge@acme.example", [TO])]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
@pytest.mark.parametrize("trouble", ["foreign", "another name"])
def test_a_server_that_cannot_prove_who_it_is_gets_neither_mail_nor_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, trouble: str
) -> None:
    named: x509.GeneralName = x509.IPAddress(ip_address("127.0.0.1"))
    if trouble == "another name":
        named = x509.DNSName("mail.evil.example")
    file = certificate(tmp_path, named)
    if trouble == "another name":
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with mailbox(**served(scheme, file)) as box, pytest.raises(CannotSend) as caught:
        send(box, scheme)
    assert caught.value.words == "the mail server: SSLCertVerificationError"
    assert (box.mails, box.logins) == ([], [])


def test_whoever_hides_starttls_from_a_distant_server_gets_no_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(post, "HERE", ())  # as if the server were on another machine
    with mailbox(login=True) as box:
        with pytest.raises(CannotSend, match="no encryption"):
            send(box)
        assert (box.mails, box.logins) == ([], [])
        assert send(box, who="") == []  # a mail without a password may go
    assert box.private == [False]


def test_a_server_that_asks_for_a_password_first_is_named_by_its_code(trusted: Path) -> None:
    with mailbox(**served("smtp", trusted), auth_required=True, auth_require_tls=True) as box:
        with pytest.raises(CannotSend) as caught:
            send(box, who="")
        assert caught.value.words == "the mail server said 530"
        with pytest.raises(CannotSend) as caught:
            send(box, who="me:canary@")
        assert "535" in caught.value.words
        assert "canary" not in str(caught.value)
    assert box.mails == []


def test_starttls_can_be_switched_off(trusted: Path) -> None:
    with mailbox(tls_context=context(trusted)) as box:
        assert send(box, more="?starttls=no", who="") == []
    assert box.private == [False]
