"""People and keys: who may come in, with how much; and what they made happen."""

from collections.abc import Mapping
from urllib.parse import urlencode

from pydantic import SecretStr, ValidationError
from starlette.responses import Response

from app import access, audit, connections, people
from app.api.desk import is_name
from app.api.keys import AskedKey, create_key, revoke_key
from app.api.people import AskedUser, ChangedUser, change_user, create_user, remove_user
from app.audit import Filter
from app.console.visit import Here, Sent, Visit, router
from app.errors import Invalid
from app.identity import SCOPES, Scope

routes = router()
ON_A_PAGE = 100


@routes.get("/accounts")
def read_accounts(visit: Here) -> Response:
    return _page(visit)


@routes.post("/accounts")
def add(visit: Here, form: Sent) -> Response:
    visit.need("configure")
    try:
        asked = AskedUser(
            name=form.get("name", ""),
            password=SecretStr(form.get("password", "")),
            role=_scope(form),
        )
        made = create_user(visit.desk, visit.session.who, asked)
    except (ValidationError, Invalid) as error:
        return _page(visit, wrong=_told(error))
    return visit.go("/accounts", visit.tongue.text("%(name)s may log in now.", name=made.name))


@routes.post("/accounts/{person}/remove")
def remove(visit: Here, form: Sent, person: str) -> Response:  # noqa: ARG001 - looked at
    """Whatever they have open closes at once."""
    visit.need("configure")
    remove_user(visit.desk, visit.session.who, person)
    return visit.go("/accounts", visit.tongue.text("%(name)s is out.", name=person))


@routes.post("/accounts/{person}/scope")
def change_scope(visit: Here, form: Sent, person: str) -> Response:
    visit.need("configure")
    return _change(visit, person, ChangedUser(role=_scope(form)))


@routes.post("/accounts/{person}/password")
def change_password(visit: Here, form: Sent, person: str) -> Response:
    visit.need("configure")
    try:
        asked = ChangedUser(password=SecretStr(form.get("password", "")))
    except ValidationError as error:
        return _page(visit, wrong=_told(error))
    return _change(visit, person, asked)


@routes.post("/accounts/{person}/disabled")
def disable(visit: Here, form: Sent, person: str) -> Response:
    visit.need("configure")
    return _change(visit, person, ChangedUser(disabled=form.get("disabled") == "yes"))


@routes.post("/keys")
def make_key(visit: Here, form: Sent) -> Response:
    """The key is on the page that answers, and never again."""
    visit.need("configure")
    try:
        asked = AskedKey(name=form.get("name", ""), scope=_scope(form))
    except (ValidationError, Invalid):
        return _page(visit, wrong=visit.tongue.text("Give the key a name."))
    made = create_key(visit.desk, visit.session.who, asked)
    return _page(visit, secret=made.key)


@routes.post("/keys/{key}/revoke")
def end_key(visit: Here, form: Sent, key: str) -> Response:  # noqa: ARG001 - looked at
    visit.need("configure")
    revoke_key(visit.desk, visit.session.who, key)
    return visit.go("/accounts", visit.tongue.text("The key opens nothing any more."))


@routes.get("/audit")
def read_audit(visit: Here) -> Response:
    visit.need("configure")
    given = visit.request.query_params
    action, company = given.get("action", ""), given.get("company", "")
    before = given.get("before", "")
    with visit.desk.hall.db.reading() as tx:
        companies = [one.name for one in connections.every(tx, visit.desk.hall.vault)]
        chosen = {
            "action": action if action in audit.ACTIONS else "",
            "company": company if company in companies else "",
        }
        only = Filter(chosen["company"], (chosen["action"],) if chosen["action"] else ())
        rows = audit.page(tx, only, before if is_name(before) else "", ON_A_PAGE + 1)
    older = chosen | {"before": rows[ON_A_PAGE - 1].id} if len(rows) > ON_A_PAGE else {}
    return visit.show(
        "audit.html",
        rows=rows[:ON_A_PAGE],
        chosen=chosen,
        companies=companies,
        actions=audit.ACTIONS,
        older=urlencode({name: one for name, one in older.items() if one}),
    )


def _page(visit: Visit, *, wrong: str = "", secret: str = "") -> Response:
    visit.need("configure")
    with visit.desk.hall.db.reading() as tx:
        persons, keys = people.every(tx), access.every(tx)
    now = visit.desk.hall.clock()
    return visit.show(
        "accounts.html",
        400 if wrong else 200,
        persons=persons,
        keys=[(row, access.is_open(row, now)) for row in keys],
        scopes=SCOPES,
        wrong=wrong,
        secret=secret,
        shortest=people.SHORTEST_PASSWORD,
    )


def _change(visit: Visit, person: str, asked: ChangedUser) -> Response:
    change_user(visit.desk, visit.session.who, person, asked)
    return visit.go("/accounts", visit.tongue.text("Saved."))


def _told(error: ValidationError | Invalid) -> str:
    """Of what was typed in, nothing."""
    if isinstance(error, Invalid):
        return str(error)
    return "; ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors())


def _scope(form: Mapping[str, str]) -> Scope:
    given = form.get("scope", "")
    found = next((one for one in SCOPES if one == given), None)
    if found is None:
        raise Invalid("scope", f"expected {', '.join(SCOPES)}")
    return found
