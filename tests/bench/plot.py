"""Bars as SVG: one group for each figure that all rows have, one bar for each row."""

from html import escape

from tests.bench.figures import Rows

WIDTH, BAR, GAP, LEFT = 640, 18, 14, 240


def bars(title: str, rows: Rows, figure: str) -> str:
    """`figure`: the column that is drawn; rows without it are left out."""
    values = {name: float(row[figure]) for name, row in rows.items() if figure in row}
    longest = max(values.values(), default=0) or 1
    drawn = []
    for place, (name, value) in enumerate(values.items()):
        top = 40 + place * (BAR + GAP)
        length = round((WIDTH - LEFT - 80) * value / longest, 1)
        drawn.append(
            f'<text x="{LEFT - 8}" y="{top + 13}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{LEFT}" y="{top}" width="{length}" height="{BAR}" rx="2"/>'
            f'<text x="{LEFT + length + 6}" y="{top + 13}">{value:g}</text>'
        )
    height = 48 + len(values) * (BAR + GAP)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        "<style>text{font:13px sans-serif;fill:#555}rect{fill:#2f6f9f}"
        "@media(prefers-color-scheme:dark){text{fill:#bbb}rect{fill:#6aa9d8}}</style>"
        f'<text x="8" y="22" font-weight="bold">{escape(title)}</text>{"".join(drawn)}</svg>\n'
    )
