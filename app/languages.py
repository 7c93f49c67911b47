"""The languages that people are spoken to in, and which of them somebody reads."""

from typing import Literal, get_args

Language = Literal["sv", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Language = "sv"


def language_of(accept_language: str, default: Language = DEFAULT) -> Language:
    """The first of our languages that the header names, by its weights; else `default`."""
    wanted: list[tuple[float, Language]] = []
    for part in accept_language.split(","):
        tag, *parameters = (one.strip().lower() for one in part.split(";"))
        known, weight = language_named(tag.split("-")[0]), _weight(parameters)
        if known and weight > 0:
            wanted.append((weight, known))
    return max(wanted, key=lambda pair: pair[0])[1] if wanted else default


def language_named(tag: str | None) -> Language | None:
    return next((one for one in LANGUAGES if one == tag), None)


def _weight(parameters: list[str]) -> float:
    """`q` of a language range: 1 when it is not given, 0 when it makes no sense."""
    given = [one.partition("=")[2].strip() for one in parameters if one.startswith("q")]
    try:
        return float(given[0]) if given else 1.0
    except ValueError:
        return 0.0
