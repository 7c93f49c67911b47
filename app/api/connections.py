"""The settings of the connections: read, written, switched on and off."""

from collections.abc import Callable
from typing import Annotated, Any

import structlog
from fastapi import Body, Request, Response
from sqlalchemy import Connection as Tx
from sqlalchemy import select

from app import audit, clock, connections
from app.api import patches
from app.api.desk import AtDesk, Desk, Who, language, router, who
from app.api.problems import Problem, not_found
from app.api.shapes import ConnectionDocument, ConnectionList, explained
from app.audit import Action
from app.connections import Connection
from app.documents import Document
from app.identity import Identity
from app.languages import Language
from app.models import connections as table

log = structlog.get_logger()
routes = router("connections")
SHOWN: dict[int | str, dict[str, Any]] = {200: {"model": ConnectionDocument}}
REFERENCE = {"$ref": "#/components/schemas/ConnectionDocument"}
EXAMPLE = {"label": "Acme Konsult AB", "severa": {"client_id": "…", "client_secret": "…"}}
Given = Annotated[dict[str, Any], Body()]


def _body(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    content = {media_type: {"schema": schema, "example": EXAMPLE}}
    return {"requestBody": {"required": True, "content": content}}


@routes.get("/connections", responses={200: {"model": ConnectionList}})
def list_connections(desk: AtDesk, request: Request) -> dict[str, Any]:
    """Every connection, by name."""
    with desk.hall.db.reading() as tx:
        found = connections.every(tx, desk.hall.vault)
    return {"connections": [shown(desk, one, language(request, one)) for one in found]}


@routes.get("/connections/{connection}", responses=SHOWN)
def read_connection(desk: AtDesk, request: Request, connection: str) -> dict[str, Any]:
    """Settings of one connection; secrets read `********`."""
    with desk.hall.db.reading() as tx:
        found = desk.connection(tx, connection)
    return shown(desk, found, language(request, found))


@routes.put(
    "/connections/{connection}",
    responses=SHOWN | {201: {"model": ConnectionDocument}},
    openapi_extra=_body("application/json", REFERENCE),
)
def put_connection(
    desk: AtDesk, request: Request, response: Response, connection: str, given: Given
) -> dict[str, Any]:
    """Creates it (201) or replaces its settings (200); the same document again changes nothing.

    409 with the list where an active connection would lose a setting that it cannot work without.
    A tenant id that came with a consent stays where the document does not name one.
    """
    created = False

    def wanted(stored: Connection | None) -> Document:
        nonlocal created
        created = stored is None
        document = patches.document(connection, given, stored.document if stored else None)
        return document if stored is None else _with_consent(document, stored)

    written = write(desk, who(request), connection, wanted)
    response.status_code = 201 if created else 200
    return shown(desk, written, language(request, written))


@routes.patch(
    "/connections/{connection}",
    responses=SHOWN,
    openapi_extra=_body("application/merge-patch+json", {"type": "object"}),
)
def patch_connection(
    desk: AtDesk, request: Request, connection: str, given: Given
) -> dict[str, Any]:
    """Changes the settings named in a JSON merge patch (RFC 7396); null means the default."""

    def wanted(stored: Connection | None) -> Document:
        if stored is None:
            raise not_found("connection")
        merged = patches.merge(stored.document.masked(), given)
        return patches.document(connection, merged, stored.document)

    written = write(desk, who(request), connection, wanted)
    return shown(desk, written, language(request, written))


@routes.delete("/connections/{connection}", status_code=204)
def delete_connection(desk: AtDesk, by: Who, connection: str) -> Response:
    """Settings and secrets go; links and the transfer log stay, so that nothing is made twice."""
    hall = desk.hall
    with hall.db.transaction() as tx:
        desk.connection(tx, connection)
        connections.delete(tx, hall.vault, connection, hall.clock())
        audit.write(tx, by, "connection.deleted", connection, hall.clock())
    hall.directory.forget()
    log.info("connection.deleted", connection=connection)
    return Response(status_code=204)


@routes.post("/connections/{connection}/activate", responses=SHOWN)
def activate(desk: AtDesk, request: Request, connection: str) -> dict[str, Any]:
    """Lets its transfers run; 409 with the list while a required setting is missing."""
    return switch(desk, request, connection, active=True)


@routes.post("/connections/{connection}/deactivate", responses=SHOWN)
def deactivate(desk: AtDesk, request: Request, connection: str) -> dict[str, Any]:
    """Holds its transfers; events are still kept, so that nothing is missed."""
    return switch(desk, request, connection, active=False)


def shown(desk: Desk, one: Connection, spoken: Language) -> dict[str, Any]:
    """The masked document and what is only read."""
    door = f"{desk.hall.settings.public_url.rstrip('/')}/webhooks/{one.name}"
    stopped = explained(one.stopped, spoken)
    return one.document.masked() | {
        "active": one.active,
        "stopped": stopped.model_dump() if stopped else None,
        "updated_at": clock.iso(one.updated_at),
        "webhook_urls": {"severa": f"{door}/severa", "fortnox": f"{door}/fortnox"},
    }


def write(
    desk: Desk, by: Identity, name: str, wanted: Callable[[Connection | None], Document]
) -> Connection:
    hall = desk.hall
    with hall.db.transaction() as tx:
        stored = _hold(desk, tx, name)
        document = wanted(stored)
        _check_whole(stored, document)
        differs = connections.put(tx, hall.vault, document, hall.clock())
        written = desk.connection(tx, name)
        before = stored.document if stored else Document(name=name)
        if differs:
            action: Action = "connection.changed" if stored else "connection.created"
            changes = patches.differences(before, document)
            audit.write(tx, by, action, name, hall.clock(), changes=changes)
    if differs:
        hall.directory.forget()
        log.info("connection.changed", connection=name, fields=patches.changed(before, document))
    return written


def switch(desk: Desk, request: Request, name: str, *, active: bool) -> dict[str, Any]:
    hall = desk.hall
    with hall.db.transaction() as tx:
        stored = _hold(desk, tx, name)
        if stored is None:
            raise not_found("connection")
        missing = stored.document.missing() if active else []
        if missing:
            raise Problem(409, f"Not yet set: {', '.join(missing)}.", missing=missing)
        connections.set_active(tx, name, hall.clock(), active=active)
        action: Action = "connection.activated" if active else "connection.deactivated"
        audit.write(tx, who(request), action, name, hall.clock())
        switched = desk.connection(tx, name)
    hall.directory.forget()
    log.info("connection.changed", connection=name, fields=["active"], active=active)
    return shown(desk, switched, language(request, switched))


def _hold(desk: Desk, tx: Tx, name: str) -> Connection | None:
    """What is stored, kept from being changed by anybody else until the transaction ends."""
    found = desk.known(tx, name)
    if found is None:
        return None
    tx.execute(select(table.c.name).where(table.c.name == name).with_for_update())
    return desk.known(tx, name)


def _with_consent(document: Document, stored: Connection) -> Document:
    """Who was let in by consent has no tenant id to give; one that is given counts, empty or not.

    Another app was not let in by that consent.
    """
    before, access = stored.document.fortnox, document.fortnox
    is_other = "tenant_id" in access.model_fields_set or access.client_id != before.client_id
    if stored.consented_at is None or is_other:
        return document
    kept = access.model_copy(update={"tenant_id": before.tenant_id})
    return document.model_copy(update={"fortnox": kept})


def _check_whole(stored: Connection | None, document: Document) -> None:
    """What is active stays complete: a slip in a file must not stop a company's transfers."""
    if stored is None or not stored.active:
        return
    lost = [one for one in document.missing() if one not in stored.document.missing()]
    if lost:
        raise Problem(
            409,
            f"An active connection needs {', '.join(lost)}; deactivate it first to remove that.",
            missing=lost,
        )
