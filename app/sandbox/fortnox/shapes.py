"""The fields of an object, in a notation of their own, and the reading of what a client sends.

A field is written `!Name:kind(limit){A|B}=empty`. `!` read-only, `*` required; kinds are text
(when left out), date, num, int, bool, quantity; `empty` is an unset value on the wire, as JSON.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from app.sandbox.fortnox import errors
from app.sandbox.fortnox.errors import Refused
from app.sandbox.fortnox.options import FortnoxOptions

BLANK = "API_BLANK"
CENT = Decimal("0.01")
FORBIDDEN = re.compile(r"[^\w \u00a0\r\n’\\–:.`´,;^¤#%§£$€¢¥©™°&/()=+\-*!?²³®½@]")
NOTATION = re.compile(
    r"(?P<mark>[!*]?)(?P<name>[@\w]+)(?::(?P<kind>\w+))?(?:\((?P<limit>\d+)\))?"
    r"(?:\{(?P<choices>[^}]*)\})?(?:=(?P<empty>\S+))?$"
)
EMPTY = {"text": "", "date": None, "num": Decimal(0), "int": 0, "bool": False, "quantity": "0"}


@dataclass(frozen=True)
class Field:
    name: str
    kind: str
    limit: int
    choices: tuple[str, ...]
    empty: Any
    read_only: bool
    required: bool

    def read(self, value: Any, options: FortnoxOptions) -> Any:
        return READERS[self.kind](self, value, options)


@dataclass(frozen=True)
class Shape:
    fields: dict[str, Field]
    one: dict[str, "Shape"] = field(default_factory=dict)
    many: dict[str, "Shape"] = field(default_factory=dict)

    def blank(self) -> dict[str, Any]:
        """A document with nothing in it, keys in Fortnox's order."""
        values = {name: each.empty for name, each in self.fields.items()}
        values.update({name: shape.blank() for name, shape in self.one.items()})
        values.update({name: [] for name in self.many})
        return values

    def read(self, payload: Any, options: FortnoxOptions) -> dict[str, Any]:
        """What the client wants changed: "" and (usually) null say nothing, API_BLANK empties."""
        if not isinstance(payload, dict):
            raise Refused(errors.BAD_BODY, "Felaktig eller saknad indata.")
        patch: dict[str, Any] = {}
        for name, value in payload.items():
            if name in self.one:
                patch[name] = self.one[name].read(value or {}, options)
            elif name in self.many:
                patch[name] = [self.many[name].read(each, options) for each in value or []]
            else:
                self._read_field(name, value, patch, options)
        return patch

    def _read_field(
        self, name: str, value: Any, patch: dict[str, Any], options: FortnoxOptions
    ) -> None:
        known = self.fields.get(name)
        if known is None:
            raise Refused(errors.UNKNOWN_FIELD, f"Ogiltigt fältnamn: {name}.")
        if known.read_only:
            if options.read_only_fields == "refuse":
                raise Refused(errors.READ_ONLY, f"Fältet kan inte ändras. ({name})")
        elif value == BLANK or (value is None and options.null_clears):
            patch[name] = known.empty
        elif value is not None and value != "":
            patch[name] = known.read(value, options)

    def require(self, values: dict[str, Any]) -> None:
        for each in self.fields.values():
            if each.required and not values.get(each.name):
                raise Refused(errors.REQUIRED, f"Obligatoriskt fält saknas. ({each.name})")


def shape(
    notation: str, one: dict[str, Shape] | None = None, many: dict[str, Shape] | None = None
) -> Shape:
    fields = {}
    for word in notation.split():
        found = NOTATION.match(word)
        if found is None:
            raise ValueError(f"not a field: {word}")
        kind, empty = found["kind"] or "text", found["empty"]
        fields[found["name"]] = Field(
            name=found["name"],
            kind=kind,
            limit=int(found["limit"] or 0),
            choices=tuple((found["choices"] or "").split("|")) if found["choices"] else (),
            empty=json.loads(empty, parse_float=Decimal) if empty else EMPTY[kind],
            read_only=found["mark"] == "!",
            required=found["mark"] == "*",
        )
    return Shape(fields, one or {}, many or {})


def decimal(value: Any, name: str = "") -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise Refused(errors.NOT_NUMERIC, f"Värdet måste vara numeriskt. ({name})")
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise Refused(errors.NOT_NUMERIC, f"Värdet måste vara numeriskt. ({name})") from None
    if not found.is_finite():
        raise Refused(errors.NOT_NUMERIC, f"Värdet måste vara numeriskt. ({name})")
    return found


def cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def _text(field: Field, value: Any, options: FortnoxOptions) -> str:
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str | int | float | Decimal):
        text = str(value)
    else:
        raise Refused(errors.BAD_BODY, f"Värdet måste vara en text. ({field.name})")
    if field.limit and len(text) > field.limit:
        raise Refused(
            errors.TOO_LONG, f"Värdet är för långt, högst {field.limit} tecken. ({field.name})"
        )
    if options.check_characters and FORBIDDEN.search(text):
        raise Refused(errors.BAD_CHARACTERS, f"Ogiltiga tecken i fältet. ({field.name})")
    if field.choices and text not in field.choices:
        raise Refused(errors.BAD_CHOICE, f"Ogiltigt värde. ({field.name})")
    return text


def _date(field: Field, value: Any, _: FortnoxOptions) -> str:
    text = str(value)
    try:
        found = date.fromisoformat(text).isoformat()
    except ValueError:
        found = ""
    if found != text:
        raise Refused(errors.BAD_DATE, f"Ogiltigt datum. ({field.name})")
    return found


def _num(field: Field, value: Any, _: FortnoxOptions) -> Decimal:
    return decimal(value, field.name)


def _int(field: Field, value: Any, _: FortnoxOptions) -> int:
    found = decimal(value, field.name)
    if found != found.to_integral_value():
        raise Refused(errors.NOT_NUMERIC, f"Värdet måste vara ett heltal. ({field.name})")
    return int(found)


def _bool(field: Field, value: Any, _: FortnoxOptions) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    try:
        return known[str(value).lower()]
    except KeyError:
        raise Refused(
            errors.NOT_BOOLEAN, f"Värdet måste vara sant/falskt. ({field.name})"
        ) from None


def _quantity(field: Field, value: Any, _: FortnoxOptions) -> str:
    """A string on the wire: at most two decimals, rounded half up, else as it was sent."""
    found = decimal(value, field.name)
    exponent = found.as_tuple().exponent
    return f"{cents(found) if isinstance(exponent, int) and exponent < -2 else found:f}"


READERS = {
    "text": _text,
    "date": _date,
    "num": _num,
    "int": _int,
    "bool": _bool,
    "quantity": _quantity,
}
