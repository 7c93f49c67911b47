"""The supervisor: everything runs, everything is heard, and nothing is left behind."""

import io
import itertools
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.backoff import Backoff
from app.supervisor import Child, Supervisor, tied_to_parent

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parent.parent
QUICK = Backoff(first=0.01, most=0.04, reset=30.0)
LIVE = "import time\nprint('up', flush=True)\nwhile True: time.sleep(60)"
DEAF = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{LIVE}"
linux = pytest.mark.skipif(sys.platform != "linux", reason="parent-death signals are Linux's")


def python(name: str, program: str, env: Mapping[str, str] | None = None) -> Child:
    return Child(name, [sys.executable, "-c", program], env)


def until(fact: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


def alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return state.stdout != "" and not state.stdout.startswith("Z")


class Out(io.BytesIO):
    def lines(self) -> list[str]:
        return self.getvalue().decode().splitlines()


class Terminal(Out):
    def isatty(self) -> bool:
        return True


class Running:
    """A supervisor at work in a thread."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.code: int | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        self.code = self.supervisor.run()

    def stop(self) -> int | None:
        self.supervisor.stop()
        self.thread.join(20)
        return self.code


@contextmanager
def running(supervisor: Supervisor) -> Iterator[Running]:
    run = Running(supervisor)
    try:
        yield run
    finally:
        run.stop()


def test_every_line_is_passed_on_with_the_name_of_who_said_it() -> None:
    out = Out()
    talker = "import sys\nprint('a')\nprint('b', file=sys.stderr)\nsys.stdout.write('c')"
    api, worker = python("api", f"{talker}\n{LIVE}"), python("worker", LIVE)
    with running(Supervisor([api, worker], output=out)) as run:
        until(lambda: len(out.lines()) == 4)
        assert run.stop() == 0
    assert sorted(out.lines()) == ["api    | a", "api    | b", "api    | cup", "worker | up"]


@pytest.mark.parametrize("colours", [True, False])
def test_in_a_terminal_names_are_coloured_unless_somebody_wants_none(*, colours: bool) -> None:
    out = Terminal()
    with running(Supervisor([python("x", "print('a')")], output=out, colours=colours)):
        until(lambda: b"a" in out.getvalue())
    assert out.getvalue().startswith(b"\x1b[") is colours


def test_a_last_line_without_an_end_and_a_very_long_one_are_not_lost() -> None:
    out = Out()
    with running(Supervisor([python("x", "print('y' * 200_000, end='')")], output=out)):
        until(lambda: out.getvalue().count(b"y") == 200_000)
    assert out.getvalue().endswith(b"y\n")
    assert {line[:4] for line in out.lines()} == {"x | "}


def test_a_child_that_dies_is_started_again_and_that_is_said() -> None:
    said: list[tuple[str, dict[str, object]]] = []
    out = Out()
    supervisor = Supervisor(
        [python("x", "print('hello')\nraise SystemExit(3)")],
        backoff=QUICK,
        output=out,
        log=lambda event, **fields: said.append((event, fields)),
    )
    with running(supervisor):
        until(lambda: len(said) >= 2 and len(out.lines()) >= 3)
    assert said[:2] == [("supervisor.restarted", {"name": "x", "code": 3})] * 2
    assert out.lines()[:3] == ["x | hello"] * 3


def test_a_child_killed_by_a_signal_is_reported_among_the_lines() -> None:
    out = Out()
    suicide = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    with running(Supervisor([python("x", suicide)], backoff=QUICK, output=out)):
        until(lambda: b"supervisor" in out.getvalue())
    assert out.lines()[0] == "supervisor.restarted name=x code=-9"


def test_the_wait_before_a_restart_doubles_up_to_its_limit_and_is_forgotten_in_good_times() -> None:
    backoff, waits = Backoff(), [0.0]
    for _ in range(8):
        waits.append(backoff.after(waits[-1], lived=29.9))
    assert waits[1:] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    assert backoff.after(10.0, lived=30.0) == 0.2


def test_those_cut_off_together_come_back_one_after_the_other() -> None:
    waits = sorted(Backoff.spread(60.0) for _ in range(500))
    assert 45.0 <= waits[0] < 48.0 < 72.0 < waits[-1] <= 75.0
    assert len(set(waits)) > 400


def test_a_child_is_not_started_again_before_its_wait_is_over() -> None:
    starts: list[float] = []
    supervisor = Supervisor(
        [python("x", "")],
        backoff=Backoff(first=0.2, most=0.3),
        output=Out(),
        log=lambda event, **fields: starts.append(time.monotonic()),
    )
    with running(supervisor):
        until(lambda: len(starts) == 3)
    assert all(later - earlier >= 0.3 for earlier, later in itertools.pairwise(starts))


def test_a_restart_that_the_machine_refuses_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    out, popen, refusals = Out(), subprocess.Popen, [OSError("no room")]

    def start(*args: Any, **kwargs: Any) -> subprocess.Popen[bytes]:
        if out.lines() and refusals:
            raise refusals.pop()
        return popen(*args, **kwargs)

    monkeypatch.setattr("app.supervisor.subprocess.Popen", start)
    with running(Supervisor([python("x", "print('hello')")], backoff=QUICK, output=out)):
        until(lambda: len(out.lines()) >= 4)
    assert out.lines()[:3] == [
        "x | hello",
        "supervisor.not_restarted name=x error=no room",
        "supervisor.restarted name=x code=0",
    ]


def test_stopping_ends_children_in_reverse_order_and_lets_them_finish() -> None:
    out = Out()
    polite = (
        "import signal, sys, time\n"
        "def end(*_): print('bye', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n" + LIVE
    )
    with running(Supervisor([python("a", polite), python("b", polite)], output=out)) as run:
        until(lambda: len(out.lines()) == 2)
        assert run.stop() == 0
    assert sorted(out.lines()) == ["a | bye", "a | up", "b | bye", "b | up"]


def test_signals_go_out_in_reverse_order(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    terminate = subprocess.Popen.terminate

    def note(process: subprocess.Popen[bytes]) -> None:
        ended.append(process.pid)
        terminate(process)

    monkeypatch.setattr(subprocess.Popen, "terminate", note)
    out = Out()
    whoami = "import os\nprint(os.getpid(), flush=True)\n" + LIVE
    with running(Supervisor([python(name, whoami) for name in "abc"], output=out)) as run:
        until(lambda: len(out.lines()) == 6)
        run.stop()
    pids = {line[0]: int(line[4:]) for line in out.lines() if not line.endswith("up")}
    assert ended == [pids["c"], pids["b"], pids["a"]]


def test_a_deaf_child_is_killed_when_the_grace_is_over() -> None:
    out = Out()
    with running(Supervisor([python("x", DEAF)], grace=0.3, output=out)) as run:
        until(lambda: out.lines() == ["x | up"])
        begun = time.monotonic()
        assert run.stop() == 0
        assert 0.3 <= time.monotonic() - begun < 5.0


def test_what_a_child_leaves_behind_is_ended_with_it() -> None:
    out = Out()
    parent = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {DEAF!r}], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "import os; os._exit(1)"
    )
    with running(Supervisor([python("x", parent)], output=out)) as run:
        until(lambda: b"supervisor.restarted" in out.getvalue())
        run.stop()
    grandchildren = [int(line[4:]) for line in out.lines() if line.startswith("x | ")]
    assert grandchildren != []
    assert [pid for pid in grandchildren if alive(pid)] == []


def test_a_child_gets_its_environment_and_no_standard_input() -> None:
    out = Out()
    program = "import os, sys\nprint(os.environ.get('WORD'), repr(sys.stdin.read()), flush=True)"
    child = python("x", f"{program}\n{LIVE}", {"WORD": "said"})
    with running(Supervisor([child], output=out)):
        until(lambda: len(out.lines()) == 2)
    assert out.lines()[0] == "x | said ''"


def test_the_hook_is_called_once_when_everything_has_been_started() -> None:
    called: list[str] = []
    out = Out()
    supervisor = Supervisor([python("x", LIVE)], output=out, ready=lambda: called.append("now"))
    with running(supervisor):
        until(lambda: called == ["now"] and out.lines() == ["x | up"])
    assert called == ["now"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_hook_that_fails_ends_the_run_with_an_error() -> None:
    def fail() -> None:
        raise RuntimeError("no")

    run = Running(Supervisor([python("x", LIVE)], output=Out(), ready=fail))
    run.thread.join(20)
    assert run.code == 1


SCRIPT = f"""\
import sys
from app.supervisor import Child, Supervisor
children = [Child(name, [sys.executable, "-c", program]) for name, program in (
    ("a", "import os; print(os.getpid(), flush=True)\\n" + {LIVE!r}),
    ("b", "import os; print(os.getpid(), flush=True)\\n" + {DEAF!r}),
)]
sys.exit(Supervisor(children, grace=float(sys.argv[1])).run())
"""


@contextmanager
def whole_process(grace: float) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    command = [sys.executable, "-c", SCRIPT, str(grace)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(4)]
        pids = [int(line[4:]) for line in sorted(said) if line[4:].strip().isdigit()]
        assert len(pids) == 2
        try:
            yield process, pids
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_all_children_and_the_exit_code_is_zero(number: signal.Signals) -> None:
    with whole_process(grace=0.2) as (process, pids):
        process.send_signal(number)
        assert process.wait(20) == 0
        assert [pid for pid in pids if alive(pid)] == []


def test_a_second_ctrl_c_does_not_wait_for_the_grace() -> None:
    with whole_process(grace=60) as (process, pids):
        process.send_signal(signal.SIGINT)
        until(lambda: not alive(pids[0]))
        process.send_signal(signal.SIGTERM)  # what make passes on besides; it changes nothing
        assert alive(pids[1])
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert not alive(pids[1])


@linux
def test_a_supervisor_killed_outright_leaves_no_child_behind() -> None:
    with whole_process(grace=60) as (process, pids):
        process.kill()
        process.wait()
        until(lambda: [pid for pid in pids if alive(pid)] == [])


@linux
def test_a_parent_that_is_dead_before_the_child_looks_starts_nothing() -> None:
    argv = tied_to_parent([sys.executable, "-c", "print('started')"], signal.SIGKILL)
    argv[argv.index(str(os.getpid()))] = "999999999"
    answer = subprocess.run(argv, capture_output=True, text=True)
    assert (answer.returncode, answer.stdout) == (1, "")


def test_nobody_listening_any_more_is_a_reason_to_stop() -> None:
    chatter = "import time\nwhile True: print('word', flush=True); time.sleep(0.01)"
    program = SCRIPT.replace(repr(LIVE), repr(chatter))
    command = [sys.executable, "-c", program, "0.2"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) == 0


def test_names_are_coloured_on_a_terminal_only() -> None:
    master, slave = pty.openpty()
    with (
        open(slave, "wb", buffering=0) as terminal,
        open(master, "rb", buffering=0) as screen,
        running(Supervisor([python("x", LIVE)], output=terminal)),
    ):
        assert screen.read(64).replace(b"\r", b"") == b"\x1b[36mx | \x1b[0mup\n"
