"""The processes that turn the crank: Celery worker, sweeper, listener."""
