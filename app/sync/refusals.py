"""What a vendor's refusal means for the record: the code decides, its words are kept.

Source: Fortnox's error list; Severa's ExceptionTypeEnum. A code that is not here is shown as it is.
"""

from datetime import timedelta

from app.errors import (
    CONSENT_LOST,
    Blocked,
    Busy,
    ConnectionBlocked,
    Ending,
    NotSent,
    TryLater,
    Unauthorized,
    Unclear,
    VendorError,
    because,
)
from app.outages import waiting_key

FORTNOX = {
    "2000013": "fortnox_article_taken",
    "2000106": "fortnox_value_refused",
    "2000107": "fortnox_value_too_long",
    "2000108": "fortnox_value_refused",
    "2000134": "fortnox_value_refused",
    "2000204": "fortnox_customer_missing",
    "2000359": "fortnox_characters_refused",
    "2000401": "fortnox_period_locked",
    "2000423": "fortnox_account_missing",
    "2000427": "fortnox_currency_missing",
    "2000428": "fortnox_article_missing",
    "2000429": "fortnox_terms_missing",
    "2000432": "fortnox_unit_missing",
    "2000433": "fortnox_customer_missing",
    "2000550": "fortnox_account_inactive",
    "2000637": "fortnox_customer_number_taken",
    "2001161": "fortnox_project_missing",
    "2001265": "fortnox_account_inactive",
    "2001302": "fortnox_article_missing",
    "2001304": "fortnox_account_missing",
    "2003977": "fortnox_row_incomplete",
    "2004052": "fortnox_vat_refused",
    "2004167": "fortnox_vat_refused",
    "2004194": "fortnox_vat_number_refused",
}
# Refusals whose code nobody has written down are known by their text alone.
FORTNOX_WORDS = {
    "kostnadsställe": "fortnox_cost_center_missing",
    "räkenskapsår": "fortnox_financial_year_missing",
    "bokföringsår": "fortnox_financial_year_missing",
}
WAITS_FOR = {
    "fortnox_account_inactive": "fortnox:accounts",
    "fortnox_account_missing": "fortnox:accounts",
    "fortnox_article_missing": "fortnox:articles",
    "fortnox_cost_center_missing": "fortnox:cost_centers",
    "fortnox_currency_missing": "fortnox:currencies",
    "fortnox_customer_missing": "fortnox:customers",
    "fortnox_financial_year_missing": "fortnox:financial_years",
    "fortnox_period_locked": "fortnox:locked_period",
    "fortnox_project_missing": "fortnox:projects",
    "fortnox_terms_missing": "fortnox:terms",
    "fortnox_unit_missing": "fortnox:units",
}
FORTNOX_CONNECTION = {
    "2000310": "fortnox_login_refused",
    "2000311": "fortnox_login_refused",
    "2000663": "fortnox_scope_missing",
    "2001101": "fortnox_licence_missing",
    "2001103": "fortnox_licence_missing",
    "2001393": "fortnox_right_missing",
    "2002455": "fortnox_right_missing",
    "2003275": "fortnox_right_missing",
    "2004054": "fortnox_login_refused",
}
SEVERA_CONNECTION = {
    "AddonMissing": "severa_addon_missing",
    "AuthenticationRequired": "token_refused",
    "FeatureIsNotEnabled": "severa_addon_missing",
    "InsufficientApiScope": "severa_scope_missing",
    "OrganizationNotActive": "severa_organization_inactive",
    "PermissionDenied": "severa_permission_denied",
    "TermsOfServiceNotApproved": "severa_terms_not_approved",
    "TrialExpired": "severa_organization_inactive",
    "UserLicenseType": "severa_permission_denied",
}


def ending_of(error: VendorError) -> Ending:
    """What is to be done about a call that did not go through."""
    facts = {"system": error.system, "code": error.code, "words": error.words}
    if isinstance(error, Busy):
        return TryLater(because("vendor_busy", **facts), after=timedelta(seconds=error.after or 5))
    if isinstance(error, NotSent | Unclear):
        return TryLater(
            because("vendor_silent", **facts, status=error.status),
            waits_for=waiting_key(error.system),
        )
    if isinstance(error, Unauthorized) and error.code == CONSENT_LOST:
        return ConnectionBlocked(because("consent_lost", **facts))
    if isinstance(error, Unauthorized):
        return ConnectionBlocked(because("token_refused", **facts))
    connection = FORTNOX_CONNECTION if error.system == "fortnox" else SEVERA_CONNECTION
    if error.code in connection:
        return ConnectionBlocked(because(connection[error.code], **facts))
    known = FORTNOX.get(error.code) if error.system == "fortnox" else None
    reason = because(known or _by_words(error) or "vendor_refused", **facts, status=error.status)
    return Blocked(reason, waits_for=WAITS_FOR.get(reason.code))


def _by_words(error: VendorError) -> str | None:
    if error.system != "fortnox":
        return None
    words = error.words.lower()
    return next((reason for part, reason in FORTNOX_WORDS.items() if part in words), None)
