"""Query filters of list calls: what a parameter lets through."""

from collections.abc import Callable, Mapping
from typing import Any

from app.sandbox.severa.asking import Ask
from app.sandbox.severa.moments import read_day, read_moment
from app.sandbox.severa.problems import Problem
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World

Test = Callable[[Record], bool]
Filter = Callable[[World, list[str]], Test]
Filters = Mapping[str, Filter]


def pick(record: Any, path: str) -> list[Any]:
    """Every value at a path like `projects.guid`; lists are gone through."""
    values = [record]
    for name in path.split("."):
        found = [value.get(name) for value in values if isinstance(value, dict)]
        values = []
        for value in found:
            values.extend(value) if isinstance(value, list) else values.append(value)
    return values


def any_of(path: str) -> Filter:
    """Repeated parameter; a record passes with any of the values."""

    def build(_: World, values: list[str]) -> Test:
        wanted = set(values)
        return lambda record: any(str(value) in wanted for value in pick(record, path))

    return build


def any_of_project(path: str) -> Filter:
    """Of an invoice's projects, which it shows by guid only."""

    def build(world: World, values: list[str]) -> Test:
        wanted = set(values)
        owners = (p for p in world.all("projects") if wanted & set(pick(p, path)))
        guids = {project["guid"] for project in owners}
        return lambda record: any(project["guid"] in guids for project in record["projects"])

    return build


def same(path: str) -> Filter:
    """An empty parameter filters nothing."""

    def build(_: World, values: list[str]) -> Test:
        wanted = values[-1].lower()
        if not wanted:
            return lambda _: True
        return lambda record: any(str(v).lower() == wanted for v in pick(record, path))

    return build


def flag(path: str) -> Filter:
    def build(_: World, values: list[str]) -> Test:
        word = values[-1].lower()
        if word not in ("true", "false", ""):
            raise ValueError(f"'{values[-1]}' is neither true nor false.")
        if not word:
            return lambda _: True
        wanted = word == "true"
        return lambda record: any(bool(value) is wanted for value in pick(record, path))

    return build


def present(path: str) -> Filter:
    """True lets through what has a value there, false what has none."""

    def build(_: World, values: list[str]) -> Test:
        wanted = values[-1].lower() == "true"
        return lambda record: (record.get(path) is not None) is wanted

    return build


def since(path: str = "lastUpdatedDateTime") -> Filter:
    """That moment and later."""

    def build(_: World, values: list[str]) -> Test:
        if not values[-1]:
            return lambda _: True
        moment = read_moment(values[-1])
        return lambda record: (record.get(path) or "") >= moment

    return build


def from_day(path: str) -> Filter:
    def build(_: World, values: list[str]) -> Test:
        day = read_day(values[-1])
        return lambda record: (record.get(path) or "") >= day

    return build


def until_day(path: str) -> Filter:
    def build(_: World, values: list[str]) -> Test:
        day = read_day(values[-1])
        return lambda record: bool(record.get(path)) and record[path] <= day

    return build


def text_in(*paths: str) -> Filter:
    def build(_: World, values: list[str]) -> Test:
        wanted = values[-1].lower()
        return lambda record: any(
            wanted in str(value or "").lower() for path in paths for value in pick(record, path)
        )

    return build


def home_amount(*, least: bool) -> Filter:
    """totalExcludingTax in the organisation's currency."""

    def build(world: World, values: list[str]) -> Test:
        bound = float(values[-1])
        upside_down = world.options.currency_rate == "from_organization"

        def test(record: Record) -> bool:
            rate = record["currencyRate"]
            total = record["totalExcludingTax"]["amount"] * (1 / rate if upside_down else rate)
            return bool(total >= bound if least else total <= bound)

        return test

    return build


def tests(world: World, filters: Filters, ask: Ask) -> list[Test]:
    built = []
    for name, build in filters.items():
        values = ask.query.get(name.lower())
        if not values:
            continue
        try:
            built.append(build(world, values))
        except ValueError as error:
            raise Problem("InvalidParameter", str(error), "UriParameter", name) from error
    return built
