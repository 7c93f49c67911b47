"""Who asks, whichever door they came in by, and how much they may do."""

from dataclasses import dataclass
from typing import Literal

Scope = Literal["view", "operate", "configure"]  # each may do what the ones before it may
SCOPES: tuple[Scope, ...] = ("view", "operate", "configure")


@dataclass(frozen=True)
class Identity:
    """`kind`: an admin key, a person logged in with one, or the holder of a consent link.

    `id`: of the key; `origin`: the address they ask from, as the nearest trusted proxy says it.
    """

    kind: Literal["key", "session", "link", "command"]
    id: str
    name: str
    scope: Scope
    origin: str = ""

    def may(self, needed: Scope) -> bool:
        return SCOPES.index(self.scope) >= SCOPES.index(needed)
