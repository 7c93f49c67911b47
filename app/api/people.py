"""People who may use the console: added, listed, given another role or password, shut out.

A password is taken and never shown. Whoever comes by the organisation's log-in gets their role
there, and is listed here to be shut out.
"""

from datetime import datetime
from typing import Annotated, Any

import structlog
from fastapi import Body, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from sqlalchemy import Connection as Tx

from app import audit, clock, people
from app.api.desk import AtDesk, Who, router
from app.api.problems import Problem, not_found
from app.identity import Scope
from app.people import NAME, Person

log = structlog.get_logger()
routes = router("users")

Password = Annotated[SecretStr, Field(min_length=people.SHORTEST_PASSWORD, max_length=500)]


class AskedUser(BaseModel):
    """`role`: view, operate (and view) or configure (everything)."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, Field(max_length=40)]
    password: Password
    role: Scope


class ChangedUser(BaseModel):
    """What is left out stays as it is; any change ends what the person has open."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    role: Scope | None = None
    password: Password | None = None
    disabled: bool | None = None


class User(BaseModel):
    """`kind`: local has a password here, oidc logs in at the organisation."""

    name: str
    label: str
    kind: str
    role: Scope
    created_at: str | None
    seen_at: str | None
    disabled_at: str | None


class UserList(BaseModel):
    users: list[User]


@routes.get("/users")
def list_users(desk: AtDesk) -> UserList:
    """Everybody who may use the console by name, also those who are shut out."""
    with desk.hall.db.reading() as tx:
        return UserList(users=[_shown(one) for one in people.every(tx)])


@routes.post("/users", status_code=201)
def create_user(desk: AtDesk, who: Who, asked: Annotated[AskedUser, Body()]) -> User:
    """Adds somebody who logs in with a password."""
    name, now = asked.name.strip().lower(), desk.hall.clock()
    with desk.hall.db.transaction() as tx:
        made = people.add(tx, name, asked.password.get_secret_value(), asked.role, now)
        audit.write(tx, who, "person.added", None, now, person=name, scope=asked.role)
    log.info("person.added", person=name, scope=asked.role)
    return _shown(made)


@routes.patch("/users/{user}")
def change_user(desk: AtDesk, who: Who, user: str, asked: Annotated[ChangedUser, Body()]) -> User:
    """A new role or password, shut out or let in again; all of it or nothing."""
    now = desk.hall.clock()
    with desk.hall.db.transaction() as tx:
        facts = _change(tx, _found(tx, user), asked, now)
        if facts:
            audit.write(tx, who, "person.changed", None, now, person=user, **facts)
        after = _found(tx, user)
    log.info("person.changed", person=user, **facts)
    return _shown(after)


@routes.delete("/users/{user}", status_code=204)
def remove_user(desk: AtDesk, who: Who, user: str) -> Response:
    """Whatever they have open closes at once."""
    with desk.hall.db.transaction() as tx:
        _found(tx, user)
        people.remove(tx, user)
        audit.write(tx, who, "person.removed", None, desk.hall.clock(), person=user)
    log.info("person.removed", person=user)
    return Response(status_code=204)


def _change(tx: Tx, person: Person, asked: ChangedUser, now: datetime) -> dict[str, Any]:
    """What was changed, as the audit log keeps it."""
    if not person.is_local and (asked.role or asked.password):
        raise Problem(409, "The organisation's log-in says who this is and what they may do.")
    facts: dict[str, Any] = {}
    if asked.role and asked.role != person.scope:
        people.change_scope(tx, person.name, asked.role)
        facts["scope"] = asked.role
    if asked.password:
        people.change_password(tx, person.name, asked.password.get_secret_value())
        facts["password"] = "changed"  # noqa: S105 - that it was, not what it is
    if asked.disabled is not None and asked.disabled != bool(person.disabled_at):
        people.switch(tx, person.name, now if asked.disabled else None)
        facts["disabled"] = asked.disabled
    return facts


def _found(tx: Tx, name: str) -> Person:
    found = people.find(tx, name) if NAME.fullmatch(name) else None
    if found is None:
        raise not_found("user")
    return found


def _shown(one: Person) -> User:
    return User(
        name=one.name,
        label=one.label,
        kind="local" if one.is_local else "oidc",
        role=one.scope,
        created_at=clock.iso(one.created_at),
        seen_at=clock.iso(one.seen_at),
        disabled_at=clock.iso(one.disabled_at),
    )
