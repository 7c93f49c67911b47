"""Wiring only: settings, database, queue → the FastAPI application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis
from fastapi import FastAPI

from app import api, console, embedded, figures, health, log, tracing, webhooks
from app.api import consent
from app.hall import Hall, open_hall
from app.headers import SafeHeaders
from app.notary import Notary
from app.planning import Planner
from app.queue import Bell
from app.settings import settings
from app.traced import Traced


def build(hall: Hall, redis_url: str) -> FastAPI:
    bell = Bell(redis_url)
    client = redis.Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1)
    planner = Planner(hall, client)
    doors = webhooks.Doors(hall, bell.ring)
    courier = figures.Courier(client)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await doors.commit.close()
        bell.close()
        planner.close()
        courier.close()
        client.close()
        await asyncio.to_thread(tracing.close)

    app = FastAPI(
        title="severa-fortnox-bridge",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours says less, see Traced
    )
    webhooks.mount(app, doors)
    health.mount(app, hall, client)
    api.mount(app, hall, hint=bell.ring, plan=planner.plan, look=planner.look)
    consent.mount(app, Notary(planner.room))
    console.mount(app)
    is_https = hall.settings.public_url.startswith("https:")
    app.add_middleware(SafeHeaders, is_https=is_https)
    if hall.settings.traces_url:
        app.add_middleware(Traced)
    return app


def from_environment() -> FastAPI:
    """For `uvicorn --factory app.main:from_environment`."""
    given = settings()
    log.set_up(given)
    tracing.set_up(given, "api")
    url, _ = embedded.at(given.redis_url, given.var_dir / "redis")
    return build(open_hall(given), url)
