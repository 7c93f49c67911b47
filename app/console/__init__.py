"""The console at `/`: what a finance assistant and a project lead use."""

from fastapi import FastAPI

from app.console import (
    accounts,
    astray,
    backfills,
    bench,
    beside,
    connect,
    door,
    events,
    front,
    own,
    ready,
    reconciliation,
    registers,
    retries,
    sheets,
    sign_on,
    transfer,
    transfers,
)
from app.console.door import Patience
from app.console.readings import Readings
from app.oidc import SignOn

__all__ = ["mount"]


def mount(app: FastAPI) -> None:
    """Beside what `api.mount` and `consent.mount` add, and on top of it."""
    app.state.patience = Patience()
    hall = app.state.desk.hall
    app.state.sign_on = SignOn(hall.settings, hall.clock) if hall.settings.oidc_issuer else None
    app.state.counted = {}  # the month's bars of each connection, and when they were counted
    app.state.books = Readings()
    app.state.registers = Readings()
    app.router.routes.append(sheets.STATIC)
    watched = (front, retries, transfers, transfer, backfills, events)
    compared = (reconciliation, registers, bench)
    for room in (door, sign_on, own, beside, connect, ready, *watched, *compared, accounts, astray):
        app.include_router(room.routes)
