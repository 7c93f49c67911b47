"""Addresses that are no page: of a form that was loaded anew, or mistyped. Mounted last."""

from starlette.responses import Response

from app.api.problems import not_found
from app.console.menu import MENU
from app.console.visit import Here, router

routes = router()
OF_CONNECT = frozenset(
    ("activate", "deactivate", "settings", "connect-severa-check", "connect-fortnox-invite")
)


@routes.get("/c/{connection}/{rest:path}")
def find_page(visit: Here, rest: str) -> Response:
    """A form that was refused stands at its own address: that leads to the page it is on."""
    visit.connection()
    first, below, _ = rest.partition("/")
    if rest in OF_CONNECT:
        return visit.go(f"/c/{visit.name}/connect")
    if below and first and any(first == place for place, _title, _also in MENU):
        return visit.go(f"/c/{visit.name}/{first}")
    raise not_found("page")


@routes.get("/accounts/{rest:path}")
@routes.get("/keys")
@routes.get("/keys/{rest:path}")
def find_people(visit: Here) -> Response:
    return visit.go("/accounts")
