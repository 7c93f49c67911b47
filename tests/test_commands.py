"""Every command of `bridge` explains itself, tells programs in JSON, and completes in a shell."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from app.cli import app as bridge
from app.cli import printing

ROOT = Path(__file__).parent.parent
PROMISED = {"send", "tail", "replay", "plan", "doctor", "connections", "verify-signature"}
# Processes live, `alive` is its exit code, and what `history` prints is a file.
NO_JSON = {"run", "demo", "walk", "api", "worker", "sweeper", "listener", "alive", "history"}


def commands(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, *path, name)


EVERY = dict(commands(get_command(bridge)))


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_a_command_explains_itself_and_each_of_its_words(path: tuple[str, ...]) -> None:
    command = EVERY[path]
    shown = CliRunner().invoke(bridge, [*path, "--help"], env={"FORCE_COLOR": "1"})
    assert shown.exit_code == 0
    assert shown.stdout.startswith("Usage:")
    assert "\x1b" not in shown.stdout
    assert command.help
    assert [one.name for one in command.params if not getattr(one, "help", "")] == []
    assert CliRunner().invoke(bridge, [*path, "--no-such-option"]).exit_code == 2


def test_every_promised_command_is_there_and_tells_programs_in_json() -> None:
    names = {path[0] for path in EVERY if path}
    assert names >= PROMISED
    silent = {
        " ".join(path)
        for path, one in EVERY.items()
        if not hasattr(one, "commands") and "--json" not in {o for p in one.params for o in p.opts}
    }
    assert silent == NO_JSON


def test_a_shell_completes_commands_and_options() -> None:
    def completed(*words: str) -> set[str]:
        env = {
            "_BRIDGE_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(("bridge", *words)),
            "COMP_CWORD": str(len(words)),
        }
        return set(CliRunner().invoke(bridge, env=env, prog_name="bridge").stdout.split())

    assert completed("us") == {"users"}
    assert "--json" in completed("users", "create", "--")


@pytest.mark.parametrize(
    ("term", "no_color", "is_green"),
    [("xterm", "", True), ("xterm", "1", False), ("dumb", "", False)],
)
def test_a_state_is_coloured_in_a_terminal_unless_somebody_wants_no_colours(
    monkeypatch: pytest.MonkeyPatch, term: str, no_color: str, is_green: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("NO_COLOR", no_color)
    reader, writer = os.openpty()
    with open(writer, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        printing.line("trf_1", "done")
        terminal.flush()
        shown = os.read(reader, 1000).decode()
    os.close(reader)
    assert ("\x1b[32mdone" in shown, "done" in shown) == (is_green, True)
    assert ("\x1b" in shown) == is_green


def test_into_a_pipe_goes_no_colour(capsys: pytest.CaptureFixture[str]) -> None:
    printing.line("trf_1", "done")
    assert capsys.readouterr().out == "trf_1  done\n"


def test_hooks_before_a_commit_are_what_make_check_runs() -> None:
    """A file for YAML's sake is read as text, so that both are seen as they are written."""
    hooks = re.findall(r"entry: \S+ -m (.+)", (ROOT / ".pre-commit-config.yaml").read_text())
    recipe = (ROOT / "Makefile").read_text().partition("\ncheck:")[2].partition("\n\n")[0]
    checks = re.findall(r"\$\(PYTHON\) -m (.+)", recipe)
    assert [hook.removesuffix(" --force-exclude") for hook in hooks] == [
        check.removesuffix(" .") for check in checks
    ]


def test_the_version_is_that_of_the_installed_package() -> None:
    shown = CliRunner().invoke(bridge, ["--version"]).stdout.strip()
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+)?(\+\S+)?", shown)
