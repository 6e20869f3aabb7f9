"""The other commands: catalogue, token, database; and what every command shares."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import click
import pytest
from sqlalchemy import text

from consent_server.catalogue import load_catalogue
from consent_server.cli import main
from consent_server.cli.problems import describe_database_error
from consent_server.config import MIN_TOKEN_LENGTH
from consent_server.store.database import Database
from tests.cli.conftest import Consent, Process


def test_the_catalogue_is_listed_and_each_service_shown(consent: Consent) -> None:
    listed = consent("catalogue", "list").output
    for key, service in load_catalogue().items():
        assert f"\n{key} " in listed
        shown = consent("catalogue", "show", key).output
        assert service.name in shown
        assert all(item.name in shown for item in service.items)
        assert service.purpose in shown


def test_a_service_is_shown_in_another_language(consent: Consent) -> None:
    shown = consent("catalogue", "show", "google-analytics", "--language", "sv").output
    assert "Räknar besök" in shown
    assert "Skiljer besökare från varandra." in shown
    assert "Counts visits" not in shown


def test_an_unknown_service_names_those_that_look_alike(consent: Consent) -> None:
    done = consent("catalogue", "show", "hotjarr")
    assert (done.exit_code, "did you mean hotjar" in done.output) == (1, True)


def test_a_token_is_long_and_new_each_time(consent: Consent) -> None:
    first, second = consent("token").output.strip(), consent("token").output.strip()
    assert len(first) >= MIN_TOKEN_LENGTH
    assert first != second


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONSENT_PORT", "abc"),
        ("CONSENT_DATABASE_URL", "mysql://somewhere"),
        ("CONSENT_API_TOKEN", "short"),
    ],
)
def test_a_wrong_setting_stops_the_command_by_its_name(
    process: Process, environment: dict[str, str], name: str, value: str
) -> None:
    environment[name] = value
    done = process("run")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_does_not_answer_is_told_in_a_message(
    process: Process, environment: dict[str, str]
) -> None:
    environment["CONSENT_DATABASE_URL"] = "postgresql+psycopg://nobody@127.0.0.1:9/none"
    done = process("site", "list")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The database answered: ")
    assert "Traceback" not in done.stderr


def test_another_releases_schema_is_refused_and_never_upgraded_unasked(
    consent: Consent, database: Database
) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    done = consent("site", "list")
    assert (done.exit_code, "another release's schema" in done.output) == (1, True)
    newer = consent("database", "upgrade")
    assert (newer.exit_code, "comes from a newer release" in newer.output) == (1, True)


def test_every_command_says_what_it_is_for() -> None:
    def walk(group: object) -> None:
        for command in getattr(group, "commands", {}).values():
            assert command.get_short_help_str(200).endswith("."), command.name
            options = [one for one in command.params if isinstance(one, click.Option)]
            assert all(option.help for option in options), command.name
            walk(command)

    walk(main)


def test_a_file_that_this_user_may_not_open_is_told_with_what_to_do(
    process: Process, environment: dict[str, str], tmp_path: Path
) -> None:
    # Rights mean nothing to whoever is root; a folder is no file for anybody.
    environment["CONSENT_DATABASE_URL"] = f"sqlite:///{tmp_path}"
    done = process("site", "list")
    assert done.returncode == 1
    assert "unable to open database file" in done.stderr
    assert "run commands as the user that the server runs as" in done.stderr


def test_so_is_a_file_that_may_only_be_read(tmp_path: Path) -> None:
    file = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE a (b)")
    with (
        closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection,
        pytest.raises(sqlite3.OperationalError) as refused,
    ):
        connection.execute("DROP TABLE a")
    said = describe_database_error(refused.value)
    assert "attempt to write a readonly database" in said
    assert "run commands as the user that the server runs as" in said


@pytest.mark.parametrize("command", [("site", "check"), ("gate", ".", "--site")])
@pytest.mark.parametrize("name", ["deep.toml", "deep.json"])
def test_a_file_with_no_end_of_lists_is_told_in_a_message(
    process: Process, tmp_path: Path, command: tuple[str, ...], name: str
) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    (tmp_path / name).write_text(f"x = {deep}" if name.endswith("toml") else deep, "utf-8")
    done = process(*command, name)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {name}")
    assert "Traceback" not in done.stderr
