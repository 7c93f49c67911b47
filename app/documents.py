"""The settings of one connection, as the document people read, write, export and import."""

import base64
import binascii
import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
)

from app.languages import DEFAULT, Language

MASK = "********"
SECRET_FIELDS = (
    ("severa", "client_secret"),
    ("fortnox", "client_secret"),
    ("webhooks", "severa", "secrets"),
    ("webhooks", "severa", "bearer_tokens"),
    ("webhooks", "fortnox", "secrets"),
    ("webhooks", "fortnox", "bearer_tokens"),
)


def _signing_secret(secret: SecretStr) -> SecretStr:
    key = secret.get_secret_value()
    try:
        raw = base64.b64decode(key.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raw = b""
    if key != MASK and (not key.startswith("whsec_") or not raw):
        raise ValueError("expected whsec_ followed by base64")
    return secret


def _account_ranges(text: str) -> str:
    if not re.fullmatch(r"\s*\d{4}(-\d{4})?(\s*,\s*\d{4}(-\d{4})?)*\s*", text):
        raise ValueError("expected account ranges like 4000-7999 or 4000-4999,6000-7999")
    return text


def _unset(value: Any) -> Any:
    return None if value == "" else value


Guid = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9A-Za-z][0-9A-Za-z-]{0,63}$")]
OptionalGuid = Annotated[Guid | None, BeforeValidator(_unset)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
SigningSecret = Annotated[SecretStr, AfterValidator(_signing_secret)]
Token = Annotated[SecretStr, Field(min_length=1)]
VatType = Literal["SEVAT", "SEREVERSEDVAT", "EUREVERSEDVAT", "EUVAT", "EXPORT"]
CostCenter = Annotated[str, StringConstraints(min_length=1, max_length=6)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class SeveraAccess(Part):
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")


class FortnoxAccess(Part):
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    tenant_id: str = ""

    @field_validator("tenant_id", mode="before")
    @classmethod
    def number_or_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) else value


class Door(Part):
    """A source that may knock; without secrets and tokens it is closed."""

    secrets: tuple[SigningSecret, ...] = ()
    bearer_tokens: tuple[Token, ...] = ()


class Webhooks(Part):
    severa: Door = Door()
    fortnox: Door = Door()


class InvoiceStatuses(Part):
    transfer: OptionalGuid = None
    received: OptionalGuid = None
    paid: OptionalGuid = None
    error: OptionalGuid = None


class CostCenters(Part):
    """Severa's number → Fortnox's code; null or absent: the row goes without one."""

    source: Literal["row", "business_unit"] = Field("row", alias="from")
    map: dict[str, CostCenter | None] = {}


class Document(Part):
    name: Slug
    label: str = ""
    language: Language = DEFAULT
    severa: SeveraAccess = SeveraAccess()
    fortnox: FortnoxAccess = FortnoxAccess()
    webhooks: Webhooks = Webhooks()
    invoice_statuses: InvoiceStatuses = InvoiceStatuses()
    transfer_attachments: bool = False
    transfer_all_customers: bool = False
    customer_master: Literal["severa", "fortnox"] = "severa"
    product_master: Literal["severa", "fortnox"] = "severa"
    default_product: OptionalGuid = None
    error_emails: tuple[str, ...] = ()
    invoice_numbering: Literal["fortnox", "severa"] = "fortnox"
    bookkeep_invoices: bool = False
    cost_centers: CostCenters = CostCenters()
    vat_types: dict[str, VatType] = {}
    fee_accounts: Annotated[str, AfterValidator(_account_ranges)] = "4000-7999"

    @field_validator("error_emails")
    @classmethod
    def looks_like_addresses(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        for address in addresses:
            if len(address) > 254 or not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
                raise ValueError(f"not an e-mail address: {address[:80]}")
        return addresses

    def missing(self) -> list[str]:
        """The settings without which nothing can be carried over, by their dotted names."""
        required = {
            "severa.client_id": self.severa.client_id,
            "severa.client_secret": self.severa.client_secret.get_secret_value(),
            "fortnox.client_id": self.fortnox.client_id,
            "fortnox.client_secret": self.fortnox.client_secret.get_secret_value(),
            "fortnox.tenant_id": self.fortnox.tenant_id,
            "invoice_statuses.transfer": self.invoice_statuses.transfer,
            "invoice_statuses.received": self.invoice_statuses.received,
        }
        return [name for name, value in required.items() if not value]

    def split(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The document without secrets, and the secrets by their dotted names."""
        plain = self.model_dump(mode="json", by_alias=True)
        secrets = {}
        for path in SECRET_FIELDS:
            holder = _holder(plain, path)
            value: Any = self
            for step in path:
                value = getattr(value, step)
            secrets[".".join(path)] = _reveal(value)
            holder[path[-1]] = [] if isinstance(value, tuple) else ""
        return plain, secrets

    @classmethod
    def join(cls, plain: dict[str, Any], secrets: dict[str, Any]) -> Self:
        for path in SECRET_FIELDS:
            _holder(plain, path)[path[-1]] = secrets.get(
                ".".join(path), [] if len(path) > 2 else ""
            )
        return cls.model_validate(plain)

    def masked(self) -> dict[str, Any]:
        """What may be shown: every secret that is set reads `********`."""
        plain, secrets = self.split()
        for path in SECRET_FIELDS:
            value = secrets[".".join(path)]
            shown = [MASK] * len(value) if isinstance(value, list) else MASK if value else ""
            _holder(plain, path)[path[-1]] = shown
        return plain


def unmask(given: dict[str, Any], stored: Document | None) -> dict[str, Any]:
    """`********` in what was given means: keep what is stored in that place.

    In a list that has got shorter it is not said which one stays: there the mask is left.
    """
    secrets = stored.split()[1] if stored else {}
    for path in SECRET_FIELDS:
        holder: Any = given
        for step in path[:-1]:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and path[-1] in holder:
            holder[path[-1]] = _kept(holder[path[-1]], secrets.get(".".join(path)))
    return given


def _kept(value: Any, stored: Any) -> Any:
    if value == MASK:
        return stored or ""
    if isinstance(value, list) and isinstance(stored, list) and len(value) >= len(stored):
        return [
            stored[place] if one == MASK and place < len(stored) else one
            for place, one in enumerate(value)
        ]
    return value


def _holder(plain: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for step in path[:-1]:
        plain = plain.setdefault(step, {})
    return plain


def _reveal(value: Any) -> Any:
    if isinstance(value, tuple):
        return [one.get_secret_value() for one in value]
    return value.get_secret_value()
