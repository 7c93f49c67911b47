"""How Severa is told to change a record: JSON Patch, of which it takes `Replace` alone.

Which path leads to another record is not documented. `/country/guid` is what others send; where
that is refused, `/country` is sent with an object.
"""

from typing import Any

from app.errors import Refused

Values = dict[str, Any]  # by path without its first stroke: `name`, `country/guid`


def replacing(values: Values) -> list[Values]:
    return [{"op": "Replace", "path": f"/{field}", "value": one} for field, one in values.items()]


def replacing_objects(values: Values) -> list[Values]:
    parts = ((*field.partition("/"), value) for field, value in values.items())
    return replacing({name: {inner: one} if inner else one for name, _, inner, one in parts})


def is_about_paths(error: Refused, values: Values) -> bool:
    """Whether the other form may be taken where this one was not."""
    return error.code == "InvalidParameter" and any("/" in field for field in values)
