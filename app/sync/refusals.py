"""What a vendor's refusal means for the record: the code decides, its words are kept.

Source: Fortnox's error list; Severa's ExceptionTypeEnum. A code that is not here is shown as it is:
of an order, of a supplier invoice that we would write, of a person's login. We ask for none.
"""

from datetime import timedelta

from app.errors import (
    CONSENT_LOST,
    Blocked,
    Busy,
    ConnectionBlocked,
    Ending,
    NotSent,
    Reason,
    TryLater,
    Unauthorized,
    Unclear,
    VendorError,
    because,
)
from app.outages import waiting_key

FORTNOX = {
    "1000030": "our_request_refused",
    "1000031": "our_request_refused",
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
    "2000430": "fortnox_default_missing",
    "2000431": "fortnox_default_missing",
    "2000432": "fortnox_unit_missing",
    "2000433": "fortnox_customer_missing",
    "2000434": "fortnox_invoice_missing",
    "2000435": "fortnox_default_missing",
    "2000550": "fortnox_account_inactive",
    "2000587": "our_request_refused",
    "2000588": "our_request_refused",
    "2000600": "fortnox_tax_reduction_refused",
    "2000637": "fortnox_customer_number_taken",
    "2001161": "fortnox_project_missing",
    "2001265": "fortnox_account_inactive",
    "2001302": "fortnox_article_missing",
    "2001304": "fortnox_account_missing",
    "2001392": "our_request_refused",
    "2001399": "our_request_refused",
    "2001403": "fortnox_predefined_account_missing",
    "2001740": "our_request_refused",
    "2001795": "fortnox_detail_missing",
    "2002115": "our_request_refused",
    "2002462": "fortnox_account_number_refused",
    "2002980": "fortnox_tax_reduction_refused",
    "2003095": "fortnox_predefined_account_missing",
    "2003124": "fortnox_warehouse_refused",
    "2003125": "fortnox_warehouse_refused",
    "2003126": "fortnox_warehouse_refused",
    "2003127": "fortnox_warehouse_refused",
    "2003157": "fortnox_tax_reduction_refused",
    "2003241": "fortnox_warehouse_refused",
    "2003277": "fortnox_warehouse_refused",
    "2003399": "fortnox_warehouse_refused",
    "2003977": "fortnox_row_incomplete",
    "2004021": "fortnox_tax_reduction_refused",
    "2004052": "fortnox_vat_refused",
    "2004167": "fortnox_vat_refused",
    "2004194": "fortnox_vat_number_refused",
    "2004209": "fortnox_tax_reduction_refused",
    "2004217": "fortnox_tax_reduction_refused",
    "2004218": "fortnox_tax_reduction_refused",
    "2004262": "fortnox_tax_reduction_refused",
    "2004263": "fortnox_tax_reduction_refused",
}
# Refusals whose code nobody has written down are known by their text alone.
FORTNOX_WORDS = {
    "kostnadsställe": "fortnox_cost_center_missing",
    "räkenskapsår": "fortnox_financial_year_missing",
    "bokföringsår": "fortnox_financial_year_missing",
    "hitta moms": "fortnox_vat_refused",
    "hämta moms": "fortnox_vat_refused",
    "inköpskonto": "fortnox_account_missing",
    "försäljningskonto": "fortnox_account_missing",
    "leveranssätt": "fortnox_default_missing",
    "projektredovisning": "fortnox_project_accounting_off",
}
SEVERA = {
    "ConfigurationError": "severa_configuration_refused",
    "InvalidOperation": "severa_operation_refused",
    "InvalidParameter": "severa_value_refused",
    "InvalidRequest": "our_request_refused",
}
SYSTEM_ERRORS = {"1000003", "InternalSystemError"}
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
    "2000719": "fortnox_login_refused",
    "2000729": "fortnox_login_refused",
    "2001101": "fortnox_licence_missing",
    "2001103": "fortnox_licence_missing",
    "2001393": "fortnox_right_missing",
    "2002455": "fortnox_right_missing",
    "2003275": "fortnox_right_missing",
    "2004054": "fortnox_login_refused",
}
SEVERA_CONNECTION = {
    "AddonMissing": "severa_addon_missing",
    "AddonMissingTermsOfServiceApproval": "severa_terms_not_approved",
    "AuthenticationRequired": "token_refused",
    "ExcludedFromTrial": "severa_trial_refused",
    "FeatureIsNotEnabled": "severa_addon_missing",
    "HttpsRequired": "severa_address_refused",
    "InsufficientApiScope": "severa_scope_missing",
    "InvalidApiVersion": "severa_address_refused",
    "NotAvailableInTrial": "severa_trial_refused",
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
        return TryLater(_silence(error), waits_for=waiting_key(error.system))
    if isinstance(error, Unauthorized) and error.code == CONSENT_LOST:
        return ConnectionBlocked(because("consent_lost", **facts))
    connection = FORTNOX_CONNECTION if error.system == "fortnox" else SEVERA_CONNECTION
    if error.code in connection:
        return ConnectionBlocked(because(connection[error.code], **facts, at=error.at or None))
    if isinstance(error, Unauthorized):
        return ConnectionBlocked(because("token_refused", **facts))
    if error.code in SYSTEM_ERRORS:
        return TryLater(_silence(error))
    known = (FORTNOX if error.system == "fortnox" else SEVERA).get(error.code)
    reason = because(known or _by_words(error) or "vendor_refused", **facts, status=error.status)
    return Blocked(reason, waits_for=WAITS_FOR.get(reason.code))


def _silence(error: VendorError) -> Reason:
    """A failure that the vendor gives a code is told in its words; the network's are nobody's."""
    facts = {"system": error.system, "code": error.code, "words": error.words}
    if error.code:
        return because("vendor_system_error", **facts, status=error.status)
    return because("vendor_silent", **facts, status=error.status)


def _by_words(error: VendorError) -> str | None:
    if error.system != "fortnox":
        return None
    words = error.words.lower()
    return next((reason for part, reason in FORTNOX_WORDS.items() if part in words), None)
