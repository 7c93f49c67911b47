"""The console at `/`: what a finance assistant and a project lead use."""

from fastapi import FastAPI

from app.console import (
    accounts,
    beside,
    connect,
    door,
    front,
    reconciliation,
    retries,
    sheets,
    transfer,
    transfers,
)
from app.console.door import Patience
from app.console.readings import Readings

__all__ = ["mount"]


def mount(app: FastAPI) -> None:
    """Beside what `api.mount` and `consent.mount` add, and on top of it."""
    app.state.patience = Patience()
    app.state.counted = {}  # the month's bars of each connection, and when they were counted
    app.state.books = Readings()
    app.router.routes.append(sheets.STATIC)
    watched = (front, retries, transfers, transfer, reconciliation)
    for room in (door, beside, connect, *watched, accounts):
        app.include_router(room.routes)
