"""What a user would write instead, whole: FastAPI, Celery's `delay()`, and the three calls."""

import json
import os
from typing import Any

import httpx
from celery import Celery
from fastapi import FastAPI

queue = Celery("plain_flow", broker=os.environ["REDIS_URL"])
queue.conf.update(task_ignore_result=True, task_acks_late=True, worker_hijack_root_logger=False)
app = FastAPI(openapi_url=None)
FLOW = json.loads(os.environ["FLOW"])
http = httpx.Client(trust_env=False, timeout=30)


@queue.task(name="plain.carry")
def carry(guid: str) -> None:
    severa = {"Authorization": f"Bearer {FLOW['severa_token']}"}
    fortnox = {"Authorization": f"Bearer {FLOW['fortnox_token']}"}
    http.get(f"{FLOW['severa']}/v1/invoices/{guid}", headers=severa).raise_for_status()
    made = {"CustomerNumber": FLOW["customer"], "ExternalInvoiceReference1": f"severa:{guid}"}
    answer = http.post(f"{FLOW['fortnox']}/3/invoices", headers=fortnox, json={"Invoice": made})
    answer.raise_for_status()
    moved = [{"op": "Replace", "path": "/status/guid", "value": FLOW["received"]}]
    http.patch(
        f"{FLOW['severa']}/v1/invoices/{guid}", headers=severa, json=moved
    ).raise_for_status()


@app.post("/webhooks/acme/severa", status_code=202)
def plain(event: dict[str, Any]) -> dict[str, str]:
    return {"id": carry.delay(event["data"]["guid"]).id, "status": "accepted"}
