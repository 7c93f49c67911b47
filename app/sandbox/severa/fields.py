"""What a client may write: each field with its type, and what is said when it does not fit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.sandbox.severa.moments import read_day
from app.sandbox.severa.problems import Problem
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import View, World

Read = Callable[[World, Any], Any]
LARGEST = 2**63


class Unfit(ValueError):
    """The value is not what the field takes."""


@dataclass(frozen=True)
class Field:
    """`kind` tells patches and python callers how a value may be abbreviated; `table` of a ref."""

    read: Read
    required: bool = False
    default: Any = None
    kind: str = "plain"
    table: str = ""

    def parse(self, world: World, name: str, value: Any) -> Any:
        if value is None or (self.required and value == ""):
            if self.required:
                raise Problem("InvalidParameter", f"{_title(name)} is required.", name=name)
            return self.default
        try:
            return self.read(world, value)
        except ValueError as error:
            raise Problem("InvalidParameter", f"{_title(name)}: {error}", name=name) from error


def _title(name: str) -> str:
    return name[:1].upper() + name[1:]


def text(*, required: bool = False, longest: int = 0, default: str | None = None) -> Field:
    def read(_: World, value: Any) -> str:
        if not isinstance(value, str):
            raise Unfit("a text is expected.")
        if longest and len(value) > longest:
            raise Unfit(f"at most {longest} characters are allowed.")
        return value

    return Field(read, required, default)


def whole(*, default: int | None = None, largest: int = LARGEST) -> Field:
    def read(_: World, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= largest:
            raise Unfit("a whole number is expected.")
        return value

    return Field(read, default=default)


def number(*, required: bool = False, default: float | None = None) -> Field:
    def read(_: World, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Unfit("a number is expected.")
        return float(value)

    return Field(read, required, default)


def flag(*, default: bool = False) -> Field:
    def read(_: World, value: Any) -> bool:
        if not isinstance(value, bool):
            raise Unfit("true or false is expected.")
        return value

    return Field(read, default=default)


def day() -> Field:
    return Field(lambda _, value: read_day(value))


def choice(*words: str, required: bool = False, default: str | None = None) -> Field:
    known = {word.lower(): word for word in words}

    def read(_: World, value: Any) -> str:
        if not isinstance(value, str) or value.lower() not in known:
            raise Unfit(f"one of {', '.join(words)} is expected.")
        return known[value.lower()]

    return Field(read, required, default)


def money(*, required: bool = False) -> Field:
    def read(world: World, value: Any) -> Record:
        given = as_object(value)
        amount, code = given.get("amount"), given.get("currencycode")
        if not isinstance(code, str) or all(c["code"] != code for c in world.all("currencies")):
            raise Unfit("currencyCode must be a currency in use.")
        if isinstance(amount, bool) or not isinstance(amount, int | float | None):
            raise Unfit("amount must be a number.")
        return {
            "amount": None if amount is None else float(amount),
            "currencyCode": code,
            "multiCurrencyInfo": None,
        }

    return Field(read, required, kind="money")


def ref(table: str, view: View, *, required: bool = False, key: str = "guid") -> Field:
    def read(world: World, value: Any) -> Record | None:
        guid = as_object(value).get(key.lower())
        if guid is None and not required:
            return None
        found = world.find(table, guid if isinstance(guid, str) else None)
        if found is None:
            raise Unfit(f"there is no {table[:-1]} with the {key} '{guid}'.")
        return world.view(view, found)

    return Field(read, required, kind="ref", table=table)


def composite(*names: str, build: Callable[[Record], Record] = dict) -> Field:
    """A small object of texts; a patch of one of them keeps the others."""

    def read(_: World, value: Any) -> Record:
        given = as_object(value)
        return build({name: given.get(name.lower()) for name in names})

    return Field(read, kind="composite")


def as_object(value: Any) -> Record:
    if not isinstance(value, Mapping):
        raise Unfit("an object is expected.")
    return {str(name).lower(): part for name, part in value.items()}
