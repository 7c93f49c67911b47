"""The console at `/`: what a finance assistant and a project lead use."""

from fastapi import FastAPI

from app.console import beside, connect, door, front, sheets, transfer, transfers
from app.console.door import Patience

__all__ = ["mount"]


def mount(app: FastAPI) -> None:
    """Beside what `api.mount` and `consent.mount` add, and on top of it."""
    app.state.patience = Patience()
    app.router.routes.append(sheets.STATIC)
    for room in (door, front, beside, connect, transfers, transfer):
        app.include_router(room.routes)
