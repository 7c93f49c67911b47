"""What a user would write instead: FastAPI, and Celery's `delay()` in the handler; nothing kept."""

import os
from typing import Any

from celery import Celery
from fastapi import FastAPI

queue = Celery("plain", broker=os.environ["REDIS_URL"])
queue.conf.update(task_ignore_result=True, task_acks_late=True)
app = FastAPI(openapi_url=None)


@queue.task(name="plain.carry")
def carry(event: dict[str, Any]) -> None:
    """Never run here: only handing over is measured."""


@app.post("/webhooks/{connection}/severa", status_code=202)
def plain(connection: str, event: dict[str, Any]) -> dict[str, str]:
    return {"id": carry.delay(event).id, "status": "accepted"}
