"""The console at `/`: what a finance assistant and a project lead use."""

from fastapi import FastAPI

from app.console import accounts, beside, connect, door, front, retries, sheets, transfer, transfers
from app.console.door import Patience

__all__ = ["mount"]


def mount(app: FastAPI) -> None:
    """Beside what `api.mount` and `consent.mount` add, and on top of it."""
    app.state.patience = Patience()
    app.state.counted = {}  # the month's bars of each connection, and when they were counted
    app.router.routes.append(sheets.STATIC)
    for room in (door, front, beside, connect, retries, transfers, transfer, accounts):
        app.include_router(room.routes)
