"""What a Fortnox event says, in the form its WebSocket sends it.

Source: Fortnox's developer guide to WebSockets. Whether ids are text or numbers there is not
documented: both are taken.
"""

import re
from dataclasses import dataclass
from typing import Any

from app import said
from app.errors import Invalid

VERSION = re.compile(r"-v\d+$")
LONGEST_PART = 80  # three of them are one key of the work list


@dataclass(frozen=True)
class FortnoxEvent:
    """`type` without its version: `invoice-bookkeep`."""

    topic: str
    type: str
    offset: str
    entity_id: str
    year: str
    series: str
    number: str
    invoice_id: str

    @property
    def identity(self) -> str:
        """Empty when the event has no offset."""
        return f"{self.topic}:{self.offset}" if self.offset else ""


def read(body: dict[str, Any]) -> FortnoxEvent:
    """Raises Invalid, naming the field."""
    event = FortnoxEvent(
        topic=said.text(body, "topic"),
        type=VERSION.sub("", said.text(body, "type")),
        offset=said.optional_text(body, "offset", longest=200),
        entity_id=said.optional_text(body, "entityId"),
        year=said.optional_text(body, "year", longest=LONGEST_PART),
        series=said.optional_text(body, "series", longest=LONGEST_PART),
        number=said.optional_text(body, "id", longest=LONGEST_PART),
        invoice_id=said.optional_text(body, "invoiceId"),
    )
    said.optional_text(body, "tenantId")
    said.optional_text(body, "timestamp")
    if event.topic == "vouchers":
        _require(body, "year", "series", "id")
    elif not event.entity_id:
        raise Invalid("entityId", "is missing")
    return event


def _require(body: dict[str, Any], *fields: str) -> None:
    for field in fields:
        said.text(body, field)
