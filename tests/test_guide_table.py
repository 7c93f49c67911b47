"""The table of the start guide names tests that are there, and leaves out no sentence."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^\| (\d+) \|(.*)\|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
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
    named = {found for _, rest in tables()[table] for found in TEST.findall(rest)}
    gone = {f"{path}::{name}" for path, name in named if name not in names_in(path)}
    assert (bare, gone) == ([], set())
