"""The only task: somebody rang, so take what is due."""

from app import tracing
from app.queue import WORK
from workers.celery_app import Here, app


@app.task(name=WORK)
def work() -> None:
    if Here.process is not None:
        with tracing.span(WORK, "consumer"):
            tracing.note({"bridge.rows": Here.process.crank.turn()})
