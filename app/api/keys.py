"""Admin keys: made, listed, revoked. A key is shown when it is made, and never again."""

from typing import Annotated, Any

import structlog
from fastapi import Body, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import Row

from app import access, audit, clock
from app.api.criteria import Instant
from app.api.desk import AtDesk, Who, is_name, router
from app.api.problems import Problem, not_found
from app.identity import Scope

log = structlog.get_logger()
routes = router("keys")


def _printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("expected a name of printable characters")
    return text.strip()


class AskedKey(BaseModel):
    """`name`: whose it is, or what for; `expires_at` may be left out: it then opens for ever."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_printable)]
    scope: Scope
    expires_at: Instant = None


class Key(BaseModel):
    """`begins`: the first characters of the key; `last_used_at` is exact to the hour."""

    id: str
    name: str
    scope: Scope
    begins: str
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None


class NewKey(Key):
    """`key`: to be kept by whom it is for; it cannot be read again."""

    key: str


class KeyList(BaseModel):
    keys: list[Key]


@routes.get("/keys")
def list_keys(desk: AtDesk) -> KeyList:
    """Every key that was ever made, newest first; ADMIN_KEY is not among them."""
    with desk.hall.db.reading() as tx:
        rows = access.every(tx)
    return KeyList(keys=[Key(**_shown(row)) for row in rows])


@routes.post("/keys", status_code=201)
def create_key(desk: AtDesk, by: Who, asked: Annotated[AskedKey, Body()]) -> NewKey:
    """Makes a key and shows it, this once."""
    now = desk.hall.clock()
    if asked.expires_at is not None and asked.expires_at <= now:
        raise Problem(400, "expires_at: expected an instant to come")
    with desk.hall.db.transaction() as tx:
        made = access.create(tx, asked.name, asked.scope, now, asked.expires_at)
        facts = {"key": made.row.id, "name": asked.name, "scope": asked.scope}
        audit.write(tx, by, "key.created", None, now, **facts)
    log.info("key.created", key=made.row.id, scope=asked.scope)
    return NewKey(**_shown(made.row), key=made.secret)


@routes.delete("/keys/{key}", status_code=204)
def revoke_key(desk: AtDesk, by: Who, key: str) -> Response:
    """It opens nothing from now on, nor does a login that was made with it."""
    now = desk.hall.clock()
    with desk.hall.db.transaction() as tx:
        row = access.find(tx, key) if is_name(key) else None
        if row is None:
            raise not_found("key")
        if access.revoke(tx, key, now):
            audit.write(tx, by, "key.revoked", None, now, key=key, name=row.name)
    log.info("key.revoked", key=key)
    return Response(status_code=204)


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "scope": row.scope,
        "begins": row.begins,
        "created_at": clock.iso(row.created_at),
        "expires_at": clock.iso(row.expires_at),
        "last_used_at": clock.iso(row.last_used_at),
        "revoked_at": clock.iso(row.revoked_at),
    }
