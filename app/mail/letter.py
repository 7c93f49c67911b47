"""What a mail says: the same in plain text and in HTML, in the language of the connection."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from app import clock
from app.catalogue import MAILS
from app.errors import Reason
from app.languages import Language
from app.reasons import explain

ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"  # who
    r"[^@\s\x00-\x1f\x7f,;:<>()\[\]\\\"]{1,253}"  # where; other alphabets become xn--
)
TARGETS = {"invoice": "Fortnox", "payment": "Severa", "project_fee": "Severa"}
LONGEST_SUBJECT = 140

pages = Environment(
    loader=PackageLoader("app.mail", "pages"), autoescape=True, undefined=StrictUndefined
)


@dataclass(frozen=True)
class Sheet:
    """Whom a mail is for and where it leads. `at`: when it was written down."""

    connection: str
    label: str
    language: Language
    sender: str
    recipients: Sequence[str]
    public_url: str
    at: datetime

    @property
    def company(self) -> str:
        return self.label or self.connection

    def say(self, name: str, **facts: object) -> str:
        text: str = MAILS[name][self.language]
        return text.format(**facts)


@dataclass(frozen=True)
class Line:
    """A record; `message` and `step` are empty where they are the same for all."""

    name: str
    message: str = ""
    step: str = ""


@dataclass(frozen=True)
class Part:
    """One cause as it is read."""

    message: str
    who: str
    step: str
    since: str
    count: int
    lines: Sequence[Line]
    more: int
    link: str


def addresses(given: Sequence[str]) -> list[str]:
    """Those that can stand in a header and in an envelope; each once."""
    known = (_address(one) for one in given)
    return list(dict.fromkeys(one for one in known if one))


def compose(
    sheet: Sheet, kind: str, identity: str, causes: Sequence[Mapping[str, Any]]
) -> EmailMessage:
    parts = [_part(sheet, one) for one in causes]
    headline = sheet.say(f"{kind}_headline", company=sheet.company)
    subject = _subject(sheet, kind, parts)
    return _message(sheet, identity, subject, headline, sheet.say(f"{kind}_intro"), parts, kind)


def compose_test(sheet: Sheet, identity: str) -> EmailMessage:
    headline = sheet.say("test_headline", company=sheet.company)
    return _message(sheet, identity, headline, headline, sheet.say("test_intro"), [], "test")


def _message(  # noqa: PLR0913 - everything that a mail consists of
    sheet: Sheet,
    identity: str,
    subject: str,
    headline: str,
    intro: str,
    parts: Sequence[Part],
    kind: str,
) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = _one_line(subject)[:LONGEST_SUBJECT]
    message["From"] = sheet.sender
    message["To"] = ", ".join(sheet.recipients)
    message["Reply-To"] = ", ".join(sheet.recipients)  # colleagues read it; the bridge does not
    message["Date"] = format_datetime(sheet.at)
    message["Message-ID"] = f"<{identity}@{_domain(sheet.sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["Content-Language"] = sheet.language
    texts = {
        "sheet": sheet,
        "headline": headline,
        "intro": intro,
        "parts": parts,
        "kind": kind,
        "log": _link(sheet, {}),
    }
    message.set_content(pages.get_template("mail.txt").render(texts))
    message.add_alternative(pages.get_template("mail.html").render(texts), subtype="html")
    message.set_boundary(f"=_{identity}")  # sent again, it is the same to the byte
    return message


def _subject(sheet: Sheet, kind: str, parts: Sequence[Part]) -> str:
    records = sum(part.count for part in parts)
    facts = {"company": sheet.company, "message": parts[0].message, "count": records}
    form = "one" if records == 1 else "many" if records else "none"
    return sheet.say(f"{kind}_subject_{form}", **facts)


def _part(sheet: Sheet, cause: Mapping[str, Any]) -> Part:
    said = explain(Reason(**cause["reason"]), sheet.language)
    told = [explain(Reason(**one["reason"]), sheet.language) for one in cause["records"]]
    is_one = len({one.message for one in told}) <= 1
    is_one_step = len({one.next_step for one in told}) <= 1
    lines = [
        Line(
            _name(sheet, record),
            "" if is_one else one.message,
            "" if is_one_step else one.next_step,
        )
        for record, one in zip(cause["records"], told, strict=True)
    ]
    code = cause["reason"]["code"]
    stands = {"reason": code} if cause["count"] else {}
    return Part(
        message=said.message if is_one else sheet.say("several", message=said.message),
        who=said.who,
        step=said.next_step if is_one_step else "",
        since=_day(cause["since"]),
        count=cause["count"],
        lines=lines,
        more=cause["count"] - len(lines) if lines else 0,
        link=_link(sheet, stands),
    )


def _name(sheet: Sheet, record: Mapping[str, Any]) -> str:
    kind = MAILS["kinds"][record["kind"]][sheet.language]
    label, target = _one_line(record["label"]), _one_line(record["target"])
    system = TARGETS.get(record["kind"], "")
    if not target:
        return f"{kind} {label}"
    return f"{kind} {label} ({system}: {target})" if system else f"{kind} {label} ({target})"


def _link(sheet: Sheet, only: Mapping[str, str]) -> str:
    query = f"?{urlencode(only)}" if only else ""
    return f"{sheet.public_url}/c/{quote(sheet.connection)}/transfers{query}"


def _day(iso: str) -> str:
    return datetime.fromisoformat(iso).astimezone(clock.STOCKHOLM).strftime("%Y-%m-%d %H:%M")


def _one_line(text: str) -> str:
    """No line break, no control character: it may stand in a header."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def _domain(sender: str) -> str:
    domain = parseaddr(sender)[1].rpartition("@")[2]
    return domain if re.fullmatch(r"[A-Za-z0-9.-]+", domain) else "localhost"


def _address(text: str) -> str:
    if not ADDRESS.fullmatch(text):
        return ""
    local, _, domain = text.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return ""
