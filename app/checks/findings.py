"""What a preflight finds: ok, a warning or an error, why, and about whom."""

from dataclasses import dataclass, field
from typing import Literal

from app.checks.matching import Pair
from app.errors import Reason

Status = Literal["ok", "warning", "error"]
MOST_NAMED = 20


@dataclass(frozen=True)
class Finding:
    """`code`: of the check; `reason`: what is the matter; `about`: the records it is about."""

    code: str
    status: Status
    reason: Reason | None = None
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    findings: tuple[Finding, ...]
    customers: tuple[Pair, ...] = field(default=())
    articles: tuple[Pair, ...] = field(default=())

    @property
    def is_clear(self) -> bool:
        return all(one.status != "error" for one in self.findings)


def told(code: str, status: Status, reason: Reason, about: list[str]) -> Finding:
    """Ok when there is nobody to name."""
    return Finding(code, status, reason, tuple(about)) if about else Finding(code, "ok")


def names(about: list[str]) -> str:
    """The first of them; the reason's text has room for no more."""
    return ", ".join(about[:MOST_NAMED])


def both(pair: Pair) -> str:
    sides = [f"{one.number} {one.name}".strip() for one in (pair.severa, pair.fortnox) if one]
    return " / ".join(sides)
