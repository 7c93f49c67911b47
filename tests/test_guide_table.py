"""The tables in docs/ name tests that are there, and leave out no sentence and no open question."""

import ast
import re
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from app.sandbox.fortnox import FortnoxOptions
from app.sandbox.severa import SeveraOptions

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^\| (\d+) \|(.*)\|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)(?:\[(\w+)\])?`")
OPTION = re.compile(r"`([a-z_0-9]+)`")
SENTENCES, NOTES = 73, 14


@cache
def tables() -> list[list[tuple[int, str]]]:
    """The rows of the guide and of the notes below it: number, and everything after it."""
    parts = (ROOT / "docs" / "guide.md").read_text().split("## ")
    return [[(int(number), rest) for number, rest in ROW.findall(part)] for part in parts]


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_sentence_has_its_row() -> None:
    assert [[number for number, _ in rows] for rows in tables()] == [
        list(range(1, SENTENCES + 1)),
        list(range(1, NOTES + 1)),
    ]


@pytest.mark.parametrize("table", [0, 1])
def test_every_row_names_a_test_that_is_there(table: int) -> None:
    bare = [number for number, rest in tables()[table] if not TEST.search(rest)]
    assert (bare, gone_from("\n".join(rest for _, rest in tables()[table]))) == ([], set())


def gone_from(text: str) -> set[str]:
    """Tests, and examples of tests, that are named and are not there."""
    return {
        f"{path}::{name}[{example}]"
        for path, name, example in TEST.findall(text)
        if name not in names_in(path) or (example and not has_example(path, name, example))
    }


def has_example(path: str, name: str, example: str) -> bool:
    tree = ast.parse((ROOT / path).read_text())
    (test,) = (one for one in ast.walk(tree) if getattr(one, "name", "") == name)
    entity = re.search(r"cases\('(\w+)'", ast.unparse(test))
    return entity is not None and (ROOT / "tests" / "cases" / entity[1] / example).is_dir()


# What is no question: how the sandbox is run, and faults that are known to happen.
OF_THE_SANDBOX = {
    *("access_token_seconds", "base_url", "clock", "code_seconds", "consenting_tenant"),
    *("delete_customer_with_invoices", "event_days", "latency", "notify", "notify_api_writes"),
    *("rate", "refresh_lifetime", "refresh_token_seconds", "retry_after"),
    "supplier_credit_answers",  # we credit no supplier invoice
}


def test_every_open_question_is_in_its_table_with_a_test() -> None:
    text = (ROOT / "docs" / "readings.md").read_text()
    rows = [line.split(" | ") for line in text.splitlines() if TEST.search(line)]
    told = {name for row in rows for name in OPTION.findall(row[3])}
    options = {one.name for kind in (FortnoxOptions, SeveraOptions) for one in fields(kind)}
    assert (told - options, options - OF_THE_SANDBOX - told) == (set(), set())
    assert (len(rows) > 50, gone_from(text)) == (True, set())
