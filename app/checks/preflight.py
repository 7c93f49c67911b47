"""Every prerequisite of the start guide, answered before activation: ok, a warning, or an error."""

from collections.abc import Callable, Iterator, Sequence

from app import clock, waiting
from app.checks.findings import Finding, Report, both, names, told
from app.checks.survey import Survey
from app.errors import System, VendorError, because
from app.sync import not_kept
from app.sync.refusals import ending_of

MENDED = {  # check: what is waited for until it is well
    "units": "fortnox:units",
    "currencies": "fortnox:currencies",
    "cost_centers": "fortnox:cost_centers",
    "financial_year": "fortnox:financial_years",
}
READ_FROM_SEVERA = (
    "customers",
    "products",
    "worktypes",
    "travelexpensetypes",
    "projects",
    "invoices",
    "projectfees",
)
READ_FROM_FORTNOX = (
    "customers",
    "articles",
    "invoices",
    "invoicepayments",
    "costcenters",
    "currencies",
    "supplierinvoices",
    "vouchers",
    "termsofpayments",
    "units",
)
FILES_IN_FORTNOX = ("inbox", "archive")


def run(survey: Survey) -> Report:
    """Nothing is written in either system; what waited for something that is well now goes on."""
    missing = survey.document.missing()
    if missing:
        reason = because("setting_missing", setting=", ".join(missing))
        return Report((Finding("settings", "error", reason, tuple(missing)),))
    findings = [Finding("settings", "ok"), *_access(survey)]
    if any(one.status == "error" for one in findings):
        return Report(tuple(findings))
    for check in CHECKS:
        findings += _guarded(check, survey)
    _wake(survey, findings)
    return Report(tuple(findings), tuple(survey.customer_pairs), tuple(survey.article_pairs))


def _wake(survey: Survey, findings: Sequence[Finding]) -> None:
    """What was mended meanwhile: whatever waited for it is due at once, before the next poll."""
    sides, well = survey.sides, {one.code for one in findings if one.status == "ok"}
    woken = 0
    with sides.db.transaction() as tx:
        for code, register in MENDED.items():
            if code in well:
                woken += waiting.wake(tx, sides.name, register, sides.clock())
        if woken:
            waiting.note_mended(tx, sides.name, sides.clock())


def _access(survey: Survey) -> Iterator[Finding]:
    for system, window in (("severa", survey.sides.severa), ("fortnox", survey.sides.fortnox)):
        try:
            window.is_alive()
        except VendorError as error:
            yield Finding(f"{system}_access", "error", ending_of(error).reason)
        else:
            yield Finding(f"{system}_access", "ok")


def _guarded(check: Callable[[Survey], Iterator[Finding]], survey: Survey) -> Sequence[Finding]:
    """A register that may not be read is a finding too."""
    try:
        return list(check(survey))
    except VendorError as error:
        return [Finding(check.__name__.strip("_"), "error", ending_of(error).reason)]


def _severa_registers(survey: Survey) -> Iterator[Finding]:
    """Scopes of the credential in Severa: every register that is used has to be open to us."""
    return _open(survey, "severa", READ_FROM_SEVERA)


def _fortnox_registers(survey: Survey) -> Iterator[Finding]:
    """Licences and scopes: every register that is used has to be open to us."""
    files = FILES_IN_FORTNOX if survey.document.transfer_attachments else ()
    return _open(survey, "fortnox", (*READ_FROM_FORTNOX, *files))


def _open(survey: Survey, system: System, paths: Sequence[str]) -> Iterator[Finding]:
    refused = {path: survey.refusal(path, system) for path in paths}
    closed = {path: error for path, error in refused.items() if error is not None}
    if not closed:
        yield Finding(f"{system}_registers", "ok")
    for path, error in closed.items():
        yield Finding(f"{system}_registers", "error", ending_of(error).reason, (path,))


def _project_accounting(survey: Survey) -> Iterator[Finding]:
    """Projects are carried over in any case; only fees need project accounting.

    No call tells whether it is on: what became of a project that was sent does, if one was.
    """
    code = "project_accounting"
    if survey.refusal("projects") is not None:
        yield Finding(code, "warning", because("project_accounting_off"))
        return
    told = survey.invoice_sent_with_project
    if told is None:
        yield Finding(code, "ok", because("project_accounting_untold"))
    elif not_kept.has_project(told):
        yield Finding(code, "ok")
    else:
        yield Finding(code, "warning", because("projects_lost", number=told.document_number))


def _statuses(survey: Survey) -> Iterator[Finding]:
    wanted = survey.document.invoice_statuses
    for name in ("transfer", "received", "paid", "error"):
        guid = getattr(wanted, name)
        code = f"status_{name}"
        if guid is None:
            if name == "paid":
                yield Finding(code, "warning", because("paid_status_not_set"))
            continue
        status = survey.statuses.get(guid)
        if status is None or not status.is_active:
            yield Finding(code, "error", because("status_not_usable", status=name))
        else:
            yield Finding(code, "ok", about=(status.name,))


def _default_product(survey: Survey) -> Iterator[Finding]:
    guid = survey.document.default_product
    if guid is None:
        yield Finding("default_product", "warning", because("default_product_not_set"))
        return
    product = next(
        (one for kind, one in survey.articles if kind == "product" and one.guid.lower() == guid),
        None,
    )
    if product is None or not _is_numeric(product.code):
        yield Finding("default_product", "error", because("default_product_not_usable"))
    else:
        yield Finding("default_product", "ok", about=(product.name,))


def _error_emails(survey: Survey) -> Iterator[Finding]:
    if survey.document.error_emails:
        yield Finding("error_emails", "ok")
    else:
        yield Finding("error_emails", "warning", because("error_emails_not_set"))


def _product_codes(survey: Survey) -> Iterator[Finding]:
    bad = [one.name for _, one in survey.articles if not _is_numeric(one.code)]
    yield told(
        "product_codes",
        "warning",
        because("products_without_numeric_code", count=len(bad), names=names(bad)),
        bad,
    )


def _units(survey: Survey) -> Iterator[Finding]:
    used = {(one.measurement_unit or "").strip() for _, one in survey.articles} - {""}
    missing = sorted(unit for unit in used if unit.casefold() not in survey.units)
    yield told(
        "units",
        "error",
        because("units_missing_in_fortnox", count=len(missing), names=names(missing)),
        missing,
    )


def _product_conflicts(survey: Survey) -> Iterator[Finding]:
    bad = [both(one) for one in survey.article_pairs if one.verdict == "conflict"]
    yield told(
        "product_conflicts",
        "error",
        because("products_conflict", count=len(bad), names=names(bad)),
        bad,
    )


def _products_near_miss(survey: Survey) -> Iterator[Finding]:
    """Would be made twice, under two codes, though they may be meant to be one."""
    near = [both(one) for one in survey.article_pairs if one.verdict == "near_miss"]
    yield told(
        "products_near_miss",
        "warning",
        because("products_near_miss", count=len(near), names=names(near)),
        near,
    )


def _customers(survey: Survey) -> Iterator[Finding]:
    known = survey.customers
    bad = [one.name for one in known if one.number is None]
    yield told(
        "customers_without_number",
        "warning",
        because("customers_without_number", count=len(bad), names=names(bad)),
        bad,
    )
    bad = [one.name for one in known if not (one.vat_number or "").strip()]
    yield told(
        "customers_without_vat_number",
        "warning",
        because("customers_without_vat_number", count=len(bad), names=names(bad)),
        bad,
    )
    bad = [f"{one.name} ({one.vat_number})" for one in survey.with_invalid_vat_number]
    yield told(
        "customers_with_invalid_vat_number",
        "warning",
        because("customers_with_invalid_vat_number", count=len(bad), names=names(bad)),
        bad,
    )
    bad = [one.name for one in known if one.guid.lower() not in survey.addresses]
    yield told(
        "customers_without_address",
        "warning",
        because("customers_without_address", count=len(bad), names=names(bad)),
        bad,
    )
    near = [both(one) for one in survey.customer_pairs if one.verdict == "near_miss"]
    yield told(
        "customers_near_miss",
        "warning",
        because("customers_near_miss", count=len(near), names=names(near)),
        near,
    )


def _cost_centers(survey: Survey) -> Iterator[Finding]:
    wanted = {code for code in survey.document.cost_centers.map.values() if code}
    if not wanted:
        yield Finding("cost_centers", "ok")
        return
    lacking = sorted(wanted - {one.code for one in survey.sides.fortnox.cost_centers()})
    yield told(
        "cost_centers",
        "error",
        because("cost_centers_missing", count=len(lacking), names=names(lacking)),
        lacking,
    )


def _currencies(survey: Survey) -> Iterator[Finding]:
    used = {one.currency.code for one in survey.customers if one.currency} - {"SEK"}
    if not used:
        yield Finding("currencies", "ok")
        return
    lacking = sorted(used - {one.code for one in survey.sides.fortnox.currencies()})
    yield told(
        "currencies",
        "warning",
        because("currencies_missing", count=len(lacking), names=names(lacking)),
        lacking,
    )


def _financial_year(survey: Survey) -> Iterator[Finding]:
    today = clock.today(survey.sides.clock())
    if survey.sides.fortnox.financial_years_at(today):
        yield Finding("financial_year", "ok")
    else:
        yield Finding("financial_year", "error", because("financial_year_missing", date=today))


CHECKS = (
    _severa_registers,
    _fortnox_registers,
    _project_accounting,
    _statuses,
    _default_product,
    _error_emails,
    _product_codes,
    _units,
    _product_conflicts,
    _products_near_miss,
    _customers,
    _cost_centers,
    _currencies,
    _financial_year,
)


def _is_numeric(code: str | None) -> bool:
    text = (code or "").strip()
    return text.isascii() and text.isdigit()
