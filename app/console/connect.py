"""Connect: the start guide as a checklist that knows what is done, to the point of activation."""

import copy
import json
from typing import Any

from starlette.responses import Response

from app.api import patches
from app.api.connections import write
from app.api.consent import Notary
from app.api.problems import Problem, not_found
from app.connections import Connection
from app.console import answers, guide, words
from app.console.sheets import HEADERS
from app.console.visit import Form, Here, Sent, Visit, router
from app.documents import MASK, Document
from app.errors import Ending, Invalid, Reason, Unauthorized, VendorError, because
from app.reasons import explain
from app.scopes import Scopes

routes = router()


@routes.post("/connections")
def begin(visit: Here, form: Sent) -> Response:
    visit.need("configure")
    name = form.get("name", "").strip().lower()
    given = {"label": form.get("label", "").strip(), "language": visit.tongue.language}

    def wanted(stored: Connection | None) -> Document:
        if stored is not None:
            raise Problem(409, visit.tongue.text("There is a company with that short name."))
        return patches.document(name, given, None)

    write(visit.desk, visit.session.who, name, wanted)
    return visit.go(f"/c/{name}/connect")


@routes.get("/c/{connection}/connect")
def read_connect(visit: Here) -> Response:
    return _checklist(visit, visit.request.query_params.get("open", ""))


@routes.post("/c/{connection}/connect/{part}")
def answer(visit: Here, form: Sent, part: str) -> Response:
    """One step's form; what is wrong is said beside it, and changes nothing."""
    visit.need("configure")
    if part not in answers.FORMS:
        raise not_found("step")

    def wanted(stored: Connection | None) -> Document:
        if stored is None:
            raise not_found("connection")
        plain = copy.deepcopy(stored.document.masked())
        answers.FORMS[part](form, plain)
        return patches.document(visit.name, plain, stored.document)

    try:
        write(visit.desk, visit.session.who, visit.name, wanted)
    except (Invalid, Problem) as error:
        return _checklist(visit, part, wrong=_said(error), typed=form)
    return visit.go(f"/c/{visit.name}/connect", visit.tongue.text("Saved."))


@routes.get("/c/{connection}/connect/statuses")
def offer_statuses(visit: Here) -> Response:
    """The statuses that Severa has now, with what each could be; a piece of the page."""
    visit.need("configure")
    connection = visit.connection()
    try:
        found = visit.desk.look(connection).severa.invoice_statuses()
    except (VendorError, Ending) as error:
        return visit.show(
            "offer_statuses.html", connection=connection, why=words.why(visit.tongue, error)
        )
    return visit.show(
        "offer_statuses.html",
        connection=connection,
        why="",
        found=[one for one in found if one.is_active],
        suggested=guide.suggested(found),
    )


@routes.get("/c/{connection}/connect/products")
def offer_products(visit: Here) -> Response:
    """The products of Severa that can be the default one; a piece of the page."""
    visit.need("configure")
    connection = visit.connection()
    try:
        found = visit.desk.look(connection).severa.all_articles("product")
    except (VendorError, Ending) as error:
        return visit.show(
            "offer_products.html", connection=connection, why=words.why(visit.tongue, error)
        )
    usable = [one for one in found if (one.code or "").isdigit() and one.is_active is not False]
    return visit.show("offer_products.html", connection=connection, why="", found=usable)


@routes.post("/c/{connection}/connect-severa-check")
def check_severa(visit: Here, form: Sent) -> Response:  # noqa: ARG001 - its token was looked at
    """Asks Severa now whether it takes the credentials, and what they lack."""
    visit.need("configure")
    say = visit.tongue.text
    notary: Notary = visit.request.app.state.notary
    try:
        scopes = notary.look_at_severa(visit.connection())
    except (Unauthorized, Ending, VendorError) as error:
        return _checklist(visit, "severa", wrong=words.why(visit.tongue, error))
    if reason := _lacking(scopes):
        told = explain(reason, visit.tongue.language)
        return _checklist(visit, "severa", wrong=f"{told.message} {told.next_step}")
    return visit.go(f"/c/{visit.name}/connect", say("Severa takes the credentials."))


@routes.post("/c/{connection}/connect-fortnox-invite")
def invite(visit: Here, form: Sent) -> Response:  # noqa: ARG001 - its token was looked at
    visit.need("configure")
    connection = visit.connection()
    access = connection.document.fortnox
    if not access.client_id or not access.client_secret.get_secret_value():
        wrong = visit.tongue.text("Give the app's id and secret first.")
        return _checklist(visit, "fortnox", wrong=wrong)
    notary: Notary = visit.request.app.state.notary
    link = notary.invite(connection, visit.session.who)
    return _checklist(visit, "fortnox", link=link.url)


@routes.get("/c/{connection}/settings.json")
def export(visit: Here) -> Response:
    visit.need("configure")
    document = visit.connection().document.masked()
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    name = f'attachment; filename="{visit.name}.json"'
    headers = {**HEADERS, "Content-Disposition": name}
    return Response(text, media_type="application/json", headers=headers)


@routes.post("/c/{connection}/settings")
def bring(visit: Here, form: Sent) -> Response:
    """A document that was exported, here or elsewhere; `********` keeps what is stored."""
    visit.need("configure")

    def wanted(stored: Connection | None) -> Document:
        given = _json(form.get("document", ""))
        return patches.document(visit.name, given, stored.document if stored else None)

    try:
        write(visit.desk, visit.session.who, visit.name, wanted)
    except (Invalid, Problem) as error:
        return _checklist(visit, "settings", wrong=_said(error), typed=form)
    return visit.go(f"/c/{visit.name}/connect", visit.tongue.text("Saved."))


def _checklist(
    visit: Visit, opened: str, *, wrong: str = "", typed: Form | None = None, link: str = ""
) -> Response:
    connection = visit.connection()
    marks = {step.name: guide.mark(step, connection) for step in guide.STEPS}
    first = next((name for name, mark in marks.items() if mark == "open"), "")
    base = visit.desk.hall.settings.public_url.rstrip("/")
    plain = connection.document.masked()
    return visit.show(
        "connect.html",
        400 if wrong else 200,
        connection=connection,
        plain=plain,
        steps=guide.STEPS,
        marks=marks,
        opened=opened or first,
        wrong=wrong,
        typed=typed or {},
        link=link,
        mask=MASK,
        missing=connection.document.missing(),
        doors={name: f"{base}/webhooks/{connection.name}/{name}" for name in ("severa", "fortnox")},
        homes=guide.homes(visit.desk.hall.settings),
        is_set={name: bool(plain[name]["client_secret"]) for name in ("severa", "fortnox")},
    )


def _lacking(scopes: Scopes) -> Reason | None:
    if scopes.missing:
        return because("severa_scopes_missing", scopes=", ".join(scopes.missing))
    return None


def _said(error: Invalid | Problem) -> str:
    return error.detail if isinstance(error, Problem) else str(error)


def _json(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise Invalid("document", "not a JSON object")
    return given
