"""Two registers side by side: what would link, nearly does, contradicts, or is alone."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz, process

from app.fortnox.text import clean

NEAR = 88.0  # percent; below this two names are only names

Verdict = Literal["link", "near_miss", "conflict", "only_severa", "only_fortnox"]


@dataclass(frozen=True)
class Entry:
    """`tax`: organisation or VAT number in one spelling; empty where there is none."""

    id: str
    number: str
    name: str
    tax: str = ""


@dataclass(frozen=True)
class Pair:
    """`score`: how alike the names are, in percent; `why` is a code of the catalogue."""

    verdict: Verdict
    severa: Entry | None
    fortnox: Entry | None
    score: float = 100.0
    why: str = ""


def by_number(severa: Sequence[Entry], fortnox: Sequence[Entry]) -> list[Pair]:
    """Customers: the same number is the same customer, whatever the name.

    The same number under quite another name is linked, and told as a near miss: it may be a
    mistake. A customer of the same tax number or name under another number would be doubled.
    """
    theirs = {one.number: one for one in fortnox}
    pairs: list[Pair] = []
    met: set[tuple[str, str]] = set()
    for ours in severa:
        found = theirs.get(ours.number) if ours.number else None
        if found is None:
            continue
        met.update((("s", ours.id), ("f", found.id)))
        score = _alike(ours.name, found.name)
        sure = score >= NEAR or (ours.tax and ours.tax == found.tax)
        pairs.append(
            Pair("link", ours, found, score)
            if sure
            else Pair("near_miss", ours, found, score, "same_number_other_name")
        )
    left_severa = [one for one in severa if ("s", one.id) not in met]
    left_fortnox = [one for one in fortnox if ("f", one.id) not in met]
    return pairs + _near(left_severa, left_fortnox)


def by_code_and_name(severa: Sequence[Entry], fortnox: Sequence[Entry]) -> list[Pair]:
    """Articles: code and name must both be the same; either alone is a conflict, and so is a code
    that several records share.
    """
    shared = _shared(severa)
    theirs = {one.number: one for one in fortnox}
    names = {_plain(one.name): one for one in fortnox}
    pairs: list[Pair] = []
    met: set[tuple[str, str]] = set()
    for ours in severa:
        found = theirs.get(ours.number) if ours.number else None
        if ours.number in shared:
            pairs.append(Pair("conflict", ours, found, 100.0, "code_shared"))
        elif found is not None:
            same = _plain(ours.name) == _plain(found.name)
            score = _alike(ours.name, found.name)
            pairs.append(
                Pair("link", ours, found)
                if same
                else Pair("conflict", ours, found, score, "same_code_other_name")
            )
        elif found := names.get(_plain(ours.name)):
            pairs.append(Pair("conflict", ours, found, 100.0, "same_name_other_code"))
        else:
            continue
        met.add(("s", ours.id))
        if found is not None:
            met.add(("f", found.id))
    left_severa = [one for one in severa if ("s", one.id) not in met]
    left_fortnox = [one for one in fortnox if ("f", one.id) not in met]
    return pairs + _near(left_severa, left_fortnox)


def _near(severa: Sequence[Entry], fortnox: Sequence[Entry]) -> list[Pair]:
    """What is alone on its side, or has somebody much like it on the other."""
    by_tax = {one.tax: one for one in fortnox if one.tax}
    names = {one.id: _in_order(one.name) for one in fortnox}
    entries = {one.id: one for one in fortnox}
    pairs: list[Pair] = []
    met: set[str] = set()
    for ours in severa:
        same_tax = by_tax.get(ours.tax) if ours.tax else None
        if same_tax is not None and same_tax.id not in met:
            met.add(same_tax.id)
            score = _alike(ours.name, same_tax.name)
            pairs.append(Pair("near_miss", ours, same_tax, score, "same_tax_number_other_number"))
            continue
        best = process.extractOne(_in_order(ours.name), names, scorer=fuzz.ratio, score_cutoff=NEAR)
        if best is not None and best[2] not in met:
            met.add(best[2])
            score = round(best[1], 1)
            pairs.append(Pair("near_miss", ours, entries[best[2]], score, "same_name_other_number"))
        else:
            pairs.append(Pair("only_severa", ours, None, 0.0))
    pairs += [Pair("only_fortnox", None, one, 0.0) for one in fortnox if one.id not in met]
    return pairs


def _shared(entries: Iterable[Entry]) -> set[str]:
    seen: dict[str, int] = defaultdict(int)
    for one in entries:
        if one.number:
            seen[one.number] += 1
    return {number for number, count in seen.items() if count > 1}


def _alike(one: str, other: str) -> float:
    return round(fuzz.ratio(_in_order(one), _in_order(other)), 1)


def _in_order(name: str) -> str:
    """The words sorted once for all comparisons: `fuzz.token_sort_ratio` sorts them at each."""
    return " ".join(sorted(_plain(name).split()))


def _plain(name: str) -> str:
    return " ".join(clean(name).split()).casefold()
