"""The worked examples: a folder says what one system has and what the other is to get."""

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.documents import Document

CASES = Path(__file__).parents[1] / "cases"
STATUSES = {
    "transfer": "55000000-0000-0000-0000-000000000002",
    "received": "55000000-0000-0000-0000-000000000003",
    "paid": "55000000-0000-0000-0000-000000000004",
}


@dataclass(frozen=True)
class Case:
    """What stands in `severa.json` and in `fortnox.json`."""

    severa: dict[str, Any]
    fortnox: dict[str, Any]


def cases(entity: str, direction: str = "severa_to_fortnox") -> Any:
    """Every folder under `tests/cases/<entity>`, named after it: a new folder is a new test.

    What goes from Fortnox to Severa says so, as `direction` in its `fortnox.json`.
    """
    folders = sorted(one for one in (CASES / entity).iterdir() if one.is_dir())
    found = [(folder.name, _case(folder)) for folder in folders]
    params = [
        pytest.param(case, id=name)
        for name, case in found
        if case.fortnox.get("direction", "severa_to_fortnox") == direction
    ]
    return pytest.mark.parametrize("case", params)


def read(path: Path) -> Any:
    """Numbers as the bridge reads them from a vendor: never through a float."""
    return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


def document(settings: dict[str, Any]) -> Document:
    """A connection's settings: the usual ones, and what the example says of its own."""
    statuses = STATUSES | settings.get("invoice_statuses", {})
    given = {"name": "nordbygg", **settings, "invoice_statuses": statuses}
    return Document.model_validate(given)


def _case(folder: Path) -> Case:
    return Case(read(folder / "severa.json"), read(folder / "fortnox.json"))
