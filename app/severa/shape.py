"""How Severa writes names, days and moments, and what many of its records hold."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel


class Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


def _date_only(value: Any) -> Any:
    return value[:10] if isinstance(value, str) else value


def _zoned(value: datetime) -> datetime:
    """Severa does not say which zone a time without one is in; it is taken as UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)


Day = Annotated[date, BeforeValidator(_date_only)]
Moment = Annotated[datetime, AfterValidator(_zoned)]


class Ref(Shape):
    guid: str
    name: str | None = None


class Numbered(Shape):
    """`number` is an int64 in Severa; it is a name to us, never a quantity."""

    guid: str
    name: str | None = None
    number: int | None = None


class Money(Shape):
    amount: Decimal | None = None
    currency_code: str | None = None


class Currency(Shape):
    code: str


class Accounting(Shape):
    number: str | None = None
    name: str | None = None


class Language(Shape):
    code: str | None = None
