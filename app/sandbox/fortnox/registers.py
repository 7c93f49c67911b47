"""A register: documents by a code the client may choose; list, read, create, change, delete."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.sandbox.fortnox import errors
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.calls import Answer, Call, created, no_such_method
from app.sandbox.fortnox.documents import Document
from app.sandbox.fortnox.errors import Refused
from app.sandbox.fortnox.lists import Listing
from app.sandbox.fortnox.shapes import Shape

Prepare = Callable[[Books, Document, dict[str, Any]], None]


def accept(_books: Books, _document: Document, _patch: dict[str, Any]) -> None:
    """No rule beyond the fields' own."""


@dataclass(frozen=True)
class Register:
    path: str
    single: str
    key: str
    shape: Shape
    listing: Listing
    missing: tuple[int, str]
    taken: tuple[int, str] = (errors.NUMBER_TAKEN, "Koden används redan.")
    topic: str = ""
    event: str = ""
    prepare: Prepare = accept
    check_delete: Prepare = accept
    verbs: str = "GET POST PUT DELETE"

    def handle(self, call: Call) -> Answer:
        if call.method not in self.verbs or len(call.path) > 2:
            raise no_such_method()
        if len(call.path) == 1:
            return self._collection(call)
        document = self.find(call.books, call.path[1])
        if call.method == "GET":
            return self.wrap(self._shown(call.books, document))
        if call.method == "PUT":
            return self.wrap(self.update(call.books, document, call.wrapped(self.single)))
        if call.method == "DELETE":
            self.delete(call.books, document)
            return Answer(204)
        raise no_such_method()

    def _collection(self, call: Call) -> Answer:
        if call.method == "GET":
            return self.listing.answer(call, call.books.shelves[self.path].in_order())
        if call.method == "POST":
            document = self.create(call.books, call.wrapped(self.single))
            return created(self.path, {self.single: document})
        raise no_such_method()

    def wrap(self, document: dict[str, Any]) -> Answer:
        return Answer(200, {self.single: document})

    def find(self, books: Books, code: str) -> Document:
        return books.find(self.path, code, *self.missing)

    def _shown(self, books: Books, document: Document) -> dict[str, Any]:
        shown = books.shown(document)
        if shown is None:
            raise errors.missing(*self.missing)
        return shown

    def create(self, books: Books, payload: Any) -> Document:
        patch = self.shape.read(payload, books.options)
        self.shape.require(patch)
        document = books.new(self.shape.blank())
        document[self.key] = patch.get(self.key) or books.next_number(self.path)
        self._apply(books, document, patch)
        code = str(document[self.key])
        if code in books.shelves[self.path]:
            raise Refused(self.taken[0], self.taken[1].format(code))
        document["@url"] = books.url(self.path, code)
        books.shelves[self.path][code] = document
        self._signal(books, code, "created")
        return document

    def update(self, books: Books, document: Document, payload: Any) -> Document:
        patch = self.shape.read(payload, books.options)
        patch.pop(self.key, None)
        draft = books.new(dict(document))
        self._apply(books, draft, patch)
        books.change(document)
        document.update(draft)
        self._signal(books, str(document[self.key]), "updated")
        return document

    def _apply(self, books: Books, document: Document, patch: dict[str, Any]) -> None:
        for nested in self.shape.one:
            if nested in patch:
                patch[nested] = document[nested] | patch[nested]
        document.update(patch)
        self.prepare(books, document, patch)

    def delete(self, books: Books, document: Document) -> None:
        self.check_delete(books, document, {})
        code = str(document[self.key])
        del books.shelves[self.path][code]
        self._signal(books, code, "deleted")

    def _signal(self, books: Books, code: str, what: str) -> None:
        if self.topic:
            books.signal(self.topic, f"{self.event}-{what}", code)
