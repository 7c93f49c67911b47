"""The webhook doors in the OpenAPI document, written by hand: they are plain routes."""

from typing import Any

from fastapi import FastAPI

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXT_OR_NUMBER: Schema = {"oneOf": [{"type": "string"}, {"type": "integer"}]}
RECEIPT: Schema = {
    "type": "object",
    "required": ["id", "status"],
    "properties": {
        "id": TEXT | {"description": "Of the stored event; GET /api/v1/events/{id}."},
        "status": {"enum": ["accepted", "ignored", "duplicate"]},
        "reason": TEXT | {"description": "Why nothing follows."},
    },
}
PROBLEM: Schema = {
    "description": "RFC 9457.",
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "id": TEXT | {"description": "409: the event that was stored."},
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": {"field": TEXT, "message": TEXT}},
        },
    },
}
SEVERA_EVENT: Schema = {
    "type": "object",
    "required": ["type", "data"],
    "properties": {
        "type": TEXT | {"description": "<entity>.<verb>"},
        "timestamp": TEXT | {"format": "date-time"},
        "data": {"type": "object", "required": ["guid"], "properties": {"guid": TEXT}},
    },
    "example": {
        "type": "invoice.status_changed",
        "timestamp": "2026-11-24T08:15:30Z",
        "data": {"guid": "1a000000-0000-4000-8000-000000000001"},
    },
}
FORTNOX_EVENT: Schema = {
    "description": "Fortnox's own event object; year, series and id for vouchers, else entityId.",
    "type": "object",
    "required": ["topic", "type"],
    "properties": {
        "topic": TEXT,
        "type": TEXT,
        "offset": TEXT_OR_NUMBER,
        "tenantId": TEXT_OR_NUMBER,
        "entityId": TEXT_OR_NUMBER,
        "timestamp": TEXT,
        "year": TEXT_OR_NUMBER,
        "series": TEXT,
        "id": TEXT_OR_NUMBER,
        "invoiceId": TEXT_OR_NUMBER,
    },
    "example": {
        "topic": "vouchers",
        "offset": "q81",
        "type": "voucher-created-v1",
        "tenantId": 654896,
        "entityId": "88",
        "timestamp": "2026-11-24T08:15:30+01:00",
        "year": 3,
        "series": "C",
        "id": "88",
    },
}
SCHEMAS = {
    "WebhookReceipt": RECEIPT,
    "WebhookProblem": PROBLEM,
    "SeveraEvent": SEVERA_EVENT,
    "FortnoxEvent": FORTNOX_EVENT,
}
SCHEMES: Schema = {
    "WebhookSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "Standard Webhooks: v1,<base64 of HMAC-SHA256 over id.timestamp.body>, with"
        " webhook-id and webhook-timestamp; at most 300 s from our clock.",
    },
    "WebhookToken": {"type": "http", "scheme": "bearer"},
}
RECEIVED = {
    200: "This identity with the same body was stored before: duplicate.",
    202: "Stored durably: accepted, or ignored where nothing follows from that kind of event.",
}
REFUSED = {
    400: "Not JSON, or a field is wrong; errors names it.",
    401: "Unsigned, wrong, stale, or a closed source; says no more.",
    409: "This identity was stored with another body.",
    413: "Over 256 KiB.",
    429: "Over the ingest limit of the connection.",
    503: "Cannot be stored durably now; send it again.",
}
RETRY_LATER = (429, 503)
HEADERS = {
    "webhook-id": "The identity of the event; the same when it is sent again.",
    "webhook-timestamp": "Seconds since 1970; needed with a signature.",
}


def declare(app: FastAPI) -> None:
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        parts = document.setdefault("components", {})
        parts.setdefault("schemas", {}).update(SCHEMAS)
        parts.setdefault("securitySchemes", {}).update(SCHEMES)
        for source, event in (("severa", "SeveraEvent"), ("fortnox", "FortnoxEvent")):
            document["paths"][f"/webhooks/{{connection}}/{source}"] = {"post": _call(source, event)}
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents


def _call(source: str, event: str) -> Schema:
    content = {"application/json": {"schema": _named(event)}}
    return {
        "tags": ["webhooks"],
        "summary": f"An event from {source.capitalize()}",
        "description": "Says where to look; the record itself is read from its system.",
        "operationId": f"{source}_webhook",
        "parameters": [
            {"name": "connection", "in": "path", "required": True, "schema": TEXT},
            *(
                {"name": name, "in": "header", "description": says, "schema": TEXT}
                for name, says in HEADERS.items()
            ),
        ],
        "requestBody": {"required": True, "content": content},
        "responses": _answers(),
        "security": [{"WebhookSignature": []}, {"WebhookToken": []}],
    }


def _answers() -> Schema:
    answers = {
        str(status): {
            "description": says,
            "content": {"application/json": {"schema": _named("WebhookReceipt")}},
        }
        for status, says in RECEIVED.items()
    }
    for status, says in REFUSED.items():
        answers[str(status)] = {
            "description": says,
            "content": {"application/problem+json": {"schema": _named("WebhookProblem")}},
        } | (_retry_after() if status in RETRY_LATER else {})
    return answers


def _retry_after() -> Schema:
    return {"headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}}


def _named(schema: str) -> Schema:
    return {"$ref": f"#/components/schemas/{schema}"}
