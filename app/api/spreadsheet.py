"""Comma-separated values for people's spreadsheets: a text is never taken for a formula."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
MEDIA_TYPE = "text/csv; charset=utf-8"
NUMBER = re.compile(r"-?[0-9]+([.,][0-9]+)?")


def lines(columns: Sequence[str], rows: Iterable[Row], *, heading: bool = True) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    if heading:
        writer.writeheader()
    writer.writerows({name: cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def saved_as(name: str) -> dict[str, str]:
    """The header that makes it a file of this name."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def cell(value: Any) -> str:
    """What begins like a formula gets an apostrophe in front, as OWASP advises."""
    text = "" if value is None else str(value)
    if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) and not NUMBER.fullmatch(text):
        return f"'{text}"
    return text
