"""JSON Patch as Severa takes it: an array of replacements, in any letter case."""

from typing import Any

from app.sandbox.severa.entity import Entity, apply, parse_changes
from app.sandbox.severa.problems import Problem
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World


def patch(world: World, entity: Entity, record: Record, operations: Any) -> Record:
    """All operations, or none if one is refused."""
    if not isinstance(operations, list):
        raise Problem("InvalidRequest", "The body must be an array of patch operations.")
    given: dict[str, Any] = {}
    for operation in operations:
        name, value = _replacement(world, entity, record, operation)
        earlier = given.get(name)
        both = isinstance(earlier, dict) and isinstance(value, dict)
        given[name] = {**earlier, **value} if both and earlier else value
    changes = parse_changes(world, entity, given)
    entity.guard(world, record, changes)
    return apply(world, entity, record, changes)


def _replacement(world: World, entity: Entity, record: Record, operation: Any) -> tuple[str, Any]:
    if not isinstance(operation, dict):
        raise Problem("InvalidRequest", "A patch operation is an object.")
    parts = {str(name).lower(): value for name, value in operation.items()}
    if str(parts.get("op", "")).lower() != "replace":
        raise Problem("InvalidOperation", "Only the operation Replace is supported.", name="op")
    path, value = str(parts.get("path") or ""), parts.get("value")
    name, _, inner = _full(entity, path).partition("/")
    if entity.fields[name].kind == "ref" and (inner or isinstance(value, dict)):
        refused = "object" if inner else "guid"
        if world.options.patch_paths == refused:
            raise Problem("InvalidParameter", f"'{path}' cannot be patched.", name=path)
    if not inner:
        return name, value
    if not _has_inside(entity.fields[name].kind, inner):
        raise Problem("InvalidParameter", f"There is no field at '{path}'.", name=path)
    if entity.fields[name].kind == "ref":
        return name, None if value is None else {"guid": value}
    now = {part.lower(): v for part, v in (record.get(name) or {}).items()}
    return name, {**now, inner.lower(): value}


def _full(entity: Entity, path: str) -> str:
    """The field in Severa's spelling, with what follows it."""
    wanted = path.strip("/").lower()
    if wanted in entity.aliases:
        return entity.aliases[wanted]
    name, _, inner = path.strip("/").partition("/")
    known = {field.lower(): field for field in entity.fields}
    if name.lower() not in known:
        message = f"There is no field at '{path}'."
        raise Problem("InvalidParameter", message, name=path)
    return known[name.lower()] + ("/" + inner if inner else "")


def _has_inside(kind: str, inner: str) -> bool:
    if kind == "ref":
        return inner.lower() == "guid"
    return kind != "plain" and "/" not in inner
