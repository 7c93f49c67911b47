"""Text that Fortnox takes: what it rejects is replaced, and what is too long is split by rule.

Source of the allowed characters: fortnox error 2000359 and what clients that live with it allow.
"""

import re
import unicodedata

REPLACED = str.maketrans(
    {
        '"': "”",
        "'": "’",
        "<": "(",
        ">": ")",
        "[": "(",
        "]": ")",
        "{": "(",
        "}": ")",
        "|": "/",
        "~": "-",
        "\t": " ",
        "“": "’",
        "‘": "’",
        "‚": ",",
        "„": "’",
        "—": "–",
        "…": "...",
        "•": "-",
        "\u2028": "\n",
        "\u2029": "\n",
    }
)
ALLOWED = re.compile(r"[^\W_]|[ \u00a0\r\n’\\–:.`´,;^¤#%§£$€¢¥©™°&/()=+\-*_!?²³®½@]")
CURLY = "”"


def clean(text: str | None) -> str:
    """Every character that Fortnox rejects is replaced or left out; line breaks are kept."""
    plain = unicodedata.normalize("NFC", text or "").translate(REPLACED).replace(CURLY, "’’")
    plain = plain.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(sign for sign in plain if ALLOWED.fullmatch(sign)).strip()


def cut(text: str | None, longest: int) -> str | None:
    """Cleaned and cut at `longest` characters; None when nothing is left."""
    return clean(text)[:longest].rstrip() or None


def split(text: str | None, longest: int) -> list[str]:
    """Cleaned and split into pieces of at most `longest`, between words where there are any."""
    rest, pieces = clean(text), []
    while len(rest) > longest:
        place = max(rest.rfind(" ", 0, longest + 1), rest.rfind("\n", 0, longest + 1))
        place = place if place > longest // 2 else longest
        pieces.append(rest[:place].rstrip())
        rest = rest[place:].lstrip()
    return [*pieces, rest] if rest else pieces
