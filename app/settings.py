"""Every knob, typed; the only reader of the environment."""

import base64
import binascii
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.identity import SCOPES, Scope

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LATE_RETRY = timedelta(hours=12)
GIVE_UP = timedelta(days=7)


class Rate(NamedTuple):
    """At most `calls` in any `seconds`."""

    calls: int
    seconds: float


def _rate(text: Any) -> Any:
    if isinstance(text, str):
        match = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+(?:\.\d+)?)\s*", text)
        if not match or int(match[1]) < 1 or float(match[2]) <= 0:
            raise ValueError("expected calls/seconds, for example 25/5")
        return Rate(int(match[1]), float(match[2]))
    return text


def _schedule(text: Any) -> Any:
    if isinstance(text, str):
        waits = [re.fullmatch(r"(\d+)([smhd])", word) for word in text.split()]
        if not waits or None in waits:
            raise ValueError("expected waits like: 5s 30s 2m 10m")
        return tuple(timedelta(seconds=int(w[1]) * UNITS[w[2]]) for w in waits if w)
    return text


def _keys(text: Any) -> Any:
    if isinstance(text, str):
        keys = [key.strip() for key in text.split(",") if key.strip()]
        if not all(_is_key(key) for key in keys):
            raise ValueError("expected Fernet keys: 32 bytes each, in URL-safe base64")
        return tuple(SecretStr(key) for key in keys)
    return text


def _is_key(text: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(text)) == 32
    except (binascii.Error, ValueError):
        return False


def _roles(text: Any) -> Any:
    if isinstance(text, str):
        pairs = [pair.partition("=") for pair in text.split(";") if pair.strip()]
        named = {scope.strip(): _values(values) for scope, _, values in pairs}
        if not set(named) <= set(SCOPES) or len(named) < len(pairs) or not all(named.values()):
            raise ValueError("expected roles like: configure=it; operate=ledger, payroll; view=*")
        return named
    return text


def _values(text: str) -> frozenset[str]:
    return frozenset(one.strip() for one in text.split(",") if one.strip())


def _issuer(text: str) -> str:
    found = urlsplit(text)
    if text and not (found.scheme == "https" or found.hostname in ("127.0.0.1", "localhost")):
        raise ValueError("expected an address that begins with https://")
    return text


def _page(text: str) -> str:
    if text and not (text.startswith(("https://", "http://")) and "{id}" in text):
        raise ValueError("expected an address that begins with https:// and has {id} in it")
    return text


def _websocket() -> str:
    """Empty is a value here, unlike everywhere else: no listener."""
    return os.environ.get("FORTNOX_WEBSOCKET_URL", "wss://ws.fortnox.se/topics-v1")


RateSetting = Annotated[Rate, NoDecode, BeforeValidator(_rate)]
Schedule = Annotated[tuple[timedelta, ...], NoDecode, BeforeValidator(_schedule)]
Roles = Annotated[Mapping[Scope, frozenset[str]], NoDecode, BeforeValidator(_roles)]
Keys = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_keys)]


class Settings(BaseSettings):
    """Names, defaults and meaning: `deploy/env.example`."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    database_url: str = "sqlite:///./var/bridge.db"
    redis_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    public_url: str = "http://127.0.0.1:8000"
    admin_key: SecretStr = SecretStr("")
    encryption_keys: Keys = ()
    severa_url: str = "https://api.severa.visma.com/rest-api"
    fortnox_url: str = "https://api.fortnox.se"
    severa_page: Annotated[str, AfterValidator(_page)] = ""
    fortnox_page: Annotated[str, AfterValidator(_page)] = ""
    fortnox_auth_url: str = "https://apps.fortnox.se/oauth-v1"
    fortnox_websocket_url: str = Field(default_factory=_websocket)
    fortnox_rate: RateSetting = Rate(25, 5)
    severa_rate: RateSetting = Rate(10, 1)
    poll_interval: float = Field(60, ge=0)
    oidc_issuer: Annotated[str, AfterValidator(_issuer)] = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_scopes: str = "openid profile email"
    oidc_role_claim: str = "groups"
    oidc_roles: Roles = Field(default_factory=dict)
    smtp_url: SecretStr = SecretStr("")
    mail_from: str = "bridge@localhost"
    ingest_rate: RateSetting = Rate(100_000, 10)
    quarantine: float = Field(600, gt=0)
    retry_schedule: Schedule = tuple(
        timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 7200, 18000, 36000)
    )
    worker_concurrency: int = Field(16, ge=1, le=256)
    traces_url: str = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"
    no_color: str = ""
    retention_days: int = Field(400, ge=1)
    sandbox: bool = False
    var_dir: Path = Path("var")

    @model_validator(mode="after")
    def _sign_on_is_whole(self) -> Self:
        """Half of it would be a button that leads nowhere, or lets nobody in."""
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_roles):
            raise ValueError("OIDC_ISSUER needs OIDC_CLIENT_ID and OIDC_ROLES")
        return self

    @property
    def rates(self) -> dict[Literal["severa", "fortnox"], Rate]:
        return {"severa": self.severa_rate, "fortnox": self.fortnox_rate}

    @property
    def quarantine_time(self) -> timedelta:
        return timedelta(seconds=self.quarantine)

    def retry_wait(self, tries: int) -> timedelta:
        """How long to wait after the `tries`-th run in a row (from 1) that did not go through."""
        if tries <= len(self.retry_schedule):
            return self.retry_schedule[max(tries, 1) - 1]
        return LATE_RETRY


def environment(**changes: str) -> dict[str, str]:
    """The environment of a child process: ours, with these names set."""
    return os.environ | changes


@cache
def settings() -> Settings:
    return Settings()
