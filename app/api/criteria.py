"""Which transfers are meant: the same words in a query and in the body of a retry."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from app.transfers import Cursor, Filter
from app.worklist import State, Transfer


def words(value: Any) -> Any:
    """`a,b`, `["a", "b"]` and `["a,b"]` say the same."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list):
        return given
    split = [one.split(",") if isinstance(one, str) else [one] for one in given]
    words = [word.strip() if isinstance(word, str) else word for some in split for word in some]
    return [word for word in words if word != ""]


def _unset(value: Any) -> Any:
    return None if value == "" else value


def _in_utc(instant: datetime | None) -> datetime | None:
    return instant.replace(tzinfo=UTC) if instant and instant.tzinfo is None else instant


States = Annotated[list[State], BeforeValidator(words)]
Kinds = Annotated[list[Transfer], BeforeValidator(words)]
TransferId = Annotated[str, Field(pattern=r"^[0-9a-z_]{1,40}$")]
Ids = Annotated[list[TransferId], BeforeValidator(words), Field(max_length=10_000)]
Instant = Annotated[datetime | None, BeforeValidator(_unset), AfterValidator(_in_utc)]


class Criteria(BaseModel):
    """`since` ≤ received_at < `until`; an instant without a zone is in UTC."""

    state: States = []
    kind: Kinds = []
    q: str = Field("", max_length=200)
    since: Instant = None
    until: Instant = None

    def filter(self) -> Filter:
        return Filter(
            states=self.state, kinds=self.kind, q=self.q, since=self.since, until=self.until
        )


class Listing(Criteria):
    cursor: str = Field("", max_length=200)
    limit: int = Field(50, ge=1, le=200)

    def after(self) -> Cursor | None:
        return Cursor.read(self.cursor) if self.cursor else None


class Manner(BaseModel):
    """`dry_run`: only answer the writes that would happen. Misspelt, it must not run anything."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = False


class Selection(Criteria):
    """A misspelt criterion would select more than was meant: it is refused."""

    model_config = ConfigDict(extra="forbid")

    ids: Ids = []

    def filter(self) -> Filter:
        return Filter(
            states=self.state,
            kinds=self.kind,
            ids=self.ids,
            q=self.q,
            since=self.since,
            until=self.until,
        )
