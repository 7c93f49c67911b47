"""What a PUT or PATCH of a connection means, given what is stored: pure, and never echoing."""

import copy
import json
from typing import Any

from pydantic import ValidationError

from app.api.problems import invalid
from app.documents import MASK, SECRET_FIELDS, Document, Part, unmask
from app.errors import Invalid

DEEPEST = 20  # levels; a settings document has four
READ_ONLY = ("active", "stopped", "updated_at", "webhook_urls")


def document(name: str, given: dict[str, Any], stored: Document | None) -> Document:
    """The settings that `given` asks for; raises Invalid or a 400 problem naming the fields."""
    _check_text(given)
    wanted = {key: value for key, value in given.items() if key not in READ_ONLY}
    wanted = unmask(copy.deepcopy(wanted), stored)
    if wanted.setdefault("name", name) != name:
        raise Invalid("name", "is not the name in the address")
    try:
        read = Document.model_validate(wanted)
    except ValidationError as error:
        raise invalid(error.errors(include_input=False, include_context=False)) from None
    _check_masks(read)
    return read


def merge(target: dict[str, Any], patch: dict[str, Any]) -> Any:
    """JSON merge patch (RFC 7396); raises Invalid."""
    _check_text(patch)
    return _merged(target, patch)


def _merged(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


def changed(old: Part, new: Part, inside: str = "") -> list[str]:
    """The dotted names of the settings that differ."""
    names: list[str] = []
    for name, field in type(new).model_fields.items():
        before, after = getattr(old, name), getattr(new, name)
        shown = f"{inside}{field.alias or name}"
        if isinstance(after, Part):
            names += changed(before, after, f"{shown}.")
        elif before != after:
            names.append(shown)
    return names


def differences(old: Document, new: Document) -> list[dict[str, Any]]:
    """The settings that differ, as they may be kept: a secret reads `********` on either side."""
    before, after = old.masked(), new.masked()
    return [
        {"field": name, "from": _at(before, name), "to": _at(after, name)}
        for name in changed(old, new)
    ]


def _at(shown: dict[str, Any], name: str) -> Any:
    value: Any = shown
    for step in name.split("."):
        value = value[step]
    return value


def _check_text(given: dict[str, Any]) -> None:
    """Half a surrogate pair can be stored, but never be shown again; depth would exhaust us."""
    try:
        text = json.dumps(given, ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:
        raise Invalid("body", "has characters that are not Unicode text") from None
    except RecursionError:
        raise Invalid("body", "is nested too deeply") from None
    if _depth(given) > DEEPEST:
        raise Invalid("body", "is nested too deeply")
    if "\\u0000" in text:
        raise Invalid("body", "has a NUL character")


def _depth(given: Any) -> int:
    """Level by level, so that it needs no stack of its own."""
    levels, level = 0, [given]
    while level and levels <= DEEPEST:
        levels += 1
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return levels


def _check_masks(read: Document) -> None:
    """A mask that keeps nothing would become a secret that everybody knows."""
    secrets = read.split()[1]
    for path in SECRET_FIELDS:
        field = ".".join(path)
        if MASK in secrets[field]:
            raise Invalid(
                field,
                f"{MASK} keeps the secret that is stored in that place; there is none, or the list"
                " has got shorter: then write out those that stay",
            )
