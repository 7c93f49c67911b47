"""Every switch: what Severa's documentation leaves open, and what tests want to vary."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Notify = Callable[[str, str], None]


@dataclass
class SeveraOptions:
    """Read anew at every call, so that a test may change a switch while clients are connected.

    `rate` is (calls, seconds) per client id, None for no limit; all other times are in seconds.
    """

    token_lifetime: float = 3600
    refresh_lifetime: float = 86400
    require_client_id: bool = False
    missing_scope_status: int = 403
    rate: tuple[int, float] | None = (10, 1.0)
    retry_after: bool = True
    latency: float = 0.0
    max_row_count: int = 1000

    show_delay: float = 0.0  # a change is announced at once and seen by GET this much later
    notify: Notify | None = None  # (event type, guid) after each change a user makes
    notify_api_writes: bool = False  # the same for what clients write over HTTP

    read_only_status_locks: bool = True  # status and paymentDate pass, the rest is refused
    status_patch_when_read_only: bool = True
    payment_date_patch: bool = True  # paymentDate is among the fields that may be patched
    patch_paths: Literal["any", "guid", "object"] = "any"  # /status/guid, or /status as an object
    number_on_numbering_status: bool = True
    number_credit_notes: bool = True
    credit_note_sign: Literal["quantity", "price"] = "quantity"  # which of the two is negative
    # Under which of the two names a credit note has its invoice; the invoice has the other one.
    credited_under: Literal["reimburseInvoice", "creditNoteInvoice"] = "reimburseInvoice"
    currency_rate: Literal["to_organization", "from_organization"] = "to_organization"
    vat_rounding: Literal["row", "rate"] = "row"
    row_patch_bumps_invoice: bool = True
    address_bumps_customer: bool = False

    unique_customer_numbers: bool = True
    unique_codes: bool = False
    sales_cases_among_projects: bool = False
    fee_gets_first_phase: bool = False
    fee_on_closed_project: bool = False
    fee_currency: Literal["any", "refuse", "project"] = "any"  # where it is not the project's
    flat_rate_as_array: bool = True  # the official document says that GET /flatrates/{guid} is one
