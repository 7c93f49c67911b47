"""Files that a Swedish Excel opens as they are: semicolons, decimal commas, and no formulas."""

import csv
import io
from collections.abc import Sequence
from decimal import Decimal

from app.api.spreadsheet import cell
from app.console.sheets import HEADERS
from app.sync import money

MARK = "\ufeff"  # by which Excel knows UTF-8


def line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerow([cell(one) for one in cells])
    return text.getvalue()


def amount(given: Decimal) -> str:
    return f"{money.rounded(given):f}".replace(".", ",")


def attachment(name: str) -> dict[str, str]:
    return {
        **HEADERS,
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
