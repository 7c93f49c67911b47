"""The Celery application of a worker process: `celery -A workers.celery_app worker`."""

import os
import signal

from celery import Celery, signals

from app import embedded, log, tracing
from app.hall import open_hall
from app.queue import celery_app
from app.settings import settings
from workers.process import WorkingProcess

SOCKET_TIMEOUT = 10

REDIS_URL, _ = embedded.at(settings().redis_url, settings().var_dir / "redis")
app: Celery = celery_app(REDIS_URL, socket_timeout=SOCKET_TIMEOUT)
app.conf.worker_concurrency = settings().worker_concurrency
app.conf.imports = ("workers.tasks",)


class Here:
    """The one working process of this worker; there from its start to its end."""

    process: WorkingProcess | None = None


@signals.setup_logging.connect
def _logging(**_: object) -> None:
    log.set_up(settings())


@signals.worker_init.connect
def _start(**_: object) -> None:
    tracing.set_up(settings(), "worker")
    hall = open_hall(settings(), pool_size=settings().worker_concurrency + 4)
    Here.process = WorkingProcess(hall, "worker", REDIS_URL, lost=_end)


@signals.worker_shutting_down.connect
def _stop_taking(**_: object) -> None:
    if Here.process is not None:
        Here.process.crank.stopping.set()


@signals.worker_shutdown.connect
def _close(**_: object) -> None:
    if Here.process is not None:
        Here.process.close()
    tracing.close()


def _end() -> None:
    """Not a warm shutdown: what runs here may write no more. The supervisor starts another."""
    os.kill(os.getpid(), signal.SIGKILL)
