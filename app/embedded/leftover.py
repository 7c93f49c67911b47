"""A server that outlived its owner is ended before another one takes its folder."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from app.embedded.folder import Folder

PATIENCE = 30.0  # seconds it gets to end in good order
GLANCE = 0.01  # seconds between two looks at it


def end(folder: Folder) -> None:
    pid, deadline = folder.pid, time.monotonic() + PATIENCE
    number = signal.SIGTERM
    while pid and _is_of(folder, pid):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        time.sleep(GLANCE)
        if time.monotonic() > deadline:
            number = signal.SIGKILL


def _is_of(folder: Folder, pid: int) -> bool:
    """Whether this pid is a server of this folder, and not a stranger with the number."""
    marks = [str(folder.file("conf"))]
    if folder.url:  # servers write their address into their title
        marks.append(f" 127.0.0.1:{urlsplit(folder.url).port}")
    return any(mark in _command_of(pid) for mark in marks)


def _command_of(pid: int) -> str:
    """The command line of a process; empty if there is no such process."""
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except OSError:
        if sys.platform == "linux":
            return ""
    answer = subprocess.run(  # noqa: S603
        ["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return answer.stdout
