"""Text that Fortnox takes: what it rejects is replaced, and what is too long is split by rule.

Source of the allowed characters: fortnox error 2000359 and what clients that live with it allow.
"""

import unicodedata

REPLACED = str.maketrans(
    {
        '"': "’’",
        "“": "’",
        "”": "’’",
        "„": "’",
        "«": "’’",
        "»": "’’",
        "'": "’",
        "‘": "’",
        "′": "’",
        "″": "’’",
        "‚": ",",
        "<": "(",
        ">": ")",
        "[": "(",
        "]": ")",
        "{": "(",
        "}": ")",
        "|": "/",
        "⁄": "/",
        "÷": "/",
        "×": "x",
        "±": "+/-",
        "~": "-",
        "•": "-",
        "·": "-",
        "−": "-",
        "‐": "-",
        "‑": "-",
        "‒": "–",
        "—": "–",
        "―": "–",
        "…": "...",
        "\v": "\n",
        "\f": "\n",
        "\x85": "\n",
        "\u2028": "\n",
        "\u2029": "\n",
    }
)
ALLOWED = frozenset("0123456789 \u00a0\n’\\–:.`´,;^¤#%§£$€¢¥©™°&/()=+-*_!?²³®½@")


def clean(text: str | None) -> str:
    """Every character that Fortnox rejects is replaced or left out; line breaks are kept."""
    plain = (text or "").replace("\r\n", "\n").replace("\r", "\n")
    plain = unicodedata.normalize("NFC", plain).translate(REPLACED)
    return unicodedata.normalize("NFC", "".join(_allowed(sign) for sign in plain)).strip()


def _allowed(sign: str) -> str:
    """The sign, or what comes near it: `m2` for `㎡`, a space for a thin one, no emoji."""
    if _is_allowed(sign):
        return sign
    if sign.isspace():
        return " "
    plainer = unicodedata.normalize("NFKC", sign).translate(REPLACED)
    return "".join(one for one in plainer if _is_allowed(one))


def _is_allowed(sign: str) -> bool:
    return sign.isalpha() or sign in ALLOWED


def cut(text: str | None, longest: int) -> str | None:
    """Cleaned and cut at `longest` characters; None when nothing is left."""
    return clean(text)[:longest].rstrip() or None


def split(text: str | None, longest: int) -> list[str]:
    """Cleaned and split into pieces of at most `longest`, between words where there are any."""
    rest, pieces = clean(text), []
    while len(rest) > longest:
        place = max(rest.rfind(" ", 0, longest + 1), rest.rfind("\n", 0, longest + 1))
        place = place if place >= longest // 2 else longest
        pieces.append(rest[:place].rstrip())
        rest = rest[place:].lstrip()
    return [*pieces, rest] if rest else pieces


def address_lines(addressline: str | None) -> tuple[str | None, str | None]:
    """Severa has one field with line breaks; Fortnox has two lines."""
    lines = [line.strip() for line in clean(addressline).split("\n") if line.strip()]
    return (lines[0] if lines else None), (", ".join(lines[1:]) or None)
