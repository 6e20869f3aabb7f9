"""Site commands: what is wrong is told with its place, what changes is shown before it is done."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from consent_server.cli.asking import author
from consent_server.demo import site_files
from consent_server.sites import find_site, list_sites, list_versions
from consent_server.store.database import Database
from tests.cli.conftest import Consent, Process

SmileeFile = Callable[[str, str], Path]


def numbers(database: Database, key: str = "smilee") -> list[int]:
    with database.read() as session:
        return [version.number for version in list_versions(session, find_site(session, key))]


def write(tmp_path: Path, content: bytes) -> Path:
    file = tmp_path / "wrong.toml"
    file.write_bytes(content)
    return file


# ---- apply


def test_a_first_site_is_published_without_asking_and_told_its_tag(
    process: Process, environment: dict[str, str], tmp_path: Path
) -> None:
    environment["CONSENT_DATABASE_URL"] = f"sqlite:///{tmp_path}/new/consent.sqlite"
    environment["CONSENT_PUBLIC_URL"] = "https://consent.example.com"
    done = process("site", "apply", *site_files())
    assert done.returncode == 0, done.stderr
    assert "smilee: new site, version 1." in done.stdout
    tag = '<script async src="https://consent.example.com/w/smilee.js"></script>'
    assert tag in done.stdout
    assert "ujet" in process("site", "list").stdout


def test_the_tag_of_a_site_with_a_gate_comes_first_and_not_async(
    consent: Consent, smilee_file: SmileeFile
) -> None:
    file = smilee_file('regime = "opt_in"', 'regime = "opt_in"\nblocking = "gate"')
    assert consent("site", "apply", file, "--yes").exit_code == 0
    shown = consent("site", "show", "smilee").output
    assert "<script src=" in shown
    assert "async" not in shown


def test_an_unchanged_file_publishes_nothing(consent: Consent, database: Database) -> None:
    done = consent("site", "apply", *site_files())
    assert done.exit_code == 0, done.output
    assert "smilee: nothing changed; version 1 stays." in done.output
    assert numbers(database) == [1]


def test_the_changes_are_shown_and_a_new_recipient_asks_visitors_again(
    consent: Consent, database: Database, smilee_file: SmileeFile
) -> None:
    done = consent("site", "apply", smilee_file('"meta-pixel"', '"hotjar"'), "--yes")
    assert done.exit_code == 0, done.output
    assert "+ services.hotjar: {" in done.output
    assert "- services.meta-pixel: {" in done.output
    assert "smilee: version 2. Visitors will be asked again." in done.output
    assert "Published version 2 of smilee." in done.output
    assert "<script" not in done.output
    assert numbers(database) == [2, 1]
    with database.read() as session:
        [version, _] = list_versions(session, find_site(session, "smilee"))
        assert version.published_by == author()
        assert version.source == smilee_file('"meta-pixel"', '"hotjar"').read_text("utf-8")


def test_other_words_do_not_ask_visitors_again(consent: Consent, smilee_file: SmileeFile) -> None:
    done = consent("site", "apply", smilee_file('"14mo"', '"2mo"'), "--yes")
    assert '~ services.google-analytics.retention: "14mo" -> "2mo"' in done.output
    assert "Visitors keep their choice." in done.output


def test_without_a_terminal_and_without_yes_nothing_is_published(
    consent: Consent, database: Database, smilee_file: SmileeFile
) -> None:
    done = consent("site", "apply", smilee_file('"14mo"', '"2mo"'))
    assert done.exit_code == 1
    assert "there is no terminal to confirm on. Add --yes." in done.output
    assert numbers(database) == [1]


@pytest.mark.parametrize(("answer", "published"), [("y\n", [2, 1]), ("n\n", [1]), ("\n", [1])])
def test_on_a_terminal_the_owner_is_asked(
    environment: dict[str, str],
    database: Database,
    smilee_file: SmileeFile,
    answer: str,
    published: list[int],
) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "consent_server", "site", "apply"]
    command.append(str(smilee_file('"14mo"', '"2mo"')))
    with subprocess.Popen(
        command, env=environment, stdin=theirs, stdout=subprocess.PIPE, text=True
    ) as running:
        os.write(ours, answer.encode())
        said, _ = running.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert "Publish? [y/N]:" in said
    assert running.returncode == (0 if answer == "y\n" else 1)
    assert numbers(database) == published


def test_a_dry_run_compares_and_publishes_nothing(
    consent: Consent, database: Database, smilee_file: SmileeFile
) -> None:
    done = consent("site", "apply", "--dry-run", smilee_file('"14mo"', '"2mo"'))
    assert done.exit_code == 0, done.output
    assert '"14mo" -> "2mo"' in done.output
    assert done.output.endswith("Nothing was published.\n")
    assert numbers(database) == [1]


def test_a_dry_run_needs_no_database_and_makes_none(
    process: Process, environment: dict[str, str], tmp_path: Path
) -> None:
    environment["CONSENT_DATABASE_URL"] = f"sqlite:///{tmp_path}/new/consent.sqlite"
    done = process("site", "apply", "--dry-run", *site_files())
    assert done.returncode == 0, done.stderr
    assert "jackbot: new site, version 1." in done.stdout
    assert not (tmp_path / "new").exists()


def test_one_wrong_file_stops_all_of_them(
    consent: Consent, database: Database, smilee_file: SmileeFile, tmp_path: Path
) -> None:
    right = smilee_file('"14mo"', '"2mo"')
    wrong = write(tmp_path, b'key = "other"\n')
    done = consent("site", "apply", right, wrong, "--yes")
    assert done.exit_code == 1
    assert numbers(database) == [1]


def test_the_second_site_of_two_is_refused_together_with_the_first(
    consent: Consent, database: Database, smilee_file: SmileeFile, tmp_path: Path
) -> None:
    right = smilee_file('"14mo"', '"2mo"')
    impossible = write(
        tmp_path,
        right.read_bytes()
        .replace(b'key = "smilee"', b'key = "zzz"')
        .replace(b'category = "marketing"', b'category = "nowhere"'),
    )
    done = consent("site", "apply", right, impossible, "--yes")
    assert done.exit_code == 1
    assert f"{impossible}: " in done.output
    assert numbers(database) == [1]
    with database.read() as session:
        assert "zzz" not in [site.key for site in list_sites(session)]


def test_one_site_in_two_files_is_refused(consent: Consent, smilee_file: SmileeFile) -> None:
    done = consent("site", "apply", smilee_file("a", "a"), *site_files(), "--yes")
    assert done.exit_code == 1
    assert "both describe the site 'smilee'" in done.output


def test_every_wrong_field_is_named_with_its_path(consent: Consent, tmp_path: Path) -> None:
    file = write(tmp_path, b'key = "UP"\nname = 3\ncolour = "red"\n[controller]\nemail = "x"\n')
    done = consent("site", "apply", file)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {file}: The site description has ")
    for path in ("key", "name", "colour", "controller.email", "controller.name", "services"):
        assert f"\n  {path}: " in done.output


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'key = "a"\nname = \n', "line 2, column 8"),
        (b"key = [", "line 1, column 8"),
        (b'key = "a"\nkey = "b"\n', "line 2"),
        (b'name = "Ev\xe4ste"\n', "line 1, column 11"),
    ],
)
def test_what_is_not_toml_is_told_with_line_and_column(
    consent: Consent, tmp_path: Path, content: bytes, place: str
) -> None:
    file = write(tmp_path, content)
    done = consent("site", "apply", file)
    assert done.exit_code == 1
    assert f"Error: {file}: The text is not " in done.output
    assert place in done.output


def test_a_file_saved_on_windows_is_read(consent: Consent, smilee_file: SmileeFile) -> None:
    file = smilee_file("a", "a")
    text = file.read_text("utf-8").replace("\n", "\r\n")
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert "nothing changed" in consent("site", "apply", file).output


def test_a_missing_file_is_a_wrong_use(consent: Consent) -> None:
    assert consent("site", "apply", "missing.toml").exit_code == 2
    assert consent("site", "apply").exit_code == 2


# ---- list, show, versions, diff


def test_a_list_without_sites_says_what_to_do_next(
    process: Process, environment: dict[str, str], tmp_path: Path
) -> None:
    environment["CONSENT_DATABASE_URL"] = f"sqlite:///{tmp_path}/new.sqlite"
    missing = process("site", "list")
    assert missing.returncode == 1
    assert "There is no database at" in missing.stderr
    assert not (tmp_path / "new.sqlite").exists()
    assert process("database", "upgrade").returncode == 0
    assert "consent-server site apply FILE" in process("site", "list").stdout


def test_the_list_has_a_line_for_each_site(consent: Consent) -> None:
    header, *lines = consent("site", "list").output.splitlines()
    assert header.split() == ["KEY", "VERSION", "STATE", "NAME"]
    assert [line.split()[0] for line in lines] == [
        "getjenny",
        "jackbot",
        "jiminny",
        "smilee",
        "ujet",
    ]


def test_show_tells_what_is_published(consent: Consent) -> None:
    shown = consent("site", "show", "smilee").output
    assert "Kommeet Oy (Smilee)" in shown
    assert "mailchimp, linkedin-insight, meta-pixel" in shown
    assert "/w/smilee.js" in shown


def test_show_gives_the_file_back_as_it_was_applied(consent: Consent) -> None:
    [file] = [file for file in site_files() if file.stem == "smilee"]
    assert consent("site", "show", "smilee", "--source").output == file.read_text("utf-8")


def test_versions_come_newest_first(consent: Consent, smilee_file: SmileeFile) -> None:
    consent("site", "apply", smilee_file('"14mo"', '"2mo"'), "--yes")
    _, second, first = consent("site", "versions", "smilee").output.splitlines()
    assert (second.split()[0], first.split()[0]) == ("2", "1")


def test_diff_compares_the_last_two_or_those_that_are_named(
    consent: Consent, smilee_file: SmileeFile
) -> None:
    assert "one version only" in consent("site", "diff", "smilee").output
    consent("site", "apply", smilee_file('"14mo"', '"2mo"'), "--yes")
    consent("site", "apply", smilee_file('"14mo"', '"3mo"'), "--yes")
    assert '"2mo" -> "3mo"' in consent("site", "diff", "smilee").output
    assert '"14mo" -> "3mo"' in consent("site", "diff", "smilee", "1", "3").output
    assert '"2mo" -> "14mo"' in consent("site", "diff", "smilee", "2", "1").output
    assert "equal" in consent("site", "diff", "smilee", "2", "2").output
    assert consent("site", "diff", "smilee", "1").exit_code == 2
    assert "no version 9" in consent("site", "diff", "smilee", "1", "9").output


@pytest.mark.parametrize("command", ["show", "versions", "diff", "retire"])
def test_an_unknown_site_is_told(consent: Consent, command: str) -> None:
    done = consent("site", command, "nobody")
    assert (done.exit_code, "There is no site 'nobody'" in done.output) == (1, True)


# ---- retire


def test_a_retired_site_keeps_its_versions_and_comes_back_when_applied(
    consent: Consent, database: Database, smilee_file: SmileeFile
) -> None:
    assert consent("site", "retire", "smilee").exit_code == 1
    assert "Retired smilee." in consent("site", "retire", "smilee", "--yes").output
    assert "retired already" in consent("site", "retire", "smilee").output
    assert numbers(database) == [1]
    same = smilee_file("a", "a")
    assert consent("site", "apply", same).exit_code == 1
    assert "smilee is served again." in consent("site", "apply", same, "--yes").output
    with database.read() as session:
        assert find_site(session, "smilee").retired_at is None


# ---- check


def test_check_tells_every_contrast_and_needs_no_database(
    process: Process, environment: dict[str, str], tmp_path: Path, smilee_file: SmileeFile
) -> None:
    environment["CONSENT_DATABASE_URL"] = f"sqlite:///{tmp_path}/new/consent.sqlite"
    file = smilee_file("a", "a")
    done = process("site", "check", file)
    assert done.returncode == 0, done.stderr
    header, *lines = done.stdout.splitlines()
    assert header.split() == ["SCHEME", "COLOUR", "ON", "CONTRAST", "NEEDED", "WCAG", "2.2"]
    assert "light   accent             surface       7.9:1     4.5:1   1.4.3" in lines
    assert any(line.startswith("  note: services.1: _ga") for line in lines)
    assert lines[-1] == f"{file}: smilee can be published."
    assert not (tmp_path / "new").exists()


def test_check_refuses_what_apply_refuses(consent: Consent, smilee_file: SmileeFile) -> None:
    done = consent("site", "check", smilee_file('accent = "#14509b"', 'accent = "#7fb2ff"'))
    assert done.exit_code == 1
    assert "theme.accent: Contrast with surface is" in done.output
    assert "can be published" not in done.output


def test_a_doubtful_heading_is_noted_when_it_is_published(
    consent: Consent, smilee_file: SmileeFile
) -> None:
    file = smilee_file("[theme]", '[texts.en]\nheading = "We value your privacy"\n\n[theme]')
    done = consent("site", "apply", file, "--yes")
    assert done.exit_code == 0
    assert "  note: texts.en.heading: “value your privacy”" in done.output
    assert "Published version 2 of smilee." in done.output
