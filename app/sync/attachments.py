"""Attachments: every PDF that people put on a Severa invoice goes with the Fortnox invoice.

The invoice's own picture never does: Fortnox makes one. What is no PDF, over 5 MB, one of more than
five, over 15 MB together, or for Severa's own people only, stays behind with a warning in the log:
an invoice is never held up by a file. Each file goes once: the inbox is asked for a name that is
always the same for a file, and the invoice for what is attached, before either is sent.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any

from app import effects, journal, links
from app.calls import TOO_LARGE
from app.effects import Intent
from app.errors import ConnectionBlocked, Missing, Reason, Refused, because
from app.fortnox.files import Attachment, File
from app.links import Link
from app.severa.schemas import InvoiceFile
from app.sync.refusals import ending_of
from app.sync.sides import Sides
from app.sync.writing import Creation, Found, create
from app.worklist import Item

FOLDER = "inbox_kf"
MEGABYTE = 1_000_000
MOST, LARGEST, LARGEST_TOGETHER = 5, 5 * MEGABYTE, 15 * MEGABYTE
PDF = b"%PDF-"
REFUSED = {
    "wrong_file_type": "attachment_not_pdf",
    "file_too_big": "attachment_too_large",
    "attachment_files_max_count_exceeded": "attachments_too_many",
    "attachment_files_max_size_exceeded": "attachments_too_large_together",
}
GONE = ("file_not_found", "attachment_not_found")  # the file; else the invoice is not shown yet
LIMITS = {
    "file_too_big": LARGEST // MEGABYTE,
    "attachment_files_max_count_exceeded": MOST,
    "attachment_files_max_size_exceeded": LARGEST_TOGETHER // MEGABYTE,
}


@dataclass
class Pinned:
    """What is attached to one Fortnox invoice.

    `files`: by Severa's file GUID the archive id, empty where it stayed behind, and the size.
    """

    sides: Sides
    number: str
    files: dict[str, dict[str, Any]]
    strangers: dict[str, bytes] = field(default_factory=dict)

    def read(self) -> None:
        """What others have attached, or we before a database was restored."""
        ours = {one["id"] for one in self.files.values()}
        for one in self.sides.fortnox.attachments(self.number):
            if one.file_id not in ours:
                self.strangers[one.file_id] = self._content(one.file_id)

    def _content(self, file_id: str) -> bytes:
        try:
            return self.sides.fortnox.archived(file_id, largest=LARGEST)
        except (Missing, Refused):
            return b""

    @property
    def count(self) -> int:
        return sum(bool(one["id"]) for one in self.files.values()) + len(self.strangers)

    @property
    def size(self) -> int:
        known = sum(int(one["size"]) for one in self.files.values() if one["id"])
        return known + sum(map(len, self.strangers.values()))

    def twin(self, content: bytes) -> str | None:
        """The archive id of a stranger that is this very file."""
        return next((key for key, one in self.strangers.items() if one == content), None)


class Left(Exception):  # not an error of the invoice: the file stays behind, and the log says why
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


@dataclass(frozen=True)
class Enclosure:
    """One file of the Severa invoice."""

    file: InvoiceFile

    @cached_property
    def guid(self) -> str:
        return (self.file.file_guid or "").lower()

    @cached_property
    def mark(self) -> str:
        """What the name in Fortnox ends with, whatever the file is called in Severa later."""
        return f"-{sha256(self.guid.encode()).hexdigest()[:12]}.pdf"

    @cached_property
    def name(self) -> str:
        plain = unicodedata.normalize("NFKD", re.sub(r"(?i)\.pdf$", "", self.file.name))
        ascii_only = plain.encode("ascii", "ignore").decode()
        stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", ascii_only).strip("-.")[:60]
        return (stem or "bilaga") + self.mark

    @property
    def is_called_pdf(self) -> bool:
        kind, name = self.file.content_type or "", self.file.name
        return "pdf" in kind.lower() or name.lower().endswith(".pdf")


def attach(sides: Sides, item: Item, link: Link) -> Link:
    """The link with what is attached now; what was handled before costs no call but the list."""
    if not sides.document.transfer_attachments:
        return link
    known: dict[str, dict[str, Any]] = dict(link.carried.get("files", {}))
    files = (Enclosure(one) for one in sides.severa.invoice_files(link.severa_id))
    new = [one for one in files if one.guid and one.guid not in known]
    pinned = Pinned(sides, link.fortnox_id, known)
    if new and sides.plan is None:
        pinned.read()
    for one in new:
        link = _handle(sides, item, link, pinned, one)
    return link


def _handle(sides: Sides, item: Item, link: Link, pinned: Pinned, one: Enclosure) -> Link:
    """Attached or left behind, and remembered at once."""
    entry: dict[str, Any] = {"id": "", "size": 0}
    left: Reason | None = None
    try:
        content = _content(sides, one)
        entry = {"id": _pin(sides, item, pinned, one, content), "size": len(content)}
    except Left as behind:
        left = behind.reason
    if sides.plan is not None:
        return link
    pinned.strangers.pop(entry["id"], None)
    pinned.files[one.guid] = entry
    link = Link(
        link.kind, link.severa_id, link.fortnox_id, link.carried | {"files": dict(pinned.files)}
    )
    with sides.db.transaction() as tx:
        now, number = sides.clock(), link.fortnox_id
        links.remember(tx, sides.name, link, now)
        if left:
            journal.write(tx, sides.name, item.id, left.code, now, **left.facts)
        else:
            facts = {"file": one.file.name, "number": number}
            journal.write(tx, sides.name, item.id, "attached_file", now, **facts)
    return link


def _content(sides: Sides, one: Enclosure) -> bytes:
    """The bytes; Left where they may not go. In a dry run they are not fetched."""
    name = one.file.name
    if one.file.is_internal:
        raise Left(because("attachment_internal", file=name))
    if not one.is_called_pdf:
        raise Left(because("attachment_not_pdf", file=name))
    if (one.file.size or Decimal(0)) > LARGEST:
        raise _too_large(name)
    if sides.plan is not None:
        return b""
    try:
        content = sides.severa.file_data(one.guid, largest=LARGEST)
    except Missing as error:
        raise Left(because("attachment_gone", file=name)) from error
    except Refused as error:
        if error.code != TOO_LARGE:
            raise
        raise _too_large(name) from error
    if PDF not in content[:1024]:
        raise Left(because("attachment_not_pdf", file=name))
    return content


def _pin(sides: Sides, item: Item, pinned: Pinned, one: Enclosure, content: bytes) -> str:
    """The archive id of the file, which is attached to the invoice now."""
    twin = pinned.twin(content)
    if twin is not None:
        _settle(sides, item, pinned.number, one, twin)
        return twin
    if pinned.count >= MOST:
        raise Left(because("attachments_too_many", file=one.file.name, limit=MOST))
    if pinned.size + len(content) > LARGEST_TOGETHER:
        limit = LARGEST_TOGETHER // MEGABYTE
        raise Left(because("attachments_too_large_together", file=one.file.name, limit=limit))
    try:
        file_id = _upload(sides, item, pinned.number, one, content)
        _connect(sides, item, pinned.number, file_id)
    except Refused as error:
        raise _refused(one, error) from error
    except Missing as error:
        if error.code not in GONE:
            raise
        raise _refused(one, error) from error
    return file_id


def _settle(sides: Sides, item: Item, number: str, one: Enclosure, file_id: str) -> None:
    """An attempt of unknown outcome that is seen to have gone through is in doubt no longer."""
    intents = _uploading(sides, item, number, one), _attaching(sides, item, number, file_id)
    with sides.db.transaction() as tx:
        for intent in intents:
            begun = effects.begun(tx, intent)
            if begun is not None and begun.state == "sending":
                now = sides.clock()
                effects.change(tx, begun.id, state="done", target_id=file_id, settled_at=now)


def _uploading(sides: Sides, item: Item, number: str, one: Enclosure, size: int = 0) -> Intent:
    ref, payload = f"file:{one.guid}:{number}", {"name": one.name, "size": size}
    return Intent(sides.name, item.id, "fortnox", "upload_file", ref, payload)


def _attaching(sides: Sides, item: Item, number: str, file_id: str) -> Intent:
    entity = int(number) if number.isdigit() else number
    payload = [{"entityId": entity, "entityType": "F", "fileId": file_id, "includeOnSend": True}]
    ref = f"attachment:{file_id}:{number}"
    return Intent(sides.name, item.id, "fortnox", "attach_file", ref, payload)


def _upload(sides: Sides, item: Item, number: str, one: Enclosure, content: bytes) -> str:
    creation: Creation[File] = Creation(
        _uploading(sides, item, number, one, len(content)),
        look=lambda: _in_the_inbox(sides, one),
        send=lambda recorded: sides.fortnox.upload(FOLDER, recorded["name"], content),
        number=_archive_id,
    )
    return create(sides, item, creation).number


def _connect(sides: Sides, item: Item, number: str, file_id: str) -> None:
    creation: Creation[Attachment] = Creation(
        _attaching(sides, item, number, file_id),
        look=lambda: _on_the_invoice(sides, number, file_id),
        send=sides.fortnox.attach,
        number=lambda made: made.id,
    )
    create(sides, item, creation)


def _in_the_inbox(sides: Sides, one: Enclosure) -> Found | None:
    files = sides.fortnox.inbox(FOLDER)
    found = [file for file in files if file.name.endswith(one.mark) and file.archive_file_id]
    return Found(_archive_id(found[0])) if found else None


def _on_the_invoice(sides: Sides, number: str, file_id: str) -> Found | None:
    found = (one for one in sides.fortnox.attachments(number) if one.file_id == file_id)
    return next((Found(one.id) for one in found), None)


def _archive_id(file: File) -> str:
    return file.archive_file_id or file.id


def _too_large(name: str) -> Left:
    return Left(because("attachment_too_large", file=name, limit=LARGEST // MEGABYTE))


def _refused(one: Enclosure, error: Refused | Missing) -> Exception:
    """Fortnox's own no to a file is no reason to hold the invoice; to the connection it is."""
    if isinstance(ending_of(error), ConnectionBlocked):
        return error
    facts = {"file": one.file.name, "words": error.words, "limit": LIMITS.get(error.code, "")}
    return Left(because(REFUSED.get(error.code) or "attachment_refused", **facts))
