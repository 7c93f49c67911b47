"""A real Redis for an installation that was not given one, shared by the processes of a folder."""

from pathlib import Path

from app.embedded.server import EmbeddedRedis


def connect_or_start(directory: Path) -> tuple[str, EmbeddedRedis | None]:
    """The URL of this directory's server, and the server itself if we are who started it."""
    server = EmbeddedRedis(directory)
    url = server.start()
    return url, server if server.ours else None


def at(url: str, directory: Path) -> tuple[str, EmbeddedRedis | None]:
    """The Redis that was named; where none was, the directory's own."""
    return (url, None) if url else connect_or_start(directory)
