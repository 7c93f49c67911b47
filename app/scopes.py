"""What credentials turn out to lack."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scopes:
    """Of what is needed, and of what is welcome."""

    missing: tuple[str, ...] = ()
    missing_welcome: tuple[str, ...] = ()
