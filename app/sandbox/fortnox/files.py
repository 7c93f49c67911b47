"""Files: the inbox, the archive, and which supplier invoice a file belongs to."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from uuid import uuid4

from app.sandbox.fortnox import errors
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.calls import Answer, Call, created, no_such_method
from app.sandbox.fortnox.documents import Document, words
from app.sandbox.fortnox.errors import Refused
from app.sandbox.fortnox.lists import Listing, columns
from app.sandbox.fortnox.register_fields import SUPPLIER_INVOICE_FILE
from app.sandbox.fortnox.registers import Register

FOLDERS = words("inbox_s inbox_kf inbox_v inbox_o inbox_of inbox_a inbox_d inbox_b inbox_l")


@dataclass
class StoredFile:
    """`id` names it in the inbox and to supplier invoices, `archive_id` to attachments."""

    id: str
    archive_id: str
    name: str
    folder: str
    content: bytes
    created: datetime

    def row(self, books: Books, resource: str) -> dict[str, Any]:
        return {
            "@url": books.url(resource, self.id),
            "Comments": "",
            "Id": self.id,
            "Name": self.name,
            "Path": self.folder,
            "Size": len(self.content),
            "ArchiveFileId": self.archive_id,
        }


def find(books: Books, file_id: str) -> StoredFile:
    for stored in books.files.values():
        if file_id in (stored.id, stored.archive_id):
            return stored  # type: ignore[no-any-return]
    raise errors.missing(errors.NO_FILE, "Kan inte hitta filen.")


def store(books: Books, name: str, content: bytes, folder: str) -> StoredFile:
    stored = StoredFile(str(uuid4()), str(uuid4()), name, folder, content, books.now())
    books.files[stored.id] = stored
    return stored


def handle(call: Call) -> Answer:
    """Both /inbox and /archive; a folder is named by `path` or `folderid`."""
    books, resource = call.books, call.path[0]
    wanted = call.path[1] if len(call.path) > 1 else call.query.get("fileid", "")
    match (call.method, bool(wanted)):
        case ("POST", False):
            name, content = _uploaded(call)
            folder = _folder(call) or ("root" if resource == "archive" else "inbox_s")
            stored = store(books, name, content, folder)
            return created(resource, {"File": stored.row(books, resource)})
        case ("GET", True) if wanted not in FOLDERS:
            content_type = {"Content-Type": "application/octet-stream"}
            return Answer(200, find(books, wanted).content, content_type)
        case ("GET", _):
            return Answer(200, {"Folder": _listing(books, resource, wanted or _folder(call))})
        case ("DELETE", True):
            del books.files[find(books, wanted).id]
            return Answer(204)
    raise no_such_method()


def _folder(call: Call) -> str:
    query = call.query
    found = query.get("path") or query.get("folderid") or query.get("folderId") or ""
    return found.lower() if call.path[0] == "inbox" else found


def _listing(books: Books, resource: str, folder: str) -> dict[str, Any]:
    inside = [
        each
        for each in books.files.values()
        if each.folder == (folder or "root") and books.searchable(each.created)
    ]
    below = [] if folder or resource == "archive" else FOLDERS
    return {
        "@url": books.url(resource),
        "Email": "",
        "Files": [each.row(books, resource) for each in inside],
        "Folders": [
            {"@url": books.url(resource, each), "Id": each, "Name": each} for each in below
        ],
        "Id": folder or "root",
        "Name": folder or "root",
    }


def _uploaded(call: Call) -> tuple[str, bytes]:
    """The first part that is a file, whatever it is called."""
    kind = call.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise Refused(errors.BAD_CONTENT_TYPE, "Ogiltig innehållstyp.")
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    message = BytesParser(EmailMessage, policy=HTTP).parsebytes(head + call.body)
    for part in message.iter_parts():
        if part.get_filename():
            content = part.get_payload(decode=True)
            return str(part.get_filename()), content if isinstance(content, bytes) else b""
    raise Refused(errors.BAD_BODY, "Ingen fil bifogades.")


def _connection(books: Books, connection: Document, _: dict[str, Any]) -> None:
    number = connection["SupplierInvoiceNumber"]
    invoice = books.shelves["supplierinvoices"].get(number)
    if invoice is None:
        raise Refused(errors.NO_INVOICE, "Kan inte hitta leverantörsfakturan.")
    connection["Name"] = find(books, connection["FileId"]).name
    connection["SupplierName"] = invoice["SupplierName"]


SUPPLIER_INVOICE_FILES = Register(
    "supplierinvoicefileconnections",
    "SupplierInvoiceFileConnection",
    "FileId",
    SUPPLIER_INVOICE_FILE,
    Listing(
        "SupplierInvoiceFileConnections",
        columns(" ".join(SUPPLIER_INVOICE_FILE.fields)),
        {"supplierinvoicenumber": lambda _, value: lambda each: _belongs(each, value)},
    ),
    missing=(errors.NO_FILE, "Kan inte hitta kopplingen."),
    prepare=_connection,
    verbs="GET POST DELETE",
)


def _belongs(connection: Document, number: str) -> bool:
    return bool(connection["SupplierInvoiceNumber"] == number)
