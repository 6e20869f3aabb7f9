"""Settings: read from the environment, and a wrong value stops the start by its name."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from consent_server.app import create_app
from consent_server.config import OWN_PATHS, Settings, load_settings, sqlite_path
from consent_server.errors import ConfigError
from consent_server.store.database import Database

RIGHT: list[tuple[str, str, Any]] = [
    ("database_url", "postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
    ("host", "0.0.0.0", "0.0.0.0"),
    ("port", "8123", 8123),
    ("threads", "4", 4),
    ("public_url", "https://consent.example/", "https://consent.example"),
    ("widget_path", "/assets", "/assets"),
    ("key_folder", "/srv/keys", "/srv/keys"),
    ("checkpoint_targets", "file:/srv/checkpoints", "file:/srv/checkpoints"),
    ("witness_logs", "/srv/logs", "/srv/logs"),
    ("witness_name", "witness.example.net", "witness.example.net"),
    ("api_token", "t" * 32, "t" * 32),
    ("trusted_proxies", "2", 2),
    ("region_header", "CF-IPCountry,CF-Region-Code", "CF-IPCountry,CF-Region-Code"),
    ("region_database", "/srv/regions.mmdb", "/srv/regions.mmdb"),
    ("decisions_per_minute", "10", 10),
    ("site_decisions_per_minute", "11", 11),
    ("demo", "true", True),
    ("scripts_without_proof", "false", False),
    ("log_level", "DEBUG", "debug"),
    ("log_format", "JSON", "json"),
    ("request_log", "true", True),
    ("metrics_token", "m" * 32, "m" * 32),
]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in dataclasses.fields(Settings):
        monkeypatch.delenv(f"CONSENT_{field.name.upper()}", raising=False)


def test_without_an_environment_the_defaults_hold() -> None:
    assert load_settings() == Settings()


def test_no_secret_has_a_default() -> None:
    assert Settings().api_token == ""


@pytest.mark.parametrize(("name", "value", "expected"), RIGHT)
def test_every_setting_is_read_from_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: Any
) -> None:
    monkeypatch.setenv(f"CONSENT_{name.upper()}", value)
    assert load_settings() == dataclasses.replace(Settings(), **{name: expected})


def test_every_setting_is_tried_above() -> None:
    assert {name for name, _, _ in RIGHT} == {field.name for field in dataclasses.fields(Settings)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "mysql://h/d"),
        ("witness_name", "a witness"),
        ("witness_name", "witness+1"),
        ("database_url", "postgresql://h/d"),
        ("database_url", "sqlite://"),
        ("database_url", "sqlite:///"),
        ("database_url", "sqlite:///:memory:"),
        ("host", ""),
        ("host", "a..b"),
        ("host", "ex ample"),
        ("host", "x" * 70),
        ("port", "http"),
        ("port", "65536"),
        ("port", "-1"),
        ("threads", "0"),
        ("threads", "257"),
        ("public_url", "consent.example"),
        ("public_url", "ftp://consent.example"),
        ("public_url", "https://[::1"),
        ("public_url", "https:"),
        ("public_url", "http:foo"),
        ("public_url", "https://consent.example:99999"),
        ("widget_path", "w"),
        ("widget_path", "/"),
        ("widget_path", "/w/"),
        ("widget_path", "/<x>"),
        ("widget_path", "/w w"),
        ("widget_path", "//evil.example"),
        ("widget_path", "/../w"),
        ("widget_path", "/api"),
        ("widget_path", "/api/v1"),
        ("api_token", "short"),
        ("trusted_proxies", "-1"),
        ("trusted_proxies", "6"),
        ("region_header", "X Region"),
        ("region_header", "A,B,C"),
        ("decisions_per_minute", "0"),
        ("site_decisions_per_minute", "0"),
        ("demo", "perhaps"),
        ("log_level", "loud"),
        ("log_format", "xml"),
        ("request_log", "perhaps"),
        ("metrics_token", "short"),
    ],
)
def test_a_wrong_value_stops_the_start_and_names_itself(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"CONSENT_{name.upper()}", value)
    with pytest.raises(ConfigError, match=f"CONSENT_{name.upper()}"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", "::1"),
        ("host", "localhost"),
        ("public_url", "http://[::1]:8000"),
        ("public_url", "https://b\u00fccher.example"),
        ("widget_path", "/a.b/c_d~e-F9"),
        ("widget_path", "/apis"),
    ],
)
def test_what_is_unusual_is_not_wrong(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"CONSENT_{name.upper()}", value)
    assert getattr(load_settings(), name) == value


def test_a_database_that_is_spelled_wrongly_is_told_without_its_password() -> None:
    with pytest.raises(ConfigError, match="CONSENT_DATABASE_URL") as refused:
        Database("postgresql+psycopg://u:half-a-secret@h:port/x")
    assert "half-a-secret" not in repr(refused.value)


def test_the_script_lies_under_no_path_of_the_servers_own(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/consent.sqlite",
        metrics_token="m" * 32,
        witness_logs=str(tmp_path / "logs"),
        witness_name="witness.example",
        demo=True,
    )
    app = create_app(settings)
    firsts = {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()}
    assert firsts - {"", "w"} == OWN_PATHS
    app.extensions["consent"].database.close()


def test_a_wrong_token_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSENT_API_TOKEN", "half-a-secret")
    with pytest.raises(ConfigError) as refused:
        load_settings()
    assert "half-a-secret" not in refused.value.detail


def test_the_command_line_wins_where_it_says_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSENT_PORT", "8123")
    assert load_settings(port=9000).port == 9000
    assert load_settings(port=None).port == 8123


def test_settings_cannot_change_after_the_start() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///var/consent.sqlite", Path("var/consent.sqlite")),
        ("sqlite:////srv/consent.sqlite", Path("/srv/consent.sqlite")),
        ("sqlite:///consent.sqlite?timeout=3", Path("consent.sqlite")),
        ("sqlite:///:memory:", None),
        ("sqlite://", None),
        ("postgresql+psycopg://h/d", None),
    ],
)
def test_the_file_of_a_database_is_found_in_its_address(url: str, path: Path | None) -> None:
    assert sqlite_path(url) == path
