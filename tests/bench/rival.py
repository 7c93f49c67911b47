"""One of those that are compared: all its processes, started, watched and killed together."""

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.bench.processes import cpu_seconds, peak_mib
from tests.installation import until


@dataclass
class Rival:
    """`commands`: its processes; together they are started, watched and killed."""

    name: str
    port: int
    commands: Sequence[Sequence[str]]
    env: dict[str, str]
    ready: str = "/"
    opened: Callable[["Rival"], None] = lambda _rival: None  # once, when it answers
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.processes = [
            subprocess.Popen(
                command,
                env={**kept, **self.env},
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for command in self.commands
        ]
        until(f"{self.name} answers", self._is_ready)

    def _is_ready(self) -> bool:
        """Whatever it says, but that it is not."""
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}{self.ready}", trust_env=False).status_code < 500
        return False

    def kill(self) -> None:
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self.processes:
            process.wait()

    def pids(self) -> list[int]:
        """Of all its processes, those that they have started included."""
        parents, found = _parents(), {process.pid for process in self.processes}
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return sorted(found)

    def memory(self) -> float:
        return sum(_quietly(peak_mib, pid) for pid in self.pids())

    def cpu(self) -> float:
        return sum(_quietly(cpu_seconds, pid) for pid in self.pids())


def _parents() -> dict[int, int]:
    """The parent of every process."""
    found = {}
    for one in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            found[int(one.name)] = int((one / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def _quietly(figure: Callable[[int], float], pid: int) -> float:
    """Nothing for one that has ended in this moment."""
    with suppress(OSError, RuntimeError):
        return figure(pid)
    return 0.0
