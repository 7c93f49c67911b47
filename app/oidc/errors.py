"""How a log-in at the organisation can end badly."""

from typing import Literal

from app.errors import BridgeError

Why = Literal["silent", "late", "wrong", "refused", "nobody"]


class CannotSignOn(BridgeError):
    """`why`: silent (no answer), late (or begun in another browser), wrong (an answer that must not
    be believed), refused (the provider says no), nobody (somebody without a role here). The text is
    for the log: no secret, no claim.
    """

    def __init__(self, why: Why, detail: str) -> None:
        super().__init__(detail)
        self.why = why
