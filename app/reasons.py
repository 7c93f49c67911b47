"""The catalogue of reasons, and of the transfer log's sentences, in every language."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from app.catalogue import REASONS, SENTENCES, WORDS
from app.errors import Reason
from app.languages import LANGUAGES, Language

Who = Literal["project lead", "finance", "administrator", "nobody"]

OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)
INSIDE = ("why", "cause")
SHORTEST_WORD, MOST_CODES = 3, 20  # by which a reason is looked for
AMOUNTS = frozenset(("paid", "rate", "remaining", "rows", "total"))
AMOUNT_FIELDS = frozenset(("CurrencyRate", "Net", "Total", "TotalVAT"))


@dataclass(frozen=True)
class Explanation:
    """`who` can mend it, in the language asked; `next_step` is empty where nobody has to."""

    code: str
    message: str
    who: str
    next_step: str


@dataclass(frozen=True)
class _Told:
    """A reason before the phrase that says how the transfer resumes."""

    message: str
    who: Who
    step: str
    resumes: str


def explain(reason: Reason, language: Language) -> Explanation:
    """A code that is not in the catalogue shows its facts; it is never hidden."""
    told = _told(reason, language)
    message, step = told.message, told.step
    resumes = word("resumes", told.resumes, language)
    if step:
        step = f"{step} {resumes}".strip()
    else:
        message = f"{message} {resumes}".strip()
    return Explanation(reason.code, message, word("who", told.who, language), step)


def codes_saying(q: str) -> frozenset[str]:
    """The reasons that say this, in any language and case; what many say tells nothing."""
    sought = q.casefold()
    found = frozenset(
        code
        for code, entry in REASONS.items()
        if any(sought in entry[language]["message"].casefold() for language in LANGUAGES)
    )
    return found if len(sought) >= SHORTEST_WORD and len(found) <= MOST_CODES else frozenset()


def sentence(what: str, facts: Mapping[str, str], language: Language) -> str:
    """A line of the transfer log; a warning is told in the words of its reason."""
    texts = SENTENCES.get(what)
    if texts is not None:
        return _fill(texts[language], _worded(facts, language))
    told = _told(Reason(what, dict(facts)), language)
    return f"{told.message} {told.step}".strip()


def _told(reason: Reason, language: Language) -> _Told:
    entry = REASONS.get(reason.code)
    if entry is None:
        shown = ", ".join(f"{name} {value}" for name, value in reason.facts.items())
        return _Told(f"{reason.code}: {shown}", "administrator", "", "")
    texts, facts = entry[language], _worded(reason.facts, language)
    other, cause = (_inside(reason, name, texts["message"], language) for name in INSIDE)
    facts |= {"why": other.message if other else "", "cause": cause.message if cause else ""}
    message = _fill(texts["message"], facts)
    if other and other.step:
        return _Told(message, other.who, other.step, other.resumes)
    step = _fill(texts["next_step"], facts)
    return _Told(message, entry["who"], step, entry.get("resumes", ""))


def _inside(reason: Reason, name: str, text: str, language: Language) -> _Told | None:
    """The reason that a fact names: `why` another record is held up, or the `cause` of giving up.

    What helps the other record helps this one; what helped before giving up may not help any more.
    """
    code = reason.facts.get(name)
    if not code or name not in PLACEHOLDER.findall(text):
        return None
    facts = {key: value for key, value in reason.facts.items() if key != name}
    return _told(Reason(code, facts), language)


def _worded(facts: Mapping[str, str], language: Language) -> dict[str, str]:
    """The facts as they are read in a text: our own words translated, amounts punctuated."""
    amounts = AMOUNTS | {"asked", "got"} if facts.get("field") in AMOUNT_FIELDS else AMOUNTS
    return {
        name: _amount(value, language) if name in amounts else word(name, value, language)
        for name, value in facts.items()
    }


def word(table: str, value: str, language: Language) -> str:
    """What one of our own words is called; itself where the table does not know it."""
    words = WORDS.get(table, {}).get(value)
    return str(words[language]) if words else value


def _amount(value: str, language: Language) -> str:
    """`1234.5` → `1 234,50` or `1,234.50`."""
    if not NUMBER.fullmatch(value):
        return value
    decimals = max(2, len(value.partition(".")[2]))
    whole, _, part = f"{Decimal(value):,.{decimals}f}".partition(".")
    thousands, point = (word("figures", one, language) for one in ("thousands", "point"))
    return f"{whole.replace(',', thousands)}{point}{part}"


def _fill(text: str, facts: Mapping[str, str]) -> str:
    """Filled in, without the bracketed parts that nothing is known for."""

    def part(found: re.Match[str]) -> str:
        known = all(facts.get(name) for name in PLACEHOLDER.findall(found[1]))
        return found[1] if known else ""

    shown = _Facts({name: value or "–" for name, value in facts.items()})
    return OPTIONAL.sub(part, text).format_map(shown)


class _Facts(dict[str, str]):
    """A sentence with a fact missing is still a sentence."""

    def __missing__(self, key: str) -> str:
        return "?"
