"""The official OpenAPI document as a judge of answers; its place is the variable SPECS_DIR."""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

KEPT = ("type", "enum", "items", "properties", "required", "minLength", "maxLength")


@cache
def document() -> dict[str, Any]:
    folder = os.environ.get("SPECS_DIR")
    if not folder:
        pytest.skip("SPECS_DIR does not say where the OpenAPI documents are")
    return json.loads((Path(folder) / "severa-openapi.json").read_text())


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI's `nullable` in JSON Schema's words, and unknown properties refused."""
    if "$ref" in schema:
        shape: dict[str, Any] = {"$ref": schema["$ref"].replace("#/components/schemas", "#/$defs")}
    else:
        shape = {name: value for name, value in schema.items() if name in KEPT}
        if "properties" in shape:
            parts = shape["properties"].items()
            shape["properties"] = {name: strict(part) for name, part in parts}
            shape["additionalProperties"] = False
        if "items" in shape:
            shape["items"] = strict(shape["items"])
    return {"anyOf": [shape, {"type": "null"}]} if schema.get("nullable") else shape


@cache
def definitions() -> dict[str, Any]:
    return {name: strict(s) for name, s in document()["components"]["schemas"].items()}


@cache
def validator(method: str, path: str, status: int) -> Draft202012Validator:
    responses = document()["paths"][path][method.lower()]["responses"]
    answer = responses.get(str(status)) or responses["default"]
    schema = answer["content"]["application/json"]["schema"]
    return Draft202012Validator({**strict(schema), "$defs": definitions()})


@cache
def template(method: str, path: str) -> str:
    """The path of the document that a called path goes by: constant parts first, then guids."""
    hits = []
    for known, verbs in document()["paths"].items():
        shape = re.sub(r"\{[^}]+\}", "[^/]+", known)
        if method.lower() in verbs and re.fullmatch(shape, path):
            hits.append(known)
    assert hits, f"{method} {path} is not in the document"
    short = len(path.rpartition("/")[2]) == 2
    return min(
        hits,
        key=lambda known: (known.count("{"), ("{code2}" in known) != short, "{guid}" not in known),
    )


def check(method: str, path: str, status: int, content: Any) -> None:
    judge = validator(method, template(method, path), status)
    errors = [
        f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in judge.iter_errors(content)
    ]
    assert not errors, f"{method} {path} {status}: {errors}"
