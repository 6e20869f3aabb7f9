"""Backup and restore: a verified copy under load, a way back that hides no loss."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consent_server.cli import main
from consent_server.config import Settings, sqlite_path
from consent_server.store.database import Database
from consent_server.store.schema import upgrade_schema
from tests.browser.running_server import RunningServer
from tests.soak.writers import Load
from tests.visitor import Visitor

from .test_killed import read_template


def call(runner: CliRunner, *arguments: str | Path) -> Result:
    return runner.invoke(main, [*map(str, arguments)])


@pytest.fixture
def file(settings: Settings) -> Path:
    found = sqlite_path(settings.database_url)
    assert found is not None
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "copy.sqlite"


@pytest.fixture
def backed_up(runner: CliRunner, visitor: Visitor, copy: Path) -> Path:
    """A copy that holds one sealed decision."""
    copy.parent.mkdir()
    visitor.accept_all()
    call(runner, "ledger", "seal")
    done = call(runner, "database", "backup", copy)
    assert done.exit_code == 0, done.output
    assert "smilee: 1 records, 3 leaves as they were sealed up to 20" in done.output
    return copy


def test_a_copy_is_for_its_owner_only_and_is_not_replaced_unasked(
    runner: CliRunner, backed_up: Path
) -> None:
    assert backed_up.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in backed_up.parent.iterdir()] == ["copy.sqlite"]
    again = call(runner, "database", "backup", backed_up)
    assert again.exit_code == 1
    assert "--force" in again.output
    assert call(runner, "database", "backup", backed_up, "--force").exit_code == 0


def test_a_copy_comes_back_and_tells_what_it_lacks(
    runner: CliRunner, visitor: Visitor, database: Database, backed_up: Path, file: Path
) -> None:
    visitor.withdraw()
    call(runner, "ledger", "seal")
    database.close()
    refused = call(runner, "database", "restore", backed_up)
    assert refused.exit_code == 1
    assert "Add --yes" in refused.output
    done = call(runner, "database", "restore", backed_up, "--yes")
    assert done.exit_code == 0, done.output
    assert "1 are missing here" in done.output
    assert f"{file} is restored" in done.output
    (kept,) = file.parent.glob("consent.sqlite.before-*Z")
    assert str(kept) in done.output
    records = visitor.read_decisions().json
    assert records is not None
    assert [one["kind"] for one in records["decisions"]] == ["given"]
    visitor.accept_all()
    assert call(runner, "ledger", "seal").exit_code == 1
    reason = ("--site", "smilee", "--reason", "restored", "--yes")
    assert call(runner, "ledger", "begin-anew", *reason).exit_code == 0
    assert call(runner, "ledger", "verify", "--site", "smilee").exit_code == 0


def test_nothing_is_restored_under_a_running_server(
    runner: CliRunner, database: Database, backed_up: Path
) -> None:
    with database.read() as session:
        session.connection()
        refused = call(runner, "database", "restore", backed_up, "--yes")
    assert refused.exit_code == 1
    assert "Stop the server" in refused.output


@pytest.mark.parametrize("name", ["a#b", "a?b=c", "100%25", "a b"])
def test_files_may_be_called_as_no_address_is(
    runner: CliRunner, published_file: Path, tmp_path: Path, name: str
) -> None:
    # In the address of the database a question mark begins its options.
    live = tmp_path / name.replace("?", "") / "live.sqlite"
    live.parent.mkdir()
    shutil.copyfile(published_file, live)
    copy = tmp_path / f"of {name}" / f"{name}.sqlite"
    copy.parent.mkdir()
    environment = {"CONSENT_DATABASE_URL": f"sqlite:///{live}"}
    for command in (("backup", str(copy)), ("restore", str(copy), "--yes")):
        done = runner.invoke(main, ["database", *command], env=environment)
        assert done.exit_code == 0, done.output
        assert "smilee: 0 records" in done.output
    assert runner.invoke(main, ["site", "list"], env=environment).exit_code == 0
    assert [one.name for one in copy.parent.iterdir()] == [copy.name]
    folders = {one.name for one in tmp_path.iterdir() if one.is_dir()}
    assert folders <= {live.parent.name, copy.parent.name}


def test_without_room_for_the_copy_nothing_is_left_of_it(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """A limit of a file's size ends the writing as a full disk does."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "consent_server", "database", "backup", folder / "copy.sqlite"],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert done.returncode == 1
    assert "could not be copied" in done.stderr
    assert str(folder) in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(folder.iterdir())


def test_a_copy_is_one_file_with_all_that_is_in_it(
    runner: CliRunner, backed_up: Path, file: Path, database: Database
) -> None:
    """What a journal beside it held would be left behind with the folder of the part."""
    database.close()
    assert call(runner, "database", "restore", backed_up, "--yes").exit_code == 0
    for one in (backed_up, file):
        with closing(sqlite3.connect(one)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


_OF_SITES = (
    *("site", "site_version", "site_script"),
    *("admin_event", "ledger", "ledger_leaf", "checkpoint"),
)


def test_a_copy_of_an_earlier_release_is_brought_up_to_date(
    runner: CliRunner, database: Database, file: Path, tmp_path: Path
) -> None:
    call(runner, "ledger", "seal")
    database.close()
    old = tmp_path / "old.sqlite"
    earlier = Database(old)
    upgrade_schema(earlier, "0006")
    earlier.close()
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("ATTACH ? AS now", (str(file),))
        for table in _OF_SITES:
            ours, theirs = (
                [row[1] for row in connection.execute(f"PRAGMA {schema}.table_info({table})")]
                for schema in ("main", "now")
            )
            names = ", ".join(name for name in ours if name in theirs)
            # That release had ids in hex.
            values = names.replace("event_id", "lower(hex(event_id))")
            connection.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM now.{table}")
        connection.commit()
    done = call(runner, "database", "restore", old, "--yes")
    assert done.exit_code == 0, done.output
    assert "is of an earlier release" in done.output
    assert "smilee: 0 records, 2 leaves as they were sealed" in done.output
    assert call(runner, "ledger", "verify").exit_code == 0


def test_no_database_of_others_or_of_a_later_release_is_put_in_place(
    runner: CliRunner, database: Database, backed_up: Path, file: Path, tmp_path: Path
) -> None:
    database.close()
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as connection:
        connection.execute("CREATE TABLE moz_places (id INTEGER)")
    refused = call(runner, "database", "restore", tmp_path / "other.sqlite", "--yes")
    assert (refused.exit_code, "none of this server's" in refused.output) == (1, True)
    with closing(sqlite3.connect(backed_up)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    refused = call(runner, "database", "restore", backed_up, "--yes")
    assert (refused.exit_code, "newer release" in refused.output) == (1, True)
    assert not list(file.parent.glob("*.before-*"))


_CUT_OFF = """
import os, signal, sys, time
from consent_server.bundle import export
from consent_server.cli import audit, backup, main, operation

def cut_off(original):
    def call(*arguments, **named):
        found = original(*arguments, **named)
        os.kill(os.getpid(), getattr(signal, sys.argv[1]))
        time.sleep(10)
    return call

for name in ("SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_DFL)  # also where tests run under nohup
backup.copy_database = cut_off(backup.copy_database)
backup.check_file = cut_off(backup.check_file)
export.export_bundle = cut_off(export.export_bundle)
audit.write_jsonl = cut_off(audit.write_jsonl)
main(sys.argv[2:])
"""


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
@pytest.mark.parametrize(
    "command",
    [
        "database backup FILE",
        "database restore COPY --yes",
        "audit export --site smilee --no-screenshots -o FILE --format bundle",
        "audit export --site smilee -o FILE --format csv",
    ],
)
def test_who_is_told_to_end_leaves_no_personal_data_behind(
    environment: dict[str, str],
    database: Database,
    backed_up: Path,
    file: Path,
    tmp_path: Path,
    command: str,
    name: str,
    code: int,
) -> None:
    database.close()
    (tmp_path / "out").mkdir()
    given = command.replace("FILE", str(tmp_path / "out" / "file")).replace("COPY", str(backed_up))
    before = {one.name for one in file.parent.iterdir()}
    done = subprocess.run(
        [sys.executable, "-c", _CUT_OFF, name, *given.split()],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "out").iterdir())
    left = {one.name for one in file.parent.iterdir()}
    assert left - {f"{file.name}-wal", f"{file.name}-shm"} == before


_CUT_OFF_BETWEEN = """
import os, signal, sys
from pathlib import Path
from consent_server.cli import main

rename = Path.rename

def rename_and_end(self, target):
    found = rename(self, target)
    os.kill(os.getpid(), signal.SIGTERM)
    return found

Path.rename = rename_and_end
main(sys.argv[1:])
"""


def test_who_is_told_to_end_while_the_files_change_places_lets_them(
    runner: CliRunner,
    environment: dict[str, str],
    database: Database,
    backed_up: Path,
    file: Path,
) -> None:
    database.close()
    done = subprocess.run(
        [sys.executable, "-c", _CUT_OFF_BETWEEN, "database", "restore", backed_up, "--yes"],
        check=False,
        env=environment,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 143, done.stderr
    assert len(list(file.parent.glob("consent.sqlite.before-*Z"))) == 1
    assert call(runner, "ledger", "verify").exit_code == 0


_OPEN = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM site").fetchall()
print("open", flush=True)
sys.stdin.read()
"""


def test_a_copy_takes_the_place_of_a_damaged_database_that_nobody_has_open(
    runner: CliRunner, database: Database, backed_up: Path, file: Path
) -> None:
    database.close()
    with subprocess.Popen(
        [sys.executable, "-c", _OPEN, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with file.open("r+b") as opened:
            opened.write(bytes(100))
        refused = call(runner, "database", "restore", backed_up, "--yes")
        assert (refused.exit_code, "Stop the server" in refused.output) == (1, True)
        other.communicate()
    done = call(runner, "database", "restore", backed_up, "--yes")
    assert done.exit_code == 0, done.output
    assert call(runner, "ledger", "verify").exit_code == 0


@pytest.mark.parametrize("companion", ["", "-wal", "-shm", "-link"])
def test_no_command_replaces_the_database_itself(
    runner: CliRunner, backed_up: Path, file: Path, companion: str
) -> None:
    own = file.with_name(file.name + companion)
    if companion == "-link":
        own.symlink_to(file)
    before = file.stat().st_ino, file.read_bytes()
    for command in (
        ("database", "backup", own, "--force"),
        ("database", "restore", own, "--yes"),
        ("audit", "export", "--site", "smilee", "--no-screenshots", "--force", "-o", own),
    ):
        if command[1] != "restore" or own.exists():
            refused = call(runner, *command)
            assert (refused.exit_code, "of the database itself" in refused.output) == (1, True)
    assert (file.stat().st_ino, file.read_bytes()) == before


@pytest.mark.parametrize("harm", ["truncate", "overwrite", "text"])
def test_a_damaged_copy_is_never_put_in_place(
    runner: CliRunner, database: Database, backed_up: Path, file: Path, harm: str
) -> None:
    database.close()
    whole = backed_up.read_bytes()
    middle = len(whole) // 2
    backed_up.write_bytes(
        {
            "truncate": whole[:middle],
            "overwrite": whole[:8192] + b"\xff" * 65_536 + whole[8192 + 65_536 :],
            "text": b"a backup, honestly",
        }[harm]
    )
    before = file.read_bytes()
    refused = call(runner, "database", "restore", backed_up, "--yes")
    assert refused.exit_code == 1, refused.output
    assert "Traceback" not in refused.output
    assert file.read_bytes() == before
    assert not list(file.parent.glob("*.before-*"))


def test_a_changed_copy_is_never_put_in_place(
    runner: CliRunner, database: Database, backed_up: Path, file: Path
) -> None:
    changed = Database(f"sqlite:///{backed_up}")
    with changed.write() as session:
        connection = session.connection()
        connection.exec_driver_sql("DROP TRIGGER answer_refuses_update")
        connection.exec_driver_sql("UPDATE answer SET method = 'save'")
    changed.close()
    database.close()
    refused = call(runner, "database", "restore", backed_up, "--yes")
    assert refused.exit_code == 1
    assert "was changed" in refused.output


def test_a_copy_taken_under_load_holds_a_beginning_of_the_ledger(
    tmp_path: Path, copy: Path
) -> None:
    server = RunningServer(tmp_path, settings={"CONSENT_DECISIONS_PER_MINUTE": "1000000"})
    server.start()
    load = Load(server.port, read_template(server), 8)
    copy.parent.mkdir()
    try:
        load.start()
        for number in range(3):
            done = server.run_command("database", "backup", f"{copy}{number}")
            # What is published while the copy is verified is no loss.
            assert "missing here" not in done.stdout
    finally:
        load.finish(30)
        server.kill()
    server.run_command("database", "restore", f"{copy}2", "--yes")
    lost = ("--site", "smilee", "--reason", "all after the last copy", "--yes")
    server.run_command("ledger", "begin-anew", *lost)
    found = server.run_command("ledger", "verify", "--site", "smilee").stdout
    assert "are as they were sealed" in found
    kept = {
        line.split('"event_id":"')[1][:36] for line in server.export("jsonl", "smilee").splitlines()
    }
    assert kept
    assert kept <= load.receipts.keys()


def test_what_is_no_copy_is_named_as_it_was_given(runner: CliRunner, tmp_path: Path) -> None:
    wrong = tmp_path / "site.toml"
    wrong.write_text('key = "smilee"' * 99, "utf-8")
    refused = call(runner, "database", "restore", wrong, "--yes")
    assert refused.exit_code == 1
    assert f"Error: {wrong} is not a SQLite database" in refused.output


def test_a_folder_that_is_not_there_is_named(runner: CliRunner, visitor: Visitor) -> None:
    refused = call(runner, "database", "backup", "nowhere/copy.sqlite")
    assert refused.exit_code == 1
    assert "There is no folder nowhere to write copy.sqlite into." in refused.output
