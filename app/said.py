"""Reads what a sender says: JSON without tricks, field by field; an error names the field."""

import json
from typing import Any, NoReturn

from app.errors import Invalid


def read_json(body: bytes) -> dict[str, Any]:
    """An object; refuses duplicate keys, NaN, and nesting or numbers that would exhaust us."""
    try:
        said = _DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
    except Invalid:
        raise
    except (ValueError, RecursionError) as error:
        raise Invalid("body", "is not JSON") from error
    if not isinstance(said, dict):
        raise Invalid("body", "is not a JSON object")
    return said


def text(said: dict[str, Any], field: str, *, longest: int = 100) -> str:
    """Required, not empty, printable; numbers are taken as text."""
    found = optional_text(said, field, longest=longest)
    if not found:
        raise Invalid(field, "is missing")
    return found


def optional_text(said: dict[str, Any], field: str, *, longest: int = 100) -> str:
    value = said.get(field.rpartition(".")[2])
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise Invalid(field, "is not text")
    if len(value) > longest:
        raise Invalid(field, f"is longer than {longest} characters")
    if not value.isprintable():
        raise Invalid(field, "has characters that cannot be printed")
    return value


def part(said: dict[str, Any], field: str) -> dict[str, Any]:
    value = said.get(field)
    if not isinstance(value, dict):
        raise Invalid(field, "is missing" if value is None else "is not an object")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        shown = twice[:100].encode("utf-8", "replace").decode()  # half a character can be said so
        raise Invalid(shown, "is given twice")
    return said


def _no_constant(name: str) -> NoReturn:
    raise Invalid("body", f"{name} is not JSON")


# Made once: to make one costs more than to read an event.
_DECODER = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
