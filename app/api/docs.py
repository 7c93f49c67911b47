"""`/api/v1/docs`: one page made from the OpenAPI document, which asks nobody else for anything."""

from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from jinja2 import Environment, Template
from starlette.requests import Request
from starlette.responses import HTMLResponse

SAFE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
METHODS = ("get", "put", "patch", "post", "delete")


def mount(app: FastAPI) -> None:
    app.add_route("/api/v1/docs", _answer, methods=["GET"], include_in_schema=False)


async def _answer(request: Request) -> HTMLResponse:
    page = render(request.app.openapi(), request.app.openapi_url)
    return HTMLResponse(page, headers={"Content-Security-Policy": SAFE})


def render(openapi: dict[str, Any], address: str | None) -> str:
    schemas = openapi.get("components", {}).get("schemas", {})
    page: str = _template().render(
        info=openapi["info"],
        address=address,
        tags=_by_tag(openapi),
        schemas={name: _fields(schema) for name, schema in sorted(schemas.items())},
        about={name: schema.get("description", "") for name, schema in schemas.items()},
    )
    return page


@cache
def _template() -> Template:
    text = files(__package__).joinpath("docs.html").read_text("utf-8")
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)


def _by_tag(openapi: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    tags: dict[str, list[dict[str, Any]]] = {}
    for path, calls in openapi["paths"].items():
        for method in METHODS:
            if method in calls:
                call = calls[method]
                tag = (call.get("tags") or ["other"])[0]
                tags.setdefault(tag, []).append(_call(method, path, call))
    return tags


def _call(method: str, path: str, call: dict[str, Any]) -> dict[str, Any]:
    parameters = call.get("parameters", [])
    bodies = call.get("requestBody", {}).get("content", {})
    return {
        "method": method.upper(),
        "path": path,
        "scope": call.get("x-scope"),
        "says": call.get("description") or call.get("summary", ""),
        "parameters": [one | {"is": kind(one.get("schema", {}))} for one in parameters],
        "bodies": [(media, kind(body.get("schema", {}))) for media, body in bodies.items()],
        "answers": [
            (status, answer.get("description", ""), _kinds(answer))
            for status, answer in call.get("responses", {}).items()
        ],
    }


def _kinds(answer: dict[str, Any]) -> str:
    bodies = answer.get("content", {}).items()
    return ", ".join(f"{media}: {kind(body.get('schema', {}))}" for media, body in bodies)


def _fields(schema: dict[str, Any]) -> list[tuple[str, str, str]]:
    required = schema.get("required", [])
    return [
        (name, kind(field), "required" if name in required else "")
        for name, field in schema.get("properties", {}).items()
    ]


def kind(schema: dict[str, Any]) -> str:
    """A schema in a few words: `list of string`, `invoice | payment`, `Transfer or null`."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(kind(one) for one in schema[several])
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "anything")
