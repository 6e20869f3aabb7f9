"""Settings: read once from `CONSENT_*`, frozen, wrong values stop the start."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import Env, EnvError

from consent_server.errors import ConfigError

MIN_TOKEN_LENGTH = 32
#: Names of keys in signed notes (C2SP signed-note).
_NAME = re.compile(r"[!-*,-~]{1,200}")

#: A field name (RFC 9110, 5.1), and perhaps another for the part of the country.
_HEADERS = re.compile(r"[A-Za-z0-9-]{1,60}(, ?[A-Za-z0-9-]{1,60})?")
#: What needs no quoting in a path (RFC 3986, 2.3), nor in the pages that it is written into.
_PATH = re.compile(r"(/(?![.]+(/|$))[A-Za-z0-9._~-]+)+")
#: Where paths of this server's own begin.
OWN_PATHS = frozenset(
    {".well-known", "api", "demo", "healthz", "metrics", "openapi.json", "pages", "readyz"}
    | {"witness"}
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may choose; every field is described in docs/settings.md."""

    database_url: str = "sqlite:///var/consent.sqlite"
    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 16
    public_url: str = ""
    widget_path: str = "/w"
    key_folder: str = ""
    checkpoint_targets: str = ""
    witness_logs: str = ""
    witness_name: str = ""
    api_token: str = ""
    trusted_proxies: int = 0
    region_header: str = ""
    region_database: str = ""
    decisions_per_minute: int = 60
    site_decisions_per_minute: int = 60_000
    scripts_without_proof: bool = True
    demo: bool = False
    log_level: str = "info"
    log_format: str = "text"
    request_log: bool = False
    metrics_token: str = ""

    def __post_init__(self) -> None:
        _check(self)


def load_settings(**overrides: Any) -> Settings:
    """Read the environment; `overrides` (from the command line) win.

    Raises ConfigError that names the variable and says what is expected.
    """
    env = Env(prefix="CONSENT_")
    defaults = Settings()
    try:
        values: dict[str, Any] = {
            "database_url": env.str("DATABASE_URL", defaults.database_url),
            "host": env.str("HOST", defaults.host),
            "port": env.int("PORT", defaults.port),
            "threads": env.int("THREADS", defaults.threads),
            "public_url": env.str("PUBLIC_URL", defaults.public_url).rstrip("/"),
            "widget_path": env.str("WIDGET_PATH", defaults.widget_path),
            "key_folder": env.str("KEY_FOLDER", defaults.key_folder),
            "checkpoint_targets": env.str("CHECKPOINT_TARGETS", defaults.checkpoint_targets),
            "witness_logs": env.str("WITNESS_LOGS", defaults.witness_logs),
            "witness_name": env.str("WITNESS_NAME", defaults.witness_name),
            "api_token": env.str("API_TOKEN", defaults.api_token),
            "trusted_proxies": env.int("TRUSTED_PROXIES", defaults.trusted_proxies),
            "region_header": env.str("REGION_HEADER", defaults.region_header),
            "region_database": env.str("REGION_DATABASE", defaults.region_database),
            "decisions_per_minute": env.int("DECISIONS_PER_MINUTE", defaults.decisions_per_minute),
            "site_decisions_per_minute": env.int(
                "SITE_DECISIONS_PER_MINUTE", defaults.site_decisions_per_minute
            ),
            "scripts_without_proof": env.bool(
                "SCRIPTS_WITHOUT_PROOF", defaults.scripts_without_proof
            ),
            "demo": env.bool("DEMO", defaults.demo),
            "log_level": env.str("LOG_LEVEL", defaults.log_level).lower(),
            "log_format": env.str("LOG_FORMAT", defaults.log_format).lower(),
            "request_log": env.bool("REQUEST_LOG", defaults.request_log),
            "metrics_token": env.str("METRICS_TOKEN", defaults.metrics_token),
        }
    except EnvError as error:
        raise ConfigError(str(error)) from error
    values.update({k: v for k, v in overrides.items() if v is not None})
    return Settings(**values)


def sqlite_path(url: str) -> Path | None:
    """Return the file behind a SQLite URL, or None for memory and other databases."""
    if not url.startswith("sqlite:///"):
        return None
    name = url.removeprefix("sqlite:///").split("?", 1)[0]
    return Path(name) if name and name != ":memory:" else None


def key_folder(settings: Settings) -> Path:
    """Return the folder of the signing keys: as set, else beside the SQLite file."""
    if settings.key_folder:
        return Path(settings.key_folder)
    path = sqlite_path(settings.database_url)
    return (path.parent if path else Path("var")) / "keys"


def is_address(text: str) -> bool:
    """Tell whether a text is an absolute http(s) address of a host that can be."""
    try:
        parts = urlsplit(text)
        named = parts.scheme in {"http", "https"} and is_host(parts.hostname or "")
        return named and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def is_host(text: str) -> bool:
    """Tell whether each word of a host's name has a length that may be (RFC 1035, 2.3.4)."""
    try:
        text.encode("idna")
    except UnicodeError:
        return False
    return bool(text) and not re.search(r"\s", text)


def check_database_url(url: str, name: str) -> None:
    """Raise ConfigError, by the name of the option, for an address that is no database's here."""
    _refuse_wrong(_check_database(url, name))


def _check(settings: Settings) -> None:
    _refuse_wrong([*_check_serving(settings), *_check_operating(settings)])


def _refuse_wrong(checks: list[tuple[bool, str]]) -> None:
    for right, message in checks:
        if not right:
            raise ConfigError(message)


def _check_database(url: str, name: str) -> list[tuple[bool, str]]:
    return [
        (
            url.startswith(("sqlite://", "postgresql+psycopg://")),
            f"{name} must start with sqlite:/// or postgresql+psycopg://",
        ),
        (
            not url.startswith("sqlite") or sqlite_path(url) is not None,
            f"{name} must name a file behind sqlite:///: what is in memory is lost",
        ),
    ]


def _check_serving(settings: Settings) -> list[tuple[bool, str]]:
    return [
        *_check_database(settings.database_url, "CONSENT_DATABASE_URL"),
        (is_host(settings.host), "CONSENT_HOST must be an address, or the name of a host"),
        (0 <= settings.port <= 65535, "CONSENT_PORT must be 0 to 65535"),
        (1 <= settings.threads <= 256, "CONSENT_THREADS must be 1 to 256"),
        (
            not settings.public_url or is_address(settings.public_url),
            "CONSENT_PUBLIC_URL must be an absolute http(s) address",
        ),
        (
            _PATH.fullmatch(settings.widget_path) is not None
            and settings.widget_path.split("/")[1] not in OWN_PATHS,
            "CONSENT_WIDGET_PATH must be a path such as /w or /a/b, of letters without accents, "
            "digits and . _ ~ -, that does not begin as one of this server's own (/api)",
        ),
        (
            not settings.api_token or len(settings.api_token) >= MIN_TOKEN_LENGTH,
            f"CONSENT_API_TOKEN must have at least {MIN_TOKEN_LENGTH} characters; "
            "make one with: consent-server token",
        ),
        (
            not settings.witness_name or _NAME.fullmatch(settings.witness_name) is not None,
            "CONSENT_WITNESS_NAME must be a name such as witness.example.net: no spaces, no plus",
        ),
    ]


def _check_operating(settings: Settings) -> list[tuple[bool, str]]:
    return [
        (0 <= settings.trusted_proxies <= 5, "CONSENT_TRUSTED_PROXIES must be 0 to 5"),
        (
            not settings.region_header or _HEADERS.fullmatch(settings.region_header) is not None,
            "CONSENT_REGION_HEADER must name one header, or two with a comma: "
            "CF-IPCountry,CF-Region-Code",
        ),
        (settings.decisions_per_minute >= 1, "CONSENT_DECISIONS_PER_MINUTE must be at least 1"),
        (
            settings.site_decisions_per_minute >= 1,
            "CONSENT_SITE_DECISIONS_PER_MINUTE must be at least 1",
        ),
        (
            settings.log_level in {"debug", "info", "warning", "error"},
            "CONSENT_LOG_LEVEL must be debug, info, warning or error",
        ),
        (
            not settings.metrics_token or len(settings.metrics_token) >= MIN_TOKEN_LENGTH,
            f"CONSENT_METRICS_TOKEN must have at least {MIN_TOKEN_LENGTH} characters; "
            "make one with: consent-server token",
        ),
        (settings.log_format in {"text", "json"}, "CONSENT_LOG_FORMAT must be text or json"),
    ]
