"""What is published: rows of figures by name, as JSON and as a table."""

from collections.abc import Mapping

Row = dict[str, float | str]
Rows = Mapping[str, Row]


def table(title: str, rows: Rows) -> str:
    """In Markdown; one line for each row."""
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    head = [title, *(name.replace("_", " ") for name in names)]
    lines = [head, ["---"] * len(head)]
    lines += [[one, *(str(row.get(name, "")) for name in names)] for one, row in rows.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
