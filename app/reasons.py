"""The catalogue of reasons, and of the transfer log's sentences, in Swedish and English."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.catalogue import REASONS, SENTENCES
from app.errors import Reason

Language = Literal["sv", "en"]
Who = Literal["project lead", "finance", "administrator", "nobody"]


@dataclass(frozen=True)
class Explanation:
    """`who` can mend it; `next_step` is empty where nobody needs to do anything."""

    code: str
    message: str
    who: str
    next_step: str


def explain(reason: Reason, language: Language) -> Explanation:
    """A code that is not in the catalogue shows its facts; it is never hidden."""
    entry = REASONS.get(reason.code)
    if entry is None:
        shown = ", ".join(f"{name} {value}" for name, value in reason.facts.items())
        return Explanation(reason.code, f"{reason.code}: {shown}", "administrator", "")
    facts = _Facts(reason.facts)
    texts = entry[language]
    return Explanation(
        reason.code,
        texts["message"].format_map(facts),
        entry["who"],
        texts["next_step"].format_map(facts),
    )


def sentence(what: str, facts: Mapping[str, str], language: Language) -> str:
    texts = SENTENCES.get(what)
    if texts is None:
        return f"{what}: " + ", ".join(f"{name} {value}" for name, value in facts.items())
    return str(texts[language].format_map(_Facts(facts)))


def language_of(accept_language: str, default: Language) -> Language:
    """The first of our languages that the header names, by its weights; else `default`."""
    wanted: list[tuple[float, Language]] = []
    for part in accept_language.split(","):
        tag, _, weight = part.strip().partition(";q=")
        primary = tag.strip().lower().split("-")[0]
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if primary == "sv" and quality > 0:
            wanted.append((quality, "sv"))
        elif primary == "en" and quality > 0:
            wanted.append((quality, "en"))
    return max(wanted, key=lambda pair: pair[0])[1] if wanted else default


class _Facts(dict[str, str]):
    """A sentence with a fact missing is still a sentence."""

    def __missing__(self, key: str) -> str:
        return "?"
