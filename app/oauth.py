"""The page to which Fortnox sends the administrator back: what has happened, and no secrets.

Whoever comes has no admin key; the state in the address is the proof. Swedish unless the browser
asks for English.
"""

from html import escape
from typing import Protocol

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.invitations import CALLBACK, LONGEST_STATE, Brought, Outcome
from app.languages import DEFAULT, language_of
from app.reasons import explain, sentence, word

LONGEST_CODE = 500
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the code stands in the address
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
PAGE = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:15vh auto;padding:0 1rem}}
</style>
<h1>{title}</h1>
<p>{message}</p>
<p>{next_step}</p>
</html>
"""


class Notary(Protocol):
    def receive(self, brought: Brought) -> Outcome: ...


def mount(app: FastAPI, notary: Notary) -> None:
    async def callback(request: Request) -> Response:
        if request.method != "GET":  # who only looks whether there is a page must not use the link
            return Response(status_code=405, headers={"Allow": "GET"})
        outcome = await run_in_threadpool(notary.receive, _brought(request))
        return _page(request, outcome)

    app.router.routes.append(Route(CALLBACK, callback, methods=["GET"]))


def _brought(request: Request) -> Brought:
    query = request.query_params
    return Brought(
        state=query.get("state", "")[:LONGEST_STATE],
        code=query.get("code", "")[:LONGEST_CODE],
        error=query.get("error", "")[:100],
        origin=request.client.host[:64] if request.client else "",
    )


def _page(request: Request, outcome: Outcome) -> HTMLResponse:
    known = outcome.connection
    spoken = language_of(
        request.headers.get("accept-language", ""), known.document.language if known else DEFAULT
    )
    if outcome.refused is None:
        label = (known.document.label or known.name) if known else ""
        facts = {"company": outcome.company, "label": label}
        shown = (word("consent", "given", spoken), sentence("consent_given", facts, spoken), "")
    else:
        told = explain(outcome.refused, spoken)
        shown = (word("consent", "not given", spoken), told.message, told.next_step)
    title, message, next_step = (escape(one) for one in shown)
    page = PAGE.format(language=spoken, title=title, message=message, next_step=next_step)
    return HTMLResponse(page, 400 if outcome.refused else 200, headers=HEADERS)
