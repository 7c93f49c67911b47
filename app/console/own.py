"""One's own password: whoever has one here changes it without anybody else."""

from pydantic import SecretStr, ValidationError
from starlette.responses import Response

from app import people
from app.api.people import ChangedUser, change_user
from app.api.problems import not_found
from app.console.door import Patience, let_in
from app.console.visit import Here, Sent, Visit, router

routes = router()


@routes.get("/password")
def read_form(visit: Here) -> Response:
    return _page(visit)


@routes.post("/password")
def change(visit: Here, form: Sent) -> Response:
    """Ends everything that is open elsewhere; here it goes on."""
    say, who = visit.tongue.text, visit.session.who
    patience: Patience = visit.request.app.state.patience
    if patience.is_over(who.origin):
        return _page(visit, 429, say("Too many attempts. Wait five minutes and try again."))
    with visit.desk.hall.db.reading() as tx:
        known = people.known(tx, who.id, form.get("present", ""))
    if known is None:
        patience.note(who.origin)
        return _page(visit, 401, say("That is not your present password."))
    try:
        asked = ChangedUser(password=SecretStr(form.get("password", "")))
    except ValidationError:
        shortest = people.SHORTEST_PASSWORD
        return _page(
            visit,
            400,
            say("The new one is too short: at least %(number)s characters.", number=shortest),
        )
    change_user(visit.desk, who, who.id, asked)
    return let_in(visit.request, known, "/")


def _page(visit: Visit, status: int = 200, wrong: str = "") -> Response:
    if not visit.has_password:
        raise not_found("password")
    return visit.show("password.html", status, wrong=wrong, shortest=people.SHORTEST_PASSWORD)
