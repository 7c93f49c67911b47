"""How Fortnox writes names, numbers, days and flags. Source: its OpenAPI document.

What is text on one call and a number on another is taken as either (a list's CurrencyRate is "1",
a record's is 1); what the licence hides reads API_NORIGHT and is None here.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

UPPER = {"vat": "VAT", "ocr": "OCR", "www": "WWW", "gln": "GLN"}
NO_RIGHT = "API_NORIGHT"


def to_fortnox(name: str) -> str:
    """`vat_included` → `VATIncluded`, `your_order_number` → `YourOrderNumber`."""
    return "".join(UPPER.get(part, part.capitalize()) for part in name.split("_"))


class Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_fortnox, populate_by_name=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def hide_what_we_may_not_see(cls, data: Any) -> Any:
        if isinstance(data, dict):
            return {key: None if value == NO_RIGHT else value for key, value in data.items()}
        return data


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def _unset(value: Any) -> Any:
    return None if value in ("", "null") else value


def _reference(value: Any) -> Any:
    return None if value in (None, "", "0", 0) else str(value)


def _flag(value: Any) -> Any:
    return value.lower() == "true" if isinstance(value, str) else bool(value)


Text = Annotated[str, BeforeValidator(_as_text)]
OptionalText = Annotated[str | None, BeforeValidator(lambda value: _unset(_as_text(value)))]
Number = Annotated[Decimal | None, BeforeValidator(_unset)]
Day = Annotated[date | None, BeforeValidator(_unset)]
Reference = Annotated[str | None, BeforeValidator(_reference)]
Flag = Annotated[bool, BeforeValidator(_flag)]
