"""Every question that Fortnox's documents leave open, as a switch set to the likelier answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Notify = Callable[[dict[str, Any]], None]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class FortnoxOptions:
    """May be changed while the server runs; times are seconds."""

    # The way there
    rate: tuple[int, float] | None = (25, 5.0)  # calls per seconds, per (client, tenant)
    retry_after: bool = False  # send Retry-After with a 429
    rate_body: str = ""  # body of a 429, as text
    latency: float = 0.0  # waited before every API call
    base_url: str = "https://api.fortnox.se"  # what "@url" begins with
    clock: Callable[[], datetime] = utc_now

    # Tokens
    access_token_seconds: float = 3600
    refresh_token_seconds: float = 45 * 24 * 3600
    code_seconds: float = 600
    jwt_tokens: bool = True  # False: opaque strings
    consent: Literal["approve", "deny"] = "approve"  # what the person at the consent page does
    consenting_tenant: str = ""  # whose person that is; empty: the first tenant's
    client_credentials: bool = True  # False: an older app, which has refresh tokens only
    no_consent_error: str = "invalid_grant"
    no_consent_status: int = 400
    token_scope: bool = True  # in the answer to client credentials
    permission_status: int = 400  # of 2000663 and 2001101: 400 or 403

    # Reading
    search: Literal["substring", "prefix", "exact"] = "substring"
    search_delay: float = 0.0  # before a new invoice shows in lists: a stale index
    show_delay: float = 0.0  # before a change shows in reads; its event comes at once
    limit_over_500: Literal["clamp", "refuse"] = "clamp"
    unknown_parameter: Literal["ignore", "refuse"] = "ignore"
    unpaid_needs_booked: bool = True  # filters unpaid and fullypaid cover booked invoices only
    payments_touch_invoices: bool = True  # lastmodified moves with payments
    booking_touches_invoices: bool = True
    empty_locked_period: Literal["null", "absent"] = "null"

    # Writing
    read_only_fields: Literal["ignore", "refuse"] = "ignore"
    null_clears: bool = False
    check_characters: bool = True
    duplicate_document_number: Literal["refuse", "renumber"] = "refuse"
    # off: a document loses its project; or it is refused. The register takes projects all the same.
    project_accounting: Literal["on", "off", "off_refuses"] = "on"
    missing_customer_code: int = 2000433  # or 2000204
    connected_files_leave_inbox: bool = False  # an attached file is in no folder any more
    locked_period_refuses_new: bool = True  # not only booking
    positional_rows_keep_old_values: bool = True
    delete_customer_with_invoices: bool = False
    delete_booked_payment: bool = False
    text_row_account: int | None = 0

    # Amounts
    roundoff: bool = True  # whole kronor for SEK
    vat_rounding: Literal["rate", "row"] = "rate"
    vat_half: Literal["up", "even"] = "up"  # half an öre of VAT
    trim_quantities: bool = False  # "12.50" comes back as "12.5"
    net_includes_fees: bool = False
    foreign_vat: Literal["zero", "keep", "refuse"] = "zero"  # VAT on rows to EU and export

    # Credit notes
    credit_marks_note: bool = True  # Credit: "true"
    credit_refers_back: bool = True  # the note's CreditInvoiceReference
    credit_quantities: Literal["negative", "positive"] = "negative"
    credit_total: Literal["negative", "positive"] = "negative"
    credit_sets_off: bool = True  # booking the note lowers both balances
    credit_copies_references: bool = False  # ExternalInvoiceReference1 and 2
    credit_needs_booked: bool = True
    supplier_credit_answers: Literal["original", "note"] = "original"
    delete_paid_reverses: bool = True  # taking a payment back makes a reversing voucher

    # Events
    websocket_start: Literal["now", "earliest"] = "now"  # where no offset is given
    numbers_in_events: bool = False  # invoiceId, year and id as numbers, not as text
    websocket_offset: Literal["inclusive", "exclusive"] = "inclusive"
    event_copies: int = 1  # how often each event is sent over the socket
    event_days: float = 14.0  # how long events can be replayed
    websocket_token_expiry: bool = False  # the socket is closed when a token expires
    notify: Notify | None = None  # called with every event; must return soon and not call back
