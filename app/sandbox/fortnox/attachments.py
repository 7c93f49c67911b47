"""`/api/fileattachments/attachments-v1`: PDFs that go out with a customer invoice."""

from typing import Any
from uuid import uuid4

from app.sandbox.fortnox import files
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.calls import Answer, Call
from app.sandbox.fortnox.errors import FileRefused, Refused

KINDS = {"F", "O", "OF", "C", "LGR_IO", "LGR_IG"}
MOST_FILES, MOST_BYTES, MOST_BYTES_TOGETHER = 5, 5_000_000, 15_000_000


def handle(call: Call) -> Answer:
    """`path` is what follows /api/fileattachments."""
    books = call.books
    match (call.method, call.path[1:]):
        case ("GET", []):
            return Answer(200, _found(call))
        case ("POST", []):
            return Answer(201, _attach(books, _list(call.json())))
        case ("GET", ["numberofattachments"]):
            return Answer(200, _counts(call))
        case ("POST", ["validateincludedonsend"]):
            _check_limits(books, [each for each in _list(call.json()) if each["includeOnSend"]])
            return Answer(204)
        case ("PUT", [attachment_id]):
            return Answer(200, _change(books, attachment_id, call.json()))
        case ("DELETE", [attachment_id]):
            _one(books, attachment_id)
            del books.attachments[attachment_id]
            return Answer(204)
    raise FileRefused("document_not_found", "No such resource", 404)


def _list(payload: Any) -> list[dict[str, Any]]:
    if not isinstance(payload, list) or not payload:
        raise FileRefused("no_attachment_provided", "No attachment provided")
    for each in payload:
        missing = {"entityId", "entityType", "fileId"} - each.keys()
        if missing:
            raise FileRefused("missing_mandatory_field", f"Missing {min(missing)}")
    return [{"includeOnSend": False, **each} for each in payload]


def _found(call: Call) -> list[dict[str, Any]]:
    entity, kind = call.query.get("entityid"), call.query.get("entitytype")
    return [
        each
        for each in call.books.attachments.values()
        if entity in (None, str(each["entityId"])) and kind in (None, each["entityType"])
    ]


def _attach(books: Books, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len({(each["entityType"], each["entityId"]) for each in wanted}) > 1:
        raise FileRefused("mixed_documents", "All attachments must belong to one document")
    for each in wanted:
        _check(books, each)
    standing = [each for each in books.attachments.values() if _same_document(each, wanted[0])]
    _check_limits(books, [each for each in [*standing, *wanted] if each["includeOnSend"]])
    for each in wanted:
        each["id"] = str(uuid4())
        books.attachments[each["id"]] = each
        if books.options.connected_files_leave_inbox:
            _file(books, each).folder = ""
    return wanted


def _same_document(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[name] == other[name] for name in ("entityType", "entityId"))


def _check(books: Books, attachment: dict[str, Any]) -> None:
    if unknown := attachment.keys() - {"entityId", "entityType", "fileId", "includeOnSend"}:
        raise FileRefused("field_not_writable", f"{min(unknown)} cannot be written")
    if attachment["entityType"] not in KINDS:
        raise FileRefused("document_not_found", "Unknown entity type", 404)
    number = str(attachment["entityId"])
    if attachment["entityType"] == "F" and number not in books.shelves["invoices"]:
        raise FileRefused("document_not_found", f"No invoice {number}", 404)
    stored = _file(books, attachment)
    if attachment["includeOnSend"] and not stored.content.startswith(b"%PDF"):
        raise FileRefused("wrong_file_type", "Only PDF files can be included on send")


def _file(books: Books, attachment: dict[str, Any]) -> files.StoredFile:
    """Here it is the archive id that counts."""
    try:
        stored = files.find(books, attachment["fileId"])
    except Refused:
        raise FileRefused("file_not_found", "File not found", 404) from None
    if stored.archive_id != attachment["fileId"]:
        raise FileRefused("file_not_found", "File not found", 404)
    return stored


def _check_limits(books: Books, included: list[dict[str, Any]]) -> None:
    if len(included) > MOST_FILES:
        raise FileRefused("attachment_files_max_count_exceeded", "Too many files")
    sizes = [len(_file(books, each).content) for each in included]
    if any(size > MOST_BYTES for size in sizes):
        raise FileRefused("file_too_big", "File too big")
    if sum(sizes) > MOST_BYTES_TOGETHER:
        raise FileRefused("attachment_files_max_size_exceeded", "Files too big together")


def _counts(call: Call) -> list[dict[str, Any]]:
    wanted = [each for each in call.query.get("entityids", "").split(",") if each.isdigit()]
    kind = call.query.get("entitytype", "F")
    found = [
        str(each["entityId"])
        for each in call.books.attachments.values()
        if each["entityType"] == kind
    ]
    return [{"entityId": int(each), "numberOfAttachments": found.count(each)} for each in wanted]


def _one(books: Books, attachment_id: str) -> dict[str, Any]:
    found = books.attachments.get(attachment_id)
    if found is None:
        raise FileRefused("attachment_not_found", "Attachment not found", 404)
    return found


def _change(books: Books, attachment_id: str, payload: Any) -> dict[str, Any]:
    found = _one(books, attachment_id)
    if payload.get("id", attachment_id) != attachment_id:
        raise FileRefused("mismatch_attachment_id", "The ids differ")
    found["includeOnSend"] = bool(payload.get("includeOnSend", found["includeOnSend"]))
    return found
