"""A span for each request, named by its route: an address may hold what is nobody's business."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import tracing

UNSAID = ("/health", "/ready", "/metrics")  # asked every few seconds, and told of by metrics


class Traced:
    """ASGI middleware, outside of everything; there only where traces are switched on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNSAID:
            await self._app(scope, receive, send)
            return
        method = scope["method"]

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                tracing.note({"http.response.status_code": message["status"]})
            await send(message)

        facts = {"http.request.method": method}
        with tracing.span(method, "server", _parent(scope), facts):
            await self._app(scope, receive, send_and_note)
            route = getattr(scope.get("route"), "path", "") or scope.get("door", "")
            if route:
                tracing.note({"http.route": route})
                tracing.rename(f"{method} {route}")


def _parent(scope: Scope) -> str | None:
    """Whoever asks may have begun the trace."""
    wanted = tracing.TRACEPARENT.encode()
    given = next((value for name, value in scope["headers"] if name == wanted), b"")
    return given.decode("latin-1")[: tracing.LONGEST] or None
