"""What a Severa event says: which kind of record, and which one.

Severa calls no webhooks of its own; this shape is ours, for relays, curl and whatever may come.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app import said
from app.errors import Invalid

TYPE = re.compile(r"[a-z][a-z_]{0,40}\.[a-z][a-z_]{0,40}")
GUID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")


@dataclass(frozen=True)
class SeveraEvent:
    type: str
    guid: str

    @property
    def entity(self) -> str:
        return self.type.partition(".")[0]

    @property
    def verb(self) -> str:
        return self.type.partition(".")[2]


def read(body: dict[str, Any]) -> SeveraEvent:
    """Raises Invalid, naming the field."""
    kind = said.text(body, "type")
    if not TYPE.fullmatch(kind):
        raise Invalid("type", "is not <entity>.<verb>")
    _check_timestamp(said.optional_text(body, "timestamp"))
    guid = said.text(said.part(body, "data"), "data.guid", longest=64)
    if not GUID.fullmatch(guid):
        raise Invalid("data.guid", "is not a GUID")
    return SeveraEvent(kind, same_guid(guid))


def same_guid(guid: str) -> str:
    """One spelling for one record: lower case, with hyphens."""
    plain = guid.lower()
    if re.fullmatch(r"[0-9a-f]{32}", plain):
        return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))
    return plain


def _check_timestamp(stamp: str) -> None:
    if not stamp:
        return
    try:
        datetime.fromisoformat(stamp)
    except ValueError as error:
        raise Invalid("timestamp", "is not an ISO 8601 time") from error
