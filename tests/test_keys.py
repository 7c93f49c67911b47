"""The keys of an installation: given, or made once and readable by us alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from app import keys, vault
from app.settings import Settings

ROOT = Path(__file__).parent.parent
ASK = """
import json, sys
from pathlib import Path
from app import keys
from app.settings import Settings

print("ready", flush=True)
sys.stdin.readline()
for number in range(40):
    found = keys.ensure(Settings(var_dir=Path(sys.argv[1]) / str(number)))
    print(json.dumps([found.admin, found.encryption, found.made]))
"""


def test_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path / "var")
    first, second = keys.ensure(settings), keys.ensure(settings)
    assert (first.made, second.made) == (True, False)
    assert (first.admin, first.encryption) == (second.admin, second.encryption)
    assert first.admin.startswith("adm_")
    assert len(first.admin) >= 36
    Fernet(first.encryption[0])


def test_they_can_be_read_by_us_alone(tmp_path: Path) -> None:
    keys.ensure(Settings(var_dir=tmp_path))
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"admin.key": 0o600, "encryption.key": 0o600}


def test_given_keys_are_taken_and_nothing_is_written(tmp_path: Path) -> None:
    newest, oldest = vault.new_key(), vault.new_key()
    settings = Settings(
        var_dir=tmp_path / "var",
        admin_key=SecretStr("adm_given"),
        encryption_keys=f"{newest}, {oldest},",  # type: ignore[arg-type]
    )
    assert keys.ensure(settings) == keys.Keys("adm_given", (newest, oldest), made=False)
    assert not (tmp_path / "var").exists()


def test_two_installations_have_different_keys(tmp_path: Path) -> None:
    one, two = (keys.ensure(Settings(var_dir=tmp_path / name)) for name in "ab")
    assert one.admin != two.admin
    assert one.encryption != two.encryption


def test_a_key_file_may_hold_several_keys_newest_first(tmp_path: Path) -> None:
    newest, oldest = vault.new_key(), vault.new_key()
    (tmp_path / "encryption.key").write_text(f"{newest},{oldest}\n")
    assert keys.ensure(Settings(var_dir=tmp_path)).encryption == (newest, oldest)


@pytest.mark.processes
def test_five_processes_that_start_at_once_make_one_key(tmp_path: Path) -> None:
    askers = [
        subprocess.Popen(
            [sys.executable, "-c", ASK, str(tmp_path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(5)
    ]
    for asker in askers:
        assert asker.stdout is not None
        assert asker.stdout.readline() == "ready\n"
    for asker in askers:
        assert asker.stdin is not None
        asker.stdin.write("\n")
        asker.stdin.flush()
    told = [asker.communicate(timeout=30)[0].splitlines() for asker in askers]
    for lines in zip(*told, strict=True):
        found = [json.loads(line) for line in lines]
        assert len({admin for admin, _, _ in found}) == 1
        assert len({tuple(encryption) for _, encryption, _ in found}) == 1
        assert [made for _, _, made in found].count(True) == 1
