"""The Redis that comes along: private, durable, shared, and gone when its owner is gone."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from app.embedded import connect_or_start
from app.embedded.binary import find_server
from app.embedded.memory import MemoryServer
from app.embedded.server import EmbeddedRedis, RedisDidNotStart
from tests.servers import redis_server

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parent.parent
OWNER = """\
import sys
from pathlib import Path
from app.embedded import connect_or_start
url, server = connect_or_start(Path(sys.argv[1]))
print("ours" if server else "theirs", url, flush=True)
sys.stdin.read()
if server: server.stop()
"""


def until(fact: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


def ask(url: str, *command: str) -> object:
    with redis.Redis.from_url(url, decode_responses=True) as client:
        return client.execute_command(*command)


def answers(url: str) -> bool:
    try:
        return ask(url, "PING") is True
    except redis.ConnectionError:
        return False


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return not state.stdout.startswith("Z") and state.stdout != ""


def other_process(directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, str(directory)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def first_words(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.readline().split()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "a folder with spaces"


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(home) as server:
        yield server


def test_it_keeps_everything_on_disk_and_throws_nothing_away(server: EmbeddedRedis) -> None:
    def setting(name: str) -> object:
        answer = ask(server.url, "CONFIG", "GET", name)
        assert isinstance(answer, dict)
        return answer[name]

    wanted = {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "bind": "127.0.0.1",
    }
    assert {name: setting(name) for name in wanted} == wanted


def test_nobody_without_the_password_is_let_in(server: EmbeddedRedis) -> None:
    port = urlsplit(server.url).port
    with pytest.raises(redis.AuthenticationError):
        ask(f"redis://127.0.0.1:{port}/0", "PING")


def test_the_password_is_in_no_command_line_and_in_no_readable_file(server: EmbeddedRedis) -> None:
    password = urlsplit(server.url).password
    assert password
    commands = subprocess.run(["ps", "-eww", "-o", "args="], capture_output=True, text=True)
    assert password not in commands.stdout
    holders = [path for path in server.directory.rglob("*") if path.is_file()]
    assert {path.name for path in holders} >= {"redis.url", "redis.conf", "redis.pid"}
    assert [path.name for path in holders if path.stat().st_mode & 0o077] == []


def test_a_restart_keeps_the_data_and_the_url(home: Path) -> None:
    with EmbeddedRedis(home) as server:
        url = server.url
        ask(url, "LPUSH", "list", "a", "b")
    assert not answers(url)
    with EmbeddedRedis(home) as server:
        assert server.url == url
        assert ask(url, "LRANGE", "list", "0", "-1") == ["b", "a"]


def test_a_server_killed_in_the_middle_comes_back_by_itself(server: EmbeddedRedis) -> None:
    url, pid = server.url, server.pid
    ask(url, "SET", "kept", "1")
    os.kill(pid, signal.SIGKILL)
    until(lambda: server.pid != pid and answers(url))
    assert ask(url, "GET", "kept") == "1"


def test_one_that_was_stopped_stays_down(home: Path) -> None:
    server = EmbeddedRedis(home)
    url = server.start()
    pid = server.pid
    server.stop()
    server.stop()
    assert not alive(pid)
    assert not answers(url)
    assert server.start() == url
    server.stop()


def test_the_server_outlives_the_thread_that_asked_for_it(home: Path) -> None:
    server = EmbeddedRedis(home)
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    pid = server.pid
    assert ask(server.url, "PING") is True
    assert alive(pid)
    server.stop()
    assert not alive(pid)


def test_a_second_process_shares_the_server_and_does_not_end_it(server: EmbeddedRedis) -> None:
    with other_process(server.directory) as guest:
        assert first_words(guest) == ["theirs", server.url]
        guest.communicate()
    assert guest.returncode == 0
    assert answers(server.url)
    url, guest_server = connect_or_start(server.directory)
    assert (url, guest_server) == (server.url, None)


def test_processes_that_start_at_the_same_moment_get_one_server(home: Path) -> None:
    crowd = [other_process(home) for _ in range(6)]
    said = [first_words(process) for process in crowd]
    assert sorted(word for word, _ in said) == ["ours"] + ["theirs"] * 5
    assert len({url for _, url in said}) == 1
    for process in crowd:
        process.communicate()
    assert not answers(said[0][1])


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a child of its parent's death"
)
def test_a_killed_owner_takes_its_server_along_and_the_next_one_finds_the_data(home: Path) -> None:
    with other_process(home) as owner:
        _, url = first_words(owner)
        pid = EmbeddedRedis(home).pid
        ask(url, "SET", "kept", "1")
        owner.kill()
        owner.communicate()
    with EmbeddedRedis(home) as server:
        assert server.ours
        assert server.pid != pid
        assert ask(url, "GET", "kept") == "1"
    assert not alive(pid)


def test_a_server_that_outlived_its_owner_is_ended_by_its_pid(home: Path) -> None:
    binary = find_server()
    assert binary
    with EmbeddedRedis(home) as server:
        url = server.url
    conf = str(home / "redis.conf")
    with subprocess.Popen([binary, conf], cwd=home, stdout=subprocess.DEVNULL) as orphan:
        (home / "redis.pid").write_text(str(orphan.pid))
        until(lambda: answers(url))
        ask(url, "SET", "kept", "1")
        with EmbeddedRedis(home) as server:
            assert orphan.wait(10) == 0
            assert (server.ours, server.url) == (True, url)
            assert ask(url, "GET", "kept") == "1"


def test_a_stranger_who_got_the_old_pid_is_left_alone(home: Path) -> None:
    with EmbeddedRedis(home):
        pass
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        (home / "redis.pid").write_text(str(stranger.pid))
        with EmbeddedRedis(home) as server:
            assert server.ours
        assert stranger.poll() is None
        stranger.communicate(b"\n")
    assert stranger.returncode == 0


def test_a_taken_port_is_given_up_and_its_holder_hears_nothing_of_value(home: Path) -> None:
    with EmbeddedRedis(home) as server:
        url = server.url
        ask(url, "SET", "kept", "1")
    holder = socket.create_server(("127.0.0.1", urlsplit(url).port or 0))
    with holder, EmbeddedRedis(home) as server:
        assert urlsplit(server.url).port != urlsplit(url).port
        assert urlsplit(server.url).password != urlsplit(url).password
        assert ask(server.url, "GET", "kept") == "1"


def test_data_that_cannot_be_read_is_set_aside_and_the_server_starts(home: Path) -> None:
    with EmbeddedRedis(home) as server:
        ask(server.url, "SET", "lost", "1")
    for file in home.glob("appendonlydir/*.aof"):
        file.write_bytes(b"*1\r\nnonsense that no server reads\r\n" * 3)
    with EmbeddedRedis(home) as server:
        assert ask(server.url, "GET", "lost") is None
    assert len(list(home.glob("appendonlydir.unreadable-*"))) == 1


@pytest.mark.parametrize("name", ["redis.pid", "redis.url", "redis.conf"])
def test_an_empty_file_after_a_power_cut_does_not_stop_it(home: Path, name: str) -> None:
    with EmbeddedRedis(home) as server:
        ask(server.url, "SET", "kept", "1")
    (home / name).write_text("")
    with EmbeddedRedis(home) as server:
        assert ask(server.url, "GET", "kept") == "1"


def test_a_machine_without_any_redis_says_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.embedded.server.find_server", lambda: None)
    server = EmbeddedRedis(home)
    with pytest.raises(RedisDidNotStart, match="set REDIS_URL"):
        server.start()
    assert not server.ours


def test_data_stays_where_it_is_when_the_server_fails_for_another_reason(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddedRedis(home) as server:
        ask(server.url, "SET", "kept", "1")
    with monkeypatch.context() as broken:
        broken.setattr("app.embedded.server.find_server", lambda: "/bin/false")
        with pytest.raises(RedisDidNotStart):
            EmbeddedRedis(home).start()
    with EmbeddedRedis(home) as server:
        assert ask(server.url, "GET", "kept") == "1"


def test_the_stand_in_where_no_redis_runs_serves_lists_and_blocking_pops() -> None:
    server = MemoryServer()
    try:
        assert ask(server.url, "LPUSH", "list", "a") == 1
        assert ask(server.url, "BRPOP", "list", "1") == ("list", "a")
    finally:
        server.stop()


def test_a_server_for_tests_can_be_paused_killed_and_started_again() -> None:
    with redis_server() as server:
        ask(server.url, "SET", "kept", "1")
        server.pause()
        client = redis.Redis.from_url(server.url, socket_timeout=0.1, retry=None)
        with client, pytest.raises(redis.TimeoutError):
            client.ping()
        server.resume()
        server.kill()
        assert not answers(server.url)
        server.restart()
        assert ask(server.url, "GET", "kept") == "1"
        server.flush()
        assert ask(server.url, "GET", "kept") is None
        server.pause()
