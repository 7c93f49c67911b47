"""Every refusal as `application/problem+json` (RFC 9457), without a word of what was sent."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from app.errors import BridgeError, CannotStore, Ending, Invalid, VendorError
from app.languages import language_of
from app.reasons import explain
from app.vault import CannotDecrypt

TITLES = {
    400: "Not acceptable as it stands",
    401: "Not authorised",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Not possible now",
    413: "Too large",
    500: "Something went wrong here",
    502: "The partner system did not answer as expected",
    503: "Not available now",
}
RETRY_AFTER = {"Retry-After": "5"}


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"


class Problem(BridgeError):
    """Raised by a handler to answer with this; `extra`: members besides the standard ones."""

    def __init__(self, status: int, detail: str, **extra: Any) -> None:
        super().__init__(f"{status}: {detail}")
        self.status, self.detail, self.extra = status, detail, extra


def problem(
    status: int,
    title: str | None = None,
    detail: str | None = None,
    headers: Mapping[str, str] | None = None,
    **extra: Any,
) -> ProblemResponse:
    """`{"type": "about:blank", "title", "status", "detail"}` and what `extra` adds."""
    body = {"type": "about:blank", "title": title or TITLES.get(status, "Refused")}
    content = body | {"status": status} | ({"detail": detail} if detail else {}) | extra
    return ProblemResponse(content, status, headers=dict(headers) if headers else None)


def not_found(what: str) -> Problem:
    return Problem(404, f"There is no such {what}.")


def invalid(errors: Iterable[Mapping[str, Any]], *, without: tuple[str, ...] = ()) -> Problem:
    """A 400 from pydantic's errors; `without`: the leading places that are not part of the name."""
    named = [_error(error, without) for error in errors]
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in named)
    return Problem(400, detail[:1000], errors=named)


def install(app: FastAPI) -> None:
    """For the whole app: whatever is raised becomes a problem document."""
    app.exception_handler(Problem)(_problem)
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(RequestValidationError)(_request)
    app.exception_handler(Invalid)(_invalid)
    app.exception_handler(Ending)(_ending)
    app.exception_handler(VendorError)(_vendor)
    app.exception_handler(CannotDecrypt)(_locked)
    app.exception_handler(IntegrityError)(_meanwhile)
    for silent in (CannotStore, OperationalError, PoolTimeout):
        app.exception_handler(silent)(_no_database)
    app.exception_handler(Exception)(_unexpected)


def _error(error: Mapping[str, Any], without: tuple[str, ...]) -> dict[str, str]:
    """Only the place and the kind of mistake: pydantic's `input` may be a secret."""
    place = list(error["loc"])
    if place and place[0] in without:
        place = place[1:]
    message = str(error["msg"]).removeprefix("Value error, ")
    if not place and error["type"] in ("dict_type", "model_attributes_type", "missing"):
        message = "expected a JSON object, sent as application/json"
    if error["type"] == "json_invalid":
        place, message = [], "not JSON"
    return {"field": _dotted(place) or "body", "message": message}


def _dotted(place: list[str | int]) -> str:
    """`("webhooks", "severa", "secrets", 0)` → `webhooks.severa.secrets[0]`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".").encode("utf-8", "replace").decode()[:200]


def _problem(_request: Request, error: Problem) -> ProblemResponse:
    return problem(error.status, None, error.detail, **error.extra)


def _http(_request: Request, error: HTTPException) -> ProblemResponse:
    detail = None if error.status_code in (404, 405) else str(error.detail)
    return problem(error.status_code, None, detail, error.headers)


def _request(request: Request, error: RequestValidationError) -> ProblemResponse:
    return _problem(request, invalid(error.errors(), without=("body", "query", "path", "header")))


def _invalid(_request: Request, error: Invalid) -> ProblemResponse:
    errors = [{"field": error.field, "message": error.message}]
    return problem(400, None, f"{error.field}: {error.message}", errors=errors)


def _ending(request: Request, error: Ending) -> ProblemResponse:
    """A look ahead ended where the run itself would end."""
    language = language_of(request.headers.get("accept-language", ""))
    reason = asdict(explain(error.reason, language))
    return problem(409, None, reason["message"], reason=reason)


def _vendor(_request: Request, error: VendorError) -> ProblemResponse:
    return problem(502, None, f"{error.system}: {error.words or 'no answer'}")


def _locked(_request: Request, error: CannotDecrypt) -> ProblemResponse:
    return problem(503, None, f"{error}: check ENCRYPTION_KEYS")


def _meanwhile(_request: Request, _error: IntegrityError) -> ProblemResponse:
    return problem(409, None, "Somebody changed the same thing in this moment; try again.")


def _no_database(_request: Request, _error: Exception) -> ProblemResponse:
    return problem(503, None, "The database does not answer; nothing was changed.", RETRY_AFTER)


def _unexpected(_request: Request, _error: Exception) -> ProblemResponse:
    return problem(500)
