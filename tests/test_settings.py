"""Every knob: its name in the environment, its default, and what is said of a bad value."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from app.settings import LATE_RETRY, Rate, Settings

ROOT = Path(__file__).parent.parent

# The names and defaults that are promised to who runs the bridge.
DEFAULTS: dict[str, Any] = {
    "DATABASE_URL": "sqlite:///./var/bridge.db",
    "REDIS_URL": "",
    "HOST": "127.0.0.1",
    "PORT": 8000,
    "PUBLIC_URL": "http://127.0.0.1:8000",
    "ADMIN_KEY": SecretStr(""),
    "ENCRYPTION_KEYS": (),
    "SEVERA_URL": "https://api.severa.visma.com/rest-api",
    "FORTNOX_URL": "https://api.fortnox.se",
    "FORTNOX_AUTH_URL": "https://apps.fortnox.se/oauth-v1",
    "FORTNOX_WEBSOCKET_URL": "wss://ws.fortnox.se/topics-v1",
    "FORTNOX_RATE": Rate(25, 5),
    "SEVERA_RATE": Rate(10, 1),
    "POLL_INTERVAL": 60,
    "OIDC_ISSUER": "",
    "OIDC_CLIENT_ID": "",
    "OIDC_CLIENT_SECRET": SecretStr(""),
    "OIDC_SCOPES": "openid profile email",
    "OIDC_ROLE_CLAIM": "groups",
    "OIDC_ROLES": {},
    "SMTP_URL": SecretStr(""),
    "MAIL_FROM": "bridge@localhost",
    "QUARANTINE": 600,
    "RETRY_SCHEDULE": tuple(
        timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 7200, 18000, 36000)
    ),
    "WORKER_CONCURRENCY": 16,
    "TRACES_URL": "",
    "LOG_LEVEL": "INFO",
    "LOG_FORMAT": "console",
    "RETENTION_DAYS": 400,
}
NEWEST, OLDEST = "B" * 43 + "=", "A" * 43 + "="
GIVEN: dict[str, tuple[str, Any]] = {
    "DATABASE_URL": ("postgresql://db/bridge", "postgresql://db/bridge"),
    "REDIS_URL": ("redis://cache", "redis://cache"),
    "HOST": ("0.0.0.0", "0.0.0.0"),
    "PORT": ("8080", 8080),
    "PUBLIC_URL": ("https://bridge.example", "https://bridge.example"),
    "ADMIN_KEY": ("adm_1", SecretStr("adm_1")),
    "ENCRYPTION_KEYS": (f" {NEWEST} , {OLDEST},", (SecretStr(NEWEST), SecretStr(OLDEST))),
    "SEVERA_URL": ("https://severa.example", "https://severa.example"),
    "FORTNOX_URL": ("https://fortnox.example", "https://fortnox.example"),
    "FORTNOX_AUTH_URL": ("https://auth.example", "https://auth.example"),
    "FORTNOX_WEBSOCKET_URL": ("", ""),
    "FORTNOX_RATE": ("4/1.5", Rate(4, 1.5)),
    "SEVERA_RATE": (" 1 / 60 ", Rate(1, 60)),
    "POLL_INTERVAL": ("0", 0),
    "OIDC_ISSUER": ("https://login.example/it", "https://login.example/it"),
    "OIDC_CLIENT_ID": ("bridge", "bridge"),
    "OIDC_CLIENT_SECRET": ("canary", SecretStr("canary")),
    "OIDC_SCOPES": ("openid groups", "openid groups"),
    "OIDC_ROLE_CLAIM": ("realm_access.roles", "realm_access.roles"),
    "OIDC_ROLES": (
        "configure=it; view = the ledger , payroll;",
        {"configure": {"it"}, "view": {"the ledger", "payroll"}},
    ),
    "SMTP_URL": ("smtp://user:pass@mail:25", SecretStr("smtp://user:pass@mail:25")),
    "MAIL_FROM": ("bridge@acme.example", "bridge@acme.example"),
    "QUARANTINE": ("0.5", 0.5),
    "RETRY_SCHEDULE": ("1s 2m  3h 1d", tuple(timedelta(seconds=s) for s in (1, 120, 10800, 86400))),
    "WORKER_CONCURRENCY": ("1", 1),
    "TRACES_URL": ("http://collector:4318/v1/traces", "http://collector:4318/v1/traces"),
    "LOG_LEVEL": ("DEBUG", "DEBUG"),
    "LOG_FORMAT": ("json", "json"),
    "RETENTION_DAYS": ("90", 90),
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_defaults_are_the_promised_ones() -> None:
    found = Settings()
    assert {name: getattr(found, name.lower()) for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize("name", GIVEN)
def test_every_name_is_read_from_the_environment(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, value = GIVEN[name]
    if name == "OIDC_ISSUER":  # which is nothing without these
        monkeypatch.setenv("OIDC_CLIENT_ID", "bridge")
        monkeypatch.setenv("OIDC_ROLES", "view=*")
    monkeypatch.setenv(name, text)
    assert getattr(Settings(), name.lower()) == value


def test_every_promised_name_is_tried() -> None:
    assert set(GIVEN) == set(DEFAULTS)
    assert set(DEFAULTS) <= {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("name", [name for name in DEFAULTS if name != "FORTNOX_WEBSOCKET_URL"])
def test_a_name_left_empty_means_its_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "")
    assert getattr(Settings(), name.lower()) == DEFAULTS[name]


BAD = {
    "PORT": ("eight", "-1", "65536"),
    "FORTNOX_RATE": ("25", "0/5", "25/0", "-1/5", "25/5/5", "fast"),
    "SEVERA_RATE": ("10 per second",),
    "POLL_INTERVAL": ("-1", "often"),
    "QUARANTINE": ("0", "-5", "10m"),
    "RETRY_SCHEDULE": ("5", "5s,30s", "5s -1m", "soon", "   "),
    "OIDC_ISSUER": ("http://login.example", "login.example"),
    "OIDC_ROLES": ("it", "owner=it", "view=", "view=a; view=b"),
    "WORKER_CONCURRENCY": ("0", "257", "many"),
    "LOG_LEVEL": ("LOUD",),
    "LOG_FORMAT": ("xml",),
    "RETENTION_DAYS": ("0", "1.5", "ever"),
    "ENCRYPTION_KEYS": ("not-a-fernet-key", "YQ==", f"{NEWEST},x", "å" * 44),
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_a_bad_value_names_its_field(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert [error["loc"][0] for error in caught.value.errors()] == [name.lower()]


@pytest.mark.parametrize("left_out", ["OIDC_CLIENT_ID", "OIDC_ROLES"])
def test_half_a_log_in_at_the_organisation_is_refused(
    left_out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {"OIDC_CLIENT_ID": "bridge", "OIDC_ROLES": "view=*"}
    for name, value in ({"OIDC_ISSUER": "https://login.example"} | whole).items():
        if name != left_out:
            monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=left_out):
        Settings()


def test_a_bad_key_is_not_shown_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", "canary-of-a-key")
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert "canary" not in str(caught.value)


def test_secrets_are_not_shown_by_accident() -> None:
    settings = Settings(admin_key=SecretStr("canary"), smtp_url=SecretStr("smtp://canary"))
    assert "canary" not in repr(settings)


def test_settings_do_not_change_while_the_program_runs() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1


def test_waits_follow_the_schedule_and_then_come_every_twelve_hours() -> None:
    settings = Settings(retry_schedule="5s 30s")  # type: ignore[arg-type]
    waits = [settings.retry_wait(tries) for tries in (0, 1, 2, 3, 40)]
    five, thirty = timedelta(seconds=5), timedelta(seconds=30)
    assert waits == [five, five, thirty, LATE_RETRY, LATE_RETRY]
    assert timedelta(hours=12) == LATE_RETRY


def test_the_example_lists_every_name_with_a_comment() -> None:
    lines = (ROOT / "deploy" / "env.example").read_text().splitlines()
    listed = {match[1]: number for number, line in enumerate(lines) if (match := ASSIGNED(line))}
    assert set(listed) == {name.upper() for name in Settings.model_fields}
    for name, number in listed.items():
        assert lines[number - 1].startswith("# "), name


ASSIGNED = re.compile(r"#?([A-Z][A-Z_]*)=").match
