"""Which scope each call of the admin API takes; a call that stands not here cannot be mounted."""

from collections.abc import Iterable

from app.identity import Scope

CONNECTION = "/connections/{connection}"
PERMITS: dict[str, Scope] = {
    "GET /connections": "view",
    f"GET {CONNECTION}": "view",
    f"PUT {CONNECTION}": "configure",
    f"PATCH {CONNECTION}": "configure",
    f"DELETE {CONNECTION}": "configure",
    f"POST {CONNECTION}/activate": "configure",
    f"POST {CONNECTION}/deactivate": "configure",
    f"POST {CONNECTION}/fortnox/consent": "configure",
    f"POST {CONNECTION}/severa/check": "configure",
    f"POST {CONNECTION}/mail/test": "operate",
    f"GET {CONNECTION}/preflight": "view",
    f"GET {CONNECTION}/coverage": "view",
    f"GET {CONNECTION}/reconciliation": "view",
    f"GET {CONNECTION}/reconciliation.csv": "view",
    f"GET {CONNECTION}/transfers": "view",
    f"GET {CONNECTION}/history.csv": "view",
    f"GET {CONNECTION}/transfers/{{transfer}}": "view",
    f"POST {CONNECTION}/transfers/{{transfer}}/retry": "operate",
    f"POST {CONNECTION}/transfers/retry": "operate",
    f"POST {CONNECTION}/backfill": "operate",
    f"GET {CONNECTION}/backfills/{{backfill}}": "view",
    f"POST {CONNECTION}/backfills/{{backfill}}/cancel": "operate",
    f"GET {CONNECTION}/events": "view",
    "GET /events/{event}": "view",
    "GET /keys": "configure",
    "POST /keys": "configure",
    "DELETE /keys/{key}": "configure",
    "GET /users": "configure",
    "POST /users": "configure",
    "PATCH /users/{user}": "configure",
    "DELETE /users/{user}": "configure",
    "GET /audit": "configure",
}


def scope_of(methods: Iterable[str], path: str) -> Scope:
    """Raises KeyError."""
    (method,) = methods
    return PERMITS[f"{method} {path.removeprefix('/api/v1')}"]
