"""The erase command: says what it will do, does it, and says what it cannot reach."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from consent_server.config import Settings, sqlite_path
from consent_server.rules.receipt import subject_key
from consent_server.store.database import Database
from consent_server.store.models import SubjectData
from tests.cli.conftest import Consent
from tests.visitor import Visitor


@pytest.fixture
def leaving(visitor: Visitor) -> Visitor:
    """A visitor with two records."""
    visitor.accept_all()
    visitor.withdraw()
    return visitor


def erase(consent: Consent, subject_id: str, *more: str) -> tuple[int, str]:
    arguments = ["--site", "smilee", "--subject", subject_id, "--reason", "asked by letter"]
    done = consent("erase", *arguments, *more)
    return done.exit_code, done.output


def test_it_tells_what_was_done_and_what_stays(consent: Consent, leaving: Visitor) -> None:
    code, said = erase(consent, leaving.subject_id, "--yes")
    assert code == 0
    assert "2 records of smilee will no longer be linked" in said
    for told in ("hashes", "backups and exports", "erase again after restoring"):
        assert told in said
    assert leaving.read_decisions().status_code == 404


def test_without_a_yes_and_a_terminal_nothing_is_erased(consent: Consent, leaving: Visitor) -> None:
    code, said = erase(consent, leaving.subject_id)
    assert (code, "--yes" in said) == (1, True)
    assert leaving.read_decisions().status_code == 200


@pytest.mark.parametrize("missing", ["--site", "--subject", "--reason"])
def test_site_subject_and_reason_are_needed(consent: Consent, missing: str) -> None:
    given = {"--site": "smilee", "--subject": "0" * 32, "--reason": "asked"}
    del given[missing]
    done = consent("erase", "--yes", *(part for pair in given.items() for part in pair))
    assert (done.exit_code, missing in done.output) == (2, True)


@pytest.mark.parametrize("answer", [("--yes",), ()])
def test_a_reason_is_as_long_as_over_http_at_most(
    consent: Consent, leaving: Visitor, admin: FlaskClient, answer: tuple[str, ...]
) -> None:
    body = {"subject_id": leaving.subject_id, "reason": "x" * 201}
    assert admin.post("/api/v1/sites/smilee/erase", json=body).status_code == 422
    given = ["--site", "smilee", "--subject", leaving.subject_id, "--reason"]
    done = consent("erase", *given, "x" * 201, *answer)
    assert done.exit_code == 1
    # Told first: nobody is asked whether to do what is not done.
    assert "Error: The reason has 201 characters, and may have 200." in done.output
    assert "will no longer be linked" not in done.output
    unreadable = consent("erase", *given, "by \x07 letter", *answer)
    assert "leave control characters out of it" in unreadable.output
    assert leaving.read_decisions().status_code == 200
    assert consent("erase", *given, "x" * 200, "--yes").exit_code == 0


def test_an_unknown_visitor_is_no_failure_and_a_wrong_id_is_one(
    consent: Consent, leaving: Visitor
) -> None:
    code, said = erase(consent, "0" * 32, "--yes")
    assert (code, "Nothing to erase" in said) == (0, True)
    code, said = erase(consent, leaving.subject_id[:-1], "--yes")
    assert (code, "32 hex digits" in said) == (2, True)


def test_no_file_of_the_database_holds_the_visitor_afterwards(
    consent: Consent, leaving: Visitor, database: Database, settings: Settings
) -> None:
    key = subject_key(leaving.subject_id)
    with database.read() as session:
        salts = list(session.scalars(select(SubjectData.salt)))
    assert len(salts) == 2
    file = sqlite_path(settings.database_url)
    assert file is not None
    assert any(key in one.read_bytes() for one in files_of(file))
    erase(consent, leaving.subject_id, "--yes")
    for one in files_of(file):
        content = one.read_bytes()
        for secret in (key, *salts):
            assert secret not in content, one
            assert secret.hex().encode() not in content, one


def test_a_new_export_does_not_link_the_records(
    consent: Consent, leaving: Visitor, tmp_path: Path
) -> None:
    erase(consent, leaving.subject_id, "--yes")
    file = tmp_path / "smilee.jsonl"
    assert consent("audit", "export", "--site", "smilee", "-o", str(file)).exit_code == 0
    assert file.read_text().count('"salt":null') == 2


def test_the_files_can_be_scrubbed_by_hand(consent: Consent, leaving: Visitor) -> None:
    done = consent("database", "scrub")
    assert (done.exit_code, "No file of the database" in done.output) == (0, True)
    assert leaving.read_decisions().status_code == 200


def test_a_webhook_that_tells_of_it_is_named_until_it_is_gone(
    consent: Consent, leaving: Visitor, settings: Settings
) -> None:
    consent("webhook", "set", "smilee", "http://127.0.0.1:9/")
    _, said = erase(consent, leaving.subject_id, "--yes")
    assert "No file of the database holds what was erased any more, but for" in said
    assert "1 of them waits" in said
    key = subject_key(leaving.subject_id)
    file = sqlite_path(settings.database_url)
    assert file is not None
    assert any(key in one.read_bytes() for one in files_of(file))
    done = consent("webhook", "remove", "smilee", "--yes")
    assert "No file of the database holds what was erased any more." in done.output
    for one in files_of(file):
        assert key not in one.read_bytes(), one
        assert key.hex().encode() not in one.read_bytes(), one


def files_of(file: Path) -> list[Path]:
    return [one for one in file.parent.iterdir() if one.name.startswith(file.name)]
