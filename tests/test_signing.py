"""Signing: keys that only their owner reads, made once, and what was published kept beside them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consent_server.config import Settings, key_folder
from consent_server.rules.note import parse_note, verify_note
from consent_server.sealing import seal_waiting
from consent_server.signing import (
    LEDGER_KEYS,
    KeyFolderClosed,
    KeyProblem,
    Published,
    Signer,
    find_signer,
    open_signer,
    rotate_key,
    verify_signature,
)
from consent_server.store.database import Database
from tests.visitor import Visitor

_NOBODY = 65534

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
ORIGIN = "www.example.com/ledger/1"
TEXT = f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "var" / "keys"


def test_the_first_key_is_made_for_its_owner_only(folder: Path) -> None:
    assert find_signer(folder) is None
    signer = open_signer(folder, now=NOW)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / LEDGER_KEYS).stat().st_mode & 0o777 == 0o600
    again = open_signer(folder, now=NOW)
    assert again.current(ORIGIN) == signer.current(ORIGIN)
    assert [file.name for file in folder.iterdir()] == [LEDGER_KEYS]


def test_servers_that_start_at_once_have_one_key(folder: Path) -> None:
    found: list[Signer] = []
    together = threading.Barrier(8)

    def start() -> None:
        together.wait()
        found.append(open_signer(folder, now=NOW))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({signer.current(ORIGIN).to_text() for signer in found}) == 1


@pytest.mark.parametrize("name", ["", LEDGER_KEYS])
def test_a_key_that_others_may_read_is_refused_with_the_command_that_mends_it(
    folder: Path, name: str
) -> None:
    open_signer(folder, now=NOW)
    place = folder / name
    place.chmod(0o755)
    with pytest.raises(KeyProblem, match="may be read by others") as refused:
        open_signer(folder, now=NOW)
    command = refused.value.detail.rpartition(": ")[2].split()
    assert command[0] == "chmod"
    Path(command[2]).chmod(int(command[1], 8))
    assert open_signer(folder, now=NOW).keys


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"keys": []}', '{"keys": [{"private_key": "AA=="}]}']
)
def test_a_damaged_key_file_is_never_replaced_by_a_new_key(folder: Path, content: str) -> None:
    open_signer(folder, now=NOW)
    (folder / LEDGER_KEYS).write_text(content)
    with pytest.raises(KeyProblem, match="backup"):
        open_signer(folder, now=NOW)
    assert (folder / LEDGER_KEYS).read_text() == content


def test_a_signature_is_verified_by_the_key_and_by_no_other(folder: Path) -> None:
    signer = open_signer(folder, now=NOW)
    note = parse_note(signer.sign(ORIGIN, TEXT, NOW).to_bytes())
    assert verify_note(note, [signer.current(ORIGIN)], verify_signature)
    key, message = signer.keys[0], TEXT.encode()
    assert verify_signature(key.public_key, message, key.sign(message))
    assert not verify_signature(key.public_key, message + b"!", key.sign(message))
    assert not verify_signature(bytes(32), message, key.sign(message))
    assert not verify_signature(key.public_key, message, b"short")


def test_an_old_key_signs_beside_the_new_one_until_its_time_and_is_kept_for_checking(
    folder: Path,
) -> None:
    old = open_signer(folder, now=NOW)
    until = NOW + timedelta(days=30)
    new = rotate_key(folder, now=NOW, until=until)
    assert new.verifiers(ORIGIN)[0] == old.current(ORIGIN) != new.current(ORIGIN)
    assert len(new.sign(ORIGIN, TEXT, NOW).signatures) == 2
    assert len(new.sign(ORIGIN, TEXT, until).signatures) == 1
    third = rotate_key(folder, now=NOW, until=NOW)
    assert [key.signs_until for key in third.keys] == [until, NOW, None]
    assert (folder / LEDGER_KEYS).stat().st_mode & 0o777 == 0o600


def test_what_was_published_is_kept_and_never_goes_back(folder: Path) -> None:
    signer = open_signer(folder, now=NOW)
    assert signer.last_published(ORIGIN) is None
    newer, older = (Published(ORIGIN, size, bytes([size]) * 32, NOW) for size in (7, 3))
    signer.remember(newer)
    signer.remember(older)
    assert signer.last_published(ORIGIN) == newer
    assert signer.last_published("www.example.com/ledger/2") is None


def test_of_two_servers_the_one_that_published_more_is_believed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They share the folder; the slower one looked before the other wrote."""
    one, another = open_signer(folder, now=NOW), open_signer(folder, now=NOW)
    newer, older = (Published(ORIGIN, size, bytes([size]) * 32, NOW) for size in (7, 3))
    looked, go_on = threading.Event(), threading.Event()
    look = Signer.last_published

    def look_slowly(self: Signer, origin: str) -> Published | None:
        found = look(self, origin)
        if self is one:
            looked.set()
            go_on.wait(0.3)
        return found

    monkeypatch.setattr(Signer, "last_published", look_slowly)
    slow = threading.Thread(target=one.remember, args=(older,))
    slow.start()
    assert looked.wait(5)
    another.remember(newer)
    go_on.set()
    slow.join()
    assert another.last_published(ORIGIN) == newer


def test_a_damaged_memory_of_what_was_published_is_told(folder: Path) -> None:
    signer = open_signer(folder, now=NOW)
    signer.remember(Published(ORIGIN, 7, bytes(32), NOW))
    (state,) = (folder / "published").iterdir()
    state.write_text("{}")
    with pytest.raises(KeyProblem, match="restored database"):
        signer.last_published(ORIGIN)


@contextmanager
def as_another_user(folder: Path) -> Iterator[None]:
    """Be somebody whom the folder is closed to."""
    if os.geteuid():
        folder.chmod(0o000)
    else:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if os.geteuid() == _NOBODY:
            os.seteuid(0)
        folder.chmod(0o700)


@pytest.mark.parametrize(
    "use",
    [
        lambda signer: open_signer(signer.folder, now=NOW),
        lambda signer: find_signer(signer.folder),
        lambda signer: rotate_key(signer.folder, now=NOW, until=NOW),
        lambda signer: signer.last_published(ORIGIN),
        lambda signer: signer.remember(Published(ORIGIN, 2, bytes(32), NOW)),
    ],
    ids=["open", "find", "rotate", "last published", "remember"],
)
def test_a_folder_of_somebody_else_is_named_with_what_to_do(
    folder: Path, use: Callable[[Signer], object]
) -> None:
    signer = open_signer(folder, now=NOW)
    with as_another_user(folder), pytest.raises(KeyFolderClosed) as met:
        use(signer)
    place, told = met.value.detail.split(": Permission denied. ")
    assert Path(place).is_relative_to(folder)
    assert f"chown -R USER {folder}" in told
    assert "CONSENT_KEY_FOLDER" in told


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(KeyFolderClosed, match=os.strerror(20)) as met:
        open_signer(file / "keys", now=NOW)
    assert str(file) in met.value.detail


def test_sealing_stops_at_a_folder_that_is_closed_and_says_so_once(
    settings: Settings, database: Database, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.accept_all()
    signer = open_signer(key_folder(settings), now=NOW)
    seal_waiting(database, signer, now=datetime.now(UTC))
    visitor.withdraw()
    (signer.folder / "published").rename(signer.folder / "moved")
    (signer.folder / "published").write_text("")
    with pytest.raises(KeyFolderClosed, match="published"):
        seal_waiting(database, signer, now=datetime.now(UTC))
    # The job tells it, until something else is wrong; a line for each site would come each second.
    assert caplog.messages == []
