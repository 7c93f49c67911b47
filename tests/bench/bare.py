"""What acknowledging is measured against: FastAPI, one endpoint, nothing kept."""

from typing import Any

from fastapi import FastAPI

app = FastAPI(openapi_url=None)


@app.post("/webhooks/{connection}/severa", status_code=202)
async def bare(connection: str, event: dict[str, Any]) -> dict[str, str]:
    return {"id": "evt_0", "status": "accepted"}
