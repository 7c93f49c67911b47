"""What is in deploy/ starts commands that there are, with names that are read; tools agree."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from app.cli import app as bridge
from app.settings import Settings

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if "build" in one}
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMMANDS = set(get_command(bridge).commands)  # type: ignore[attr-defined]
NAMES = {name.upper() for name in Settings.model_fields}


def test_each_process_has_a_service_and_a_unit_of_its_command() -> None:
    everybody = {"api", "worker", "sweeper", "listener"}
    assert {one["command"][0] for one in OURS.values()} == everybody <= COMMANDS
    started = re.findall(
        r"^ExecStart=/opt/bridge/bin/bridge (\w+)$",
        "\n".join(unit.read_text() for unit in UNITS),
        re.MULTILINE,
    )
    assert set(started) == everybody
    wanted = re.findall(r"bridge-\w+\.service", (DEPLOY / "systemd" / "bridge.target").read_text())
    assert sorted(wanted) == [unit.name for unit in UNITS]


def test_containers_are_closed_and_read_the_names_that_there_are() -> None:
    for one in OURS.values():
        assert set(one["environment"]) <= NAMES
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert one["security_opt"] == ["no-new-privileges:true"]
        assert set(one["depends_on"]) <= set(SERVICES)
        test = one.get("healthcheck", {}).get("test")
        assert test is None or test[2] in COMMANDS
    published = [port for one in SERVICES.values() for port in one.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published)
    inside = {name for name, one in SERVICES.items() if one["networks"] == ["inside"]}
    assert inside == {"postgres", "valkey"}
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_the_compose_file_is_good_by_the_schema_of_compose(tmp_path: Path) -> None:
    """Beside a copy with a misspelt word in it, which is the only one that is told of."""
    wrong = (DEPLOY / "compose.yaml").read_text().replace("    healthcheck:", "    heathcheck:", 1)
    (tmp_path / "wrong.yaml").write_text(wrong)
    judge = ["check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    judge += ["--output-format", "json", tmp_path / "wrong.yaml", DEPLOY / "compose.yaml"]
    done = subprocess.run(
        [sys.executable, "-m", *judge], capture_output=True, text=True, check=False
    )
    found = json.loads(done.stdout)["errors"]
    assert [Path(one["filename"]).name for one in found] == ["wrong.yaml"], done.stdout


def test_no_secret_is_written_in_a_file() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    for name in ("POSTGRES_PASSWORD", "ADMIN_KEY", "ENCRYPTION_KEYS"):
        assert re.findall(rf"\b{name}\b[^\n]*", text)
        assert not re.search(rf"^\s+{name}: [^$\n]", text, re.MULTILINE)


def test_the_image_runs_as_nobody_in_particular_and_copies_what_there_is() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    last = text.rpartition("\nFROM ")[2]
    assert "USER 10001:10001" in last
    assert 'CMD ["bridge", "alive"]' in last
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    root = DEPLOY.parent
    sources = {name for line in copied for name in line.split()}
    assert {name for name in sources if not (root / name).exists()} == set()
    ignored = (root / ".dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in sources} <= set(ignored)


def test_the_example_of_the_environment_can_be_read_by_a_shell(tmp_path: Path) -> None:
    """Every default, taken in, is the default."""
    text = (DEPLOY / "env.example").read_text()
    file = tmp_path / "bridge.env"
    file.write_text(re.sub(r"^#(?=[A-Z_]+=)", "", text, flags=re.MULTILINE))
    given = subprocess.run(
        ["sh", "-c", f"set -a; . {file}; env -0"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert given.stderr == ""
    found = dict(line.split("=", 1) for line in given.stdout.split("\0") if "=" in line)
    assert set(found) >= NAMES
    assert found["RETRY_SCHEDULE"] == "5s 30s 2m 10m 30m 2h 5h 10h"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_finds_the_units_good(tmp_path: Path) -> None:
    command = tmp_path / "bridge"
    command.write_text("#!/bin/sh\n")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    files = []
    for unit in [*UNITS, DEPLOY / "systemd" / "bridge.target"]:
        text = unit.read_text().replace("/opt/bridge/bin/bridge", str(command))
        files.append(tmp_path / unit.name)
        files[-1].write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "bridge" in line]
    assert (done.returncode, said) == (0, [])


@pytest.mark.skipif(not shutil.which("caddy"), reason="there is no caddy here")
def test_caddy_finds_its_file_good(tmp_path: Path) -> None:
    file = DEPLOY / "proxy" / "Caddyfile"
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    words = ["caddy", "validate", "--adapter", "caddyfile", "--config", file]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(
    not (shutil.which("nginx") and shutil.which("openssl")), reason="there is no nginx here"
)
def test_nginx_finds_its_file_good(tmp_path: Path) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-subj", "/CN=bridge"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-keyout", "bridge.key", "-out", "bridge.crt"),
        ],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    ours = (DEPLOY / "proxy" / "nginx.conf").read_text()
    (tmp_path / "site.conf").write_text(ours.replace("/etc/nginx/tls", str(tmp_path)))
    places = "".join(
        f"{name}_temp_path {tmp_path}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}}"
        f" http {{ access_log off; {places} include {tmp_path}/site.conf; }}"
    )
    done = subprocess.run(
        ["nginx", "-t", "-c", tmp_path / "nginx.conf", "-e", "stderr"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
