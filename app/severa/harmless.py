"""A call that shows whether another one like it is allowed, and changes nothing."""

from typing import Any

NOBODY = "00000000-0000-0000-0000-000000000000"


def like(at: str) -> tuple[str, str, dict[str, Any]]:
    """Method, path and what is sent with it; `at` as `PATCH /v1/invoices/…`.

    What is read is read again. A write is tried, with no change in it, on a record of the same
    register that cannot be there: it needs the same scope.
    """
    method, _, path = at.partition(" ")
    path = path.partition("/v1/")[2]
    if method == "GET":
        return method, path, {"params": {"rowCount": "1"}}
    return "PATCH", f"{path.partition('/')[0]}/{NOBODY}", {"json_body": []}
