"""Is the wheel whole? Installed alone in a new environment, in an empty folder, it tells the demo's
story and runs, and its CLI answers. Started by `make package`.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

PATIENCE_SECONDS = 240  # of a machine that is busy with other things; 15 on a quiet one
ROOT = Path(__file__).parent.parent


def main(wheel: Path, requirements: Path) -> None:
    assert not missing(wheel), missing(wheel)
    with tempfile.TemporaryDirectory() as folder:
        environment, place = Path(folder) / "venv", Path(folder) / "elsewhere"
        place.mkdir()
        install(environment, wheel, requirements)
        bridge = environment / "bin" / "bridge"
        version = output_of(place, bridge, "--version").strip()
        assert version in wheel.name, (version, wheel.name)
        print(f"bridge {version} in an environment of its own")
        assert "Show completion" in output_of(place, bridge, "--help")
        print(output_of(place, bridge, "demo", "--once", PORT=free_port()).partition("\nWhere")[0])
        run(place, bridge)
        print("bridge run: ready, and ended by SIGTERM")


def missing(wheel: Path) -> set[str]:
    """The files of both packages that the wheel lacks."""
    ours = {path for room in ("app", "workers") for path in (ROOT / room).rglob("*")}
    names = {
        path.relative_to(ROOT).as_posix()
        for path in ours
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    return names - set(zipfile.ZipFile(wheel).namelist())


def install(environment: Path, wheel: Path, requirements: Path) -> None:
    uv = [sys.executable, "-m", "uv"]
    into = ["--quiet", "--python", environment]
    subprocess.run([*uv, "venv", "--quiet", environment], check=True)
    subprocess.run(
        [*uv, "pip", "install", *into, "--require-hashes", "-r", requirements], check=True
    )
    subprocess.run([*uv, "pip", "install", *into, "--no-deps", wheel], check=True)


def output_of(place: Path, *command: str | Path, **env: str) -> str:
    done = subprocess.run(
        command,
        cwd=place,
        env=bare(**env),
        stdout=subprocess.PIPE,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def run(place: Path, bridge: Path) -> None:
    port = free_port()
    with (place / "output").open("wb") as output:
        process = subprocess.Popen(
            [bridge, "run"], cwd=place, env=bare(PORT=port), stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not answers(f"http://127.0.0.1:{port}/ready"):
            assert process.poll() is None, "it ended"
            assert time.monotonic() < deadline, (place / "output").read_text()
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(PATIENCE_SECONDS)
    assert code == 0, (code, (place / "output").read_text())


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def bare(**changes: str) -> dict[str, str]:
    """No path leads back to this checkout, and nobody is called: there are no connections."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | changes


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
