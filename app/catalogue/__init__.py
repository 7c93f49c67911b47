"""The texts people read: why a transfer stands where it stands, and what happened to it.

reasons_*.json  code → who can mend it, what is the matter, what to do; `resumes`: a phrase of words
sentences.json  code → a line of the transfer log
mails.json      the words around all that in an error mail
words.json      what our own words for kinds, systems, fields, people are called

`{fact}` is filled in; `[ in brackets]` is left out when a fact in it is missing or empty.
"""

import json
from importlib.resources import files
from typing import Any

AREAS = (
    "connection",
    "fees",
    "invoices",
    "payments",
    "preflight",
    "progress",
    "registers",
    "vendors",
)


def _read(name: str) -> dict[str, Any]:
    texts: dict[str, Any] = json.loads((files(__name__) / f"{name}.json").read_text("utf-8"))
    return texts


REASONS = {code: texts for area in AREAS for code, texts in _read(f"reasons_{area}").items()}
SENTENCES = _read("sentences")
WORDS = _read("words")
MAILS = _read("mails")
