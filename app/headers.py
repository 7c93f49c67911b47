"""Headers that every answer carries, whoever gives it; an answer may say other ones itself."""

from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
HSTS = "max-age=31536000"  # a year; where people reach us by HTTPS


class SafeHeaders:
    """ASGI middleware; `is_https`: as PUBLIC_URL says."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        said = SAFE | ({"Strict-Transport-Security": HSTS} if is_https else {})
        self._said = [(name.lower().encode(), value.encode()) for name, value in said.items()]
        self._beside = lru_cache(maxsize=100)(self._missing)  # there are few kinds of answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                names = tuple([name for name, _ in headers])
                message["headers"] = [*headers, *self._beside(names)]
            await send(message)

        await self._app(scope, receive, send_safely if scope["type"] == "http" else send)

    def _missing(self, present: tuple[bytes, ...]) -> list[tuple[bytes, bytes]]:
        said = {name.lower() for name in present}
        return [one for one in self._said if one[0] not in said]
