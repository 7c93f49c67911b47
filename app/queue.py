"""Tells the workers that something is due: a message without content, which may be lost.

A worker that hears the bell takes due rows from the database until there are none; so a bell is
worth ringing only while few are waiting to be heard.
"""

from threading import Condition, Event, Thread

import redis
import structlog
from celery import Celery
from kombu.exceptions import OperationalError

log = structlog.get_logger()

QUEUE = "bridge"
WORK = "bridge.work"
PREFIX = "bridge:"
MOST_WAITING = 32
ROWS_PER_BELL = 4
MOST_AT_ONCE = 8
PAUSE_SECONDS = 0.05  # what is due meanwhile is told of together


def celery_app(redis_url: str, *, socket_timeout: float) -> Celery:
    """Settings for a broker that carries hints only; nothing here may be relied on."""
    app = Celery("bridge", broker=redis_url)
    app.conf.update(
        task_default_queue=QUEUE,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_publish_retry_policy={
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.1,
            "interval_max": 0.1,
        },
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,
        broker_transport_options={
            "visibility_timeout": 600,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_timeout": socket_timeout,
            "socket_connect_timeout": min(socket_timeout, 5),
            "socket_keepalive": True,
            "health_check_interval": 10,
            "retry_on_timeout": False,
            "global_keyprefix": PREFIX,
        },
        visibility_timeout=600,
        worker_prefetch_multiplier=1,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_soft_shutdown_timeout=10,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
    )
    return app


class Bell:
    """`ring` never waits: a thread of its own talks to Redis, and errors are only counted."""

    def __init__(self, redis_url: str) -> None:
        self._app = celery_app(redis_url, socket_timeout=1)
        self._redis = redis.Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1)
        self._due = 0
        self._changed, self._closing = Condition(), Event()
        self.heard = True
        self._thread = Thread(target=self._run, name="bell", daemon=True)
        self._thread.start()

    def ring(self, rows: int) -> None:
        if rows > 0:
            with self._changed:
                self._due += rows
                self._changed.notify()

    def ring_now(self, rows: int) -> bool:
        """Whether Redis took it; for who has time to wait."""
        return self._ring(rows)

    def close(self) -> None:
        self._closing.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(timeout=5)
        self._redis.close()
        self._app.close()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._due and not self._closing.is_set():
                    self._changed.wait()
                if self._closing.is_set():
                    return
                rows, self._due = self._due, 0
            self._ring(rows)
            self._closing.wait(PAUSE_SECONDS)

    def _ring(self, rows: int) -> bool:
        bells = min(-(-rows // ROWS_PER_BELL), MOST_AT_ONCE)
        try:
            waiting = self._redis.llen(f"{PREFIX}{QUEUE}")
            for _ in range(min(bells, MOST_WAITING - int(waiting))):
                self._app.send_task(WORK, ignore_result=True)
        except (redis.RedisError, OperationalError, OSError) as error:
            if self.heard:
                log.warning("bell.unheard", error=type(error).__name__)
            self.heard = False
            return False
        if not self.heard:
            log.info("bell.heard_again")
        self.heard = True
        return True
