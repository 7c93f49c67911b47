"""The same flow in the words of n8n and of Node-RED: webhook, GET, POST, PATCH."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

PATH = "/webhooks/acme/severa"


@dataclass(frozen=True)
class Flow:
    """Where the partner systems are, and what opens them."""

    severa: str
    fortnox: str
    severa_token: str
    fortnox_token: str
    customer: str
    received: str


def node_red(flow: Flow) -> list[dict[str, Any]]:
    """Its flow file. It answers first and carries over then; nothing is kept in between."""
    answer = "return [{...msg, statusCode: 202, payload: {status: 'accepted'}}, {guid: GUID}];"
    calls = {
        "get": ask("GET", f"'{flow.severa}/v1/invoices/' + msg.guid", flow.severa_token),
        "post": ask(
            "POST",
            f"'{flow.fortnox}/3/invoices'",
            flow.fortnox_token,
            f"{{Invoice: {{CustomerNumber: '{flow.customer}',"
            " ExternalInvoiceReference1: 'severa:' + msg.guid}}",
        ),
        "patch": ask(
            "PATCH",
            f"'{flow.severa}/v1/invoices/' + msg.guid",
            flow.severa_token,
            f"[{{op: 'Replace', path: '/status/guid', value: '{flow.received}'}}]",
        ),
    }
    nodes: list[dict[str, Any]] = [
        {"id": "flow", "type": "tab", "label": "Severa to Fortnox"},
        node("in", "http in", ["answer"], url=PATH, method="post"),
        node(
            "answer", "function", ["out"], ["get"],
            func=answer.replace("GUID", "msg.payload.data.guid"), outputs=2,
        ),
        node("out", "http response"),
    ]  # fmt: skip
    after = [*list(calls)[1:], "end"]
    for (name, code), following in zip(calls.items(), after, strict=True):
        nodes.append(node(name, "function", [f"{name}-call"], func=code, outputs=1))
        request = {"method": "use", "ret": "obj", "paytoqs": "ignore", "persist": True}
        nodes.append(node(f"{name}-call", "http request", [following], **request))
    return [*nodes, node("end", "function", func="return null;", outputs=1)]


def ask(method: str, url: str, token: str, payload: str = "undefined") -> str:
    headers = f"{{Authorization: 'Bearer {token}', 'Content-Type': 'application/json'}}"
    return (
        f"return {{guid: msg.guid, method: '{method}', url: {url},"
        f" headers: {headers}, payload: {payload}}};"
    )


def node(name: str, kind: str, *wires: list[str], **more: Any) -> dict[str, Any]:
    """Without a place on the page it would be taken for settings."""
    shown = {"x": 100, "y": 100, "z": "flow", "name": name}
    return {"id": name, "type": kind, "wires": list(wires), **shown, **more}


def n8n(flow: Flow) -> dict[str, Any]:
    """Its workflow file. It answers first; an execution is kept once it has begun."""
    guid = "$('Webhook').first().json.body.data.guid"
    invoice = f"={flow.severa}/v1/invoices/{{{{ {guid} }}}}"
    made = (
        f"={{{{ JSON.stringify({{Invoice: {{CustomerNumber: '{flow.customer}',"
        f" ExternalInvoiceReference1: 'severa:' + {guid}}} }}) }}}}"
    )
    moved = f'[{{"op": "Replace", "path": "/status/guid", "value": "{flow.received}"}}]'
    nodes = [
        {
            **card("Webhook", "n8n-nodes-base.webhook", 2),
            "webhookId": "b1d6a3a0-0000-4000-8000-000000000001",
            "parameters": {
                "httpMethod": "POST",
                "path": PATH.strip("/"),
                "responseMode": "onReceived",
                "options": {"responseCode": {"values": {"responseCode": 202}}},
            },
        },
        call("Get", "GET", invoice, flow.severa_token),
        call("Make", "POST", f"{flow.fortnox}/3/invoices", flow.fortnox_token, made),
        call("Move", "PATCH", invoice, flow.severa_token, moved),
    ]
    names = [str(one["name"]) for one in nodes]
    return {
        "id": "SeveraToFortnox1",
        "name": "Severa to Fortnox",
        "active": True,
        "nodes": nodes,
        "connections": {
            one: {"main": [[{"node": following, "type": "main", "index": 0}]]}
            for one, following in pairwise(names)
        },
        "settings": {"executionOrder": "v1"},
    }


def card(name: str, kind: str, version: float) -> dict[str, Any]:
    return {"id": name, "name": name, "type": kind, "typeVersion": version, "position": [0, 0]}


def call(name: str, method: str, url: str, token: str, body: str = "") -> dict[str, Any]:
    sent = {"sendBody": True, "specifyBody": "json", "jsonBody": body} if body else {}
    headers = {"parameters": [{"name": "Authorization", "value": f"Bearer {token}"}]}
    parameters = {"method": method, "url": url, "sendHeaders": True, "headerParameters": headers}
    kind = "n8n-nodes-base.httpRequest"
    return {**card(name, kind, 4.2), "parameters": {**parameters, **sent, "options": {}}}
