"""The tree of bad endings; every name says the next move.

BridgeError
├── Ending                     a bench stops here; the work list keeps the reason
│   ├── NothingToDo            understood, and there is nothing to carry over        → skipped
│   ├── TryLater               busy or not yet; looked at again by itself            → waiting
│   ├── Blocked                needs a person; resumes when the thing is mended      → blocked
│   └── ConnectionBlocked      every record of the connection needs the same person  → blocked
├── VendorError                what a vendor's answer (or silence) means
│   ├── NotSent                nothing reached the vendor: safe to send again
│   ├── Busy                   429: not done, come back after `after` seconds
│   ├── Unauthorized           401: not done, the token is not accepted
│   ├── Missing                404: there is no such record
│   ├── Refused                any other definite no, with the vendor's code and words
│   └── Unclear                timeout, 5xx, broken answer: perhaps done
├── CannotStore                the database did not take it: nothing is promised
└── Invalid                    what we were given is not acceptable; names the field
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

System = Literal["severa", "fortnox"]
CONSENT_LOST = "consent_lost"  # our own code of an Unauthorized that only a new consent ends


@dataclass(frozen=True)
class Reason:
    """A code of the catalogue in `reasons.py`, and what its sentences need to be filled in."""

    code: str
    facts: dict[str, str] = field(default_factory=dict)


def because(code: str, /, **facts: object) -> Reason:
    """Facts that are None are left out."""
    return Reason(code, {name: str(fact) for name, fact in facts.items() if fact is not None})


class BridgeError(Exception):
    pass


class Ending(BridgeError):
    """`waits_for`: the key of the thing whose appearance makes this worth another look."""

    def __init__(self, reason: Reason, *, waits_for: str | None = None) -> None:
        super().__init__(reason.code)
        self.reason = reason
        self.waits_for = waits_for


class NothingToDo(Ending):
    pass


class TryLater(Ending):
    """`after` None: the retry schedule decides."""

    def __init__(
        self, reason: Reason, *, after: timedelta | None = None, waits_for: str | None = None
    ) -> None:
        super().__init__(reason, waits_for=waits_for)
        self.after = after


class Blocked(Ending):
    pass


class ConnectionBlocked(Blocked):
    pass


class VendorError(BridgeError):
    """`code`: the vendor's own error code or type; `words`: its message, at most 500 characters;
    `at`: the call, as `GET /3/invoices`.
    """

    def __init__(
        self,
        system: System,
        words: str = "",
        *,
        status: int = 0,
        code: str = "",
        after: float | None = None,
    ) -> None:
        super().__init__(f"{system} {status or ''} {code} {words}"[:600])
        self.system, self.words, self.status, self.code = system, words[:500], status, code
        self.after, self.at = after, ""


class NotSent(VendorError):
    pass


class Busy(VendorError):
    pass


class Unauthorized(VendorError):
    pass


class Missing(VendorError):
    pass


class Refused(VendorError):
    pass


class Unclear(VendorError):
    pass


class CannotStore(BridgeError):
    """`is_about_content`: this very content is refused; anything else could be stored now."""

    def __init__(self, what: str, *, is_about_content: bool = False) -> None:
        super().__init__(what)
        self.is_about_content = is_about_content


class Invalid(BridgeError):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field, self.message = field, message
