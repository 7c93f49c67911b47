"""Is everything ready? Every condition of the start guide; and switching on and off."""

from typing import Any

from starlette.responses import Response

from app.api.connections import switch
from app.checks import preflight
from app.checks.findings import Finding, Report
from app.checks.survey import Survey
from app.connections import Connection
from app.console import guide
from app.console.visit import Here, Sent, Visit, router
from app.errors import because
from app.reasons import explain

routes = router()

# Where the settings that a finding is about are mended, on this page.
MENDED = {
    "settings": "",
    "severa_access": "severa",
    "fortnox_access": "fortnox",
    "fortnox_registers": "fortnox",
    "project_accounting": "fortnox",
    "status_transfer": "statuses",
    "status_received": "statuses",
    "status_paid": "statuses",
    "status_error": "statuses",
    "default_product": "products",
    "error_emails": "emails",
    "cost_centers": "bookkeeping",
}

# The system in which what a finding is about is mended.
SEEN_TO = {
    **dict.fromkeys(("severa_access", "severa_registers", "statuses", "product_codes"), "severa"),
    **dict.fromkeys(("status_transfer", "status_received", "status_paid"), "severa"),
    **dict.fromkeys(("status_error", "default_product", "customers"), "severa"),
    **dict.fromkeys(("customers_without_vat_number", "customers_without_address"), "severa"),
    **dict.fromkeys(("customers_with_invalid_vat_number", "customers_without_number"), "severa"),
    **dict.fromkeys(("fortnox_access", "fortnox_registers", "project_accounting"), "fortnox"),
    **dict.fromkeys(("units", "cost_centers", "currencies", "financial_year"), "fortnox"),
}
# Where what a finding names is seen side by side.
COMPARED = {
    "product_conflicts": "?register=products&verdict=conflict",
    "products_near_miss": "?register=products&verdict=near_miss",
    "customers_near_miss": "?register=customers&verdict=near_miss",
}
# Errors that stop the records they are about, and nothing else.
OF_RECORDS = frozenset({"units", "product_conflicts", "cost_centers", "financial_year"})


@routes.get("/c/{connection}/preflight")
def read_preflight(visit: Here) -> Response:
    """The page; what it says comes when both systems have been read."""
    connection = visit.connection()
    if not visit.is_piece():
        return visit.show("preflight.html", connection=connection)
    report = _report(visit, connection)
    return visit.show(
        "preflight_now.html",
        connection=connection,
        report=report,
        is_configured=_is_configured(report),
        findings=[_finding(visit, one) for one in _worst_first(report)],
        homes=guide.homes(visit.desk.hall.settings),
    )


@routes.post("/c/{connection}/activate")
def activate(visit: Here, form: Sent) -> Response:
    """Looks at every condition once more: nothing is activated half-configured.

    What stops single records only is a person's to decide, who has seen which.
    """
    visit.need("configure")
    connection = visit.connection()
    report = _report(visit, connection)
    wanted = report.is_clear or (_is_configured(report) and "anyway" in form)
    if not wanted:
        said = visit.tongue.text("Not activated: something has to be mended first.")
        return visit.go(f"/c/{visit.name}/preflight", said)
    switch(visit.desk, visit.request, visit.name, active=True)
    return visit.go(f"/c/{visit.name}/", visit.tongue.text("The integration is activated."))


@routes.post("/c/{connection}/deactivate")
def deactivate(visit: Here, form: Sent) -> Response:  # noqa: ARG001 - its token was looked at
    visit.need("configure")
    switch(visit.desk, visit.request, visit.name, active=False)
    said = visit.tongue.text("The integration is switched off. Nothing is lost meanwhile.")
    return visit.go(f"/c/{visit.name}/connect", said)


def _report(visit: Visit, connection: Connection) -> Report:
    if connection.document.missing():
        missing = connection.document.missing()
        reason = because("setting_missing", setting=", ".join(missing))
        return Report((Finding("settings", "error", reason, tuple(missing)),))
    return preflight.run(Survey(visit.desk.look(connection)))


def _is_configured(report: Report) -> bool:
    """Whether what has to be mended stops single records only, each with its reason."""
    return all(one.code in OF_RECORDS for one in report.findings if one.status == "error")


def _worst_first(report: Report) -> list[Finding]:
    order = ("error", "warning", "ok")
    return sorted(report.findings, key=lambda one: order.index(one.status))


def _finding(visit: Visit, one: Finding) -> dict[str, Any]:
    told = explain(one.reason, visit.tongue.language) if one.reason else None
    places = {"place": MENDED, "compared": COMPARED, "seen_to": SEEN_TO}
    return {"one": one, "told": told, **{name: of.get(one.code) for name, of in places.items()}}
