"""Sealing on both databases: each event once, in order, signed, never behind what was published."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from consent_server.continuity import CannotSeal
from consent_server.erasure import erase_subject
from consent_server.errors import NotFound
from consent_server.proofs import prove_consistency, prove_inclusion
from consent_server.rules.checkpoint import parse_checkpoint
from consent_server.rules.merkle import is_consistent, is_included, root_of
from consent_server.rules.note import parse_note, verify_note
from consent_server.sealing import (
    begin_anew,
    last_checkpoint,
    open_ledger,
    seal_site,
    seal_waiting,
)
from consent_server.signing import Signer, open_signer, rotate_key, verify_signature
from consent_server.site_form import load_site_form
from consent_server.sites import find_site, publish_version
from consent_server.store.database import Database
from consent_server.store.models import (
    Checkpoint,
    ConsentEvent,
    LedgerLeaf,
    LedgerQueue,
    Site,
    SubjectData,
)
from tests.conftest import ReadSite
from tests.visitor import Visitor

from .sealed import Seal, check, remove_triggers


def smilee(database: Database) -> Site:
    with database.read() as session:
        return find_site(session, "smilee")


def add_events(database: Database, count: int) -> None:
    """Record many decisions at once, as rows."""
    with database.write() as session:
        site = find_site(session, "smilee")
        for _ in range(count):
            event_id, hashed = uuid4(), uuid4().bytes * 2
            session.add(
                LedgerQueue(
                    site_id=site.id,
                    received_at=datetime.now(UTC),
                    event_id=event_id,
                    leaf_hash=hashed,
                )
            )


def test_what_is_recorded_is_sealed_once_and_in_the_order_of_its_time(
    visitor: Visitor, store: Database, seal: Seal, signer: Signer
) -> None:
    decided = [visitor.accept_all(), visitor.withdraw(), visitor.accept_all()]
    (sealed,) = seal()
    # Before the decisions: the publication, and the key that signs.
    assert sealed.added == sealed.published.size == 5
    with store.read() as session:
        leaves = session.scalars(select(LedgerLeaf).order_by(LedgerLeaf.leaf_index)).all()
        assert [str(leaf.event_id) for leaf in leaves if leaf.leaf_index in {1, 2, 3}] == [
            answer.json["event_id"] for answer in decided
        ]
        assert session.scalar(select(func.count()).select_from(LedgerQueue)) == 0
        assert root_of(leaf.leaf_hash for leaf in leaves) == sealed.published.root
    assert seal() == []
    assert check(store, signer) == 5


@pytest.mark.parametrize("at_once", [1, 4, 5, 6])
def test_however_many_are_taken_at_once_all_that_waits_is_sealed_in_order(
    store: Database, seal: Seal, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("consent_server.sealing._AT_ONCE", at_once)
    add_events(store, 4)
    with store.read() as session:
        query = select(LedgerQueue.event_id).order_by(LedgerQueue.received_at, LedgerQueue.event_id)
        waiting = session.scalars(query.where(LedgerQueue.site_id == smilee(store).id)).all()
    (sealed,) = (one for one in seal() if one.added > 1)
    assert sealed.published.size == len(waiting) + 1, "and the key that signs"
    with store.read() as session:
        leaves = select(LedgerLeaf.event_id).where(LedgerLeaf.site_id == smilee(store).id)
        found = session.scalars(leaves.order_by(LedgerLeaf.leaf_index)).all()
    assert found[: len(waiting)] == waiting


def test_a_checkpoint_is_a_note_that_others_can_verify(
    visitor: Visitor, store: Database, seal: Seal, signer: Signer
) -> None:
    visitor.accept_all()
    (sealed,) = seal()
    note = parse_note(sealed.note.encode())
    checkpoint = parse_checkpoint(note.text)
    assert checkpoint.origin.startswith("127.0.0.1:8000/ledger/")
    assert (checkpoint.size, checkpoint.root) == (sealed.published.size, sealed.published.root)
    assert checkpoint.extensions[0].startswith("sealed 20")
    (signature,) = verify_note(note, [signer.current(checkpoint.origin)], verify_signature)
    assert signature.name == checkpoint.origin


def test_a_tree_carried_on_is_the_tree_built_at_once(
    visitor: Visitor, store: Database, seal: Seal
) -> None:
    sizes = []
    for count in (1, 254, 255, 257, 3, 700):
        add_events(store, count)
        (sealed,) = seal()
        sizes.append(sealed.published)
    with store.read() as session:
        leaves = list(session.scalars(select(LedgerLeaf.leaf_hash).order_by(LedgerLeaf.leaf_index)))
    for published in sizes:
        assert root_of(leaves[: published.size]) == published.root


def test_every_leaf_can_be_proved_at_every_border(store: Database, seal: Seal) -> None:
    add_events(store, 770)
    (sealed,) = seal()
    size, root = sealed.published.size, sealed.published.root
    with store.read() as session:
        site = find_site(session, "smilee")
        for index in (0, 1, 254, 255, 256, 257, 511, 512, 767, 768, size - 1):
            leaf = session.get_one(LedgerLeaf, (site.id, index))
            proof = prove_inclusion(session, site, leaf.event_id)
            assert proof.leaf_index == index
            assert is_included(leaf.leaf_hash, index, size, proof.path, root)
        leaves = list(session.scalars(select(LedgerLeaf.leaf_hash).order_by(LedgerLeaf.leaf_index)))
        for old in (0, 1, 255, 256, 257, 512, 700, size):
            path = prove_consistency(session, site, old).path
            assert is_consistent(old, root_of(leaves[:old]), size, root, path)
        with pytest.raises(NotFound):
            prove_inclusion(session, site, uuid4())


def test_sealers_at_once_seal_each_event_once(
    visitor: Visitor, store: Database, seal: Seal, signer: Signer
) -> None:
    seal()
    together = threading.Barrier(4)

    def seal_often() -> None:
        together.wait()
        for _ in range(10):
            visitor.accept_all()
            seal()

    threads = [threading.Thread(target=seal_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seal()
    with store.read() as session:
        records = session.scalar(select(func.count()).select_from(ConsentEvent))
    assert records == 40
    assert check(store, signer) == 42


def _restore_an_old_copy(visitor: Visitor, signer: Signer, seal: Seal) -> None:
    """As if a copy from before these leaves were there: more was published than it has."""
    visitor.accept_all()
    (sealed,) = seal()
    published = sealed.published
    signer.remember(type(published)(published.origin, 10, b"r" * 32, published.sealed_at))
    visitor.withdraw()


def test_a_database_older_than_what_was_published_is_not_signed(
    visitor: Visitor, store: Database, signer: Signer, seal: Seal
) -> None:
    _restore_an_old_copy(visitor, signer, seal)
    with store.write() as session, pytest.raises(CannotSeal) as refused:
        seal_site(session, find_site(session, "smilee"), signer, now=datetime.now(UTC))
    assert "has 3 sealed leaves, but 10 were published" in refused.value.detail
    assert "begin-anew --site smilee" in refused.value.detail
    assert seal() == []
    assert visitor.accept_all().status_code == 201


def test_a_site_that_cannot_be_sealed_again_and_again_is_logged_once(
    visitor: Visitor, store: Database, signer: Signer, seal: Seal, caplog: pytest.LogCaptureFixture
) -> None:
    _restore_an_old_copy(visitor, signer, seal)
    told: dict[int, str] = {}
    for _ in range(3):
        assert seal_waiting(store, signer, now=datetime.now(UTC), told=told) == []
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    (signer.folder / "published").rename(signer.folder / "elsewhere")
    assert len(seal_waiting(store, signer, now=datetime.now(UTC), told=told)) == 1
    assert told == {}, "and is logged anew when it happens again"


def test_a_ledger_with_another_root_than_was_published_is_not_signed(
    visitor: Visitor, store: Database, signer: Signer, seal: Seal
) -> None:
    visitor.accept_all()
    (sealed,) = seal()
    folder = signer.folder / "published"
    (state,) = folder.iterdir()
    state.write_text(state.read_text().replace(sealed.published.root.hex(), "0" * 64))
    visitor.withdraw()
    with store.write() as session, pytest.raises(CannotSeal, match="another root"):
        seal_site(session, find_site(session, "smilee"), signer, now=datetime.now(UTC))


@pytest.mark.parametrize("damage", [{"frontier": b"\0"}, {"note": "no note"}], ids=str)
def test_a_damaged_checkpoint_holds_up_no_other_site(
    visitor: Visitor,
    store: Database,
    seal: Seal,
    read_site: ReadSite,
    damage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    visitor.accept_all()
    seal()
    remove_triggers(store)
    with store.write() as session:
        session.execute(update(Checkpoint).values(**damage))
        form = load_site_form(read_site("ujet"))
        publish_version(session, form, source="", author="tests", now=datetime.now(UTC))
    visitor.withdraw()
    (sealed,) = seal()
    assert sealed.site == "ujet"
    assert f"site {smilee(store).id} cannot be sealed" in caplog.text
    assert visitor.accept_all().status_code == 201


def test_a_ledger_is_not_signed_by_a_key_that_nobody_announced(
    visitor: Visitor, store: Database, seal: Seal, tmp_path: Path
) -> None:
    visitor.accept_all()
    seal()
    visitor.withdraw()
    stranger = open_signer(tmp_path / "other", now=datetime.now(UTC))
    with store.write() as session, pytest.raises(CannotSeal, match="Bring the key folder back"):
        seal_site(session, find_site(session, "smilee"), stranger, now=datetime.now(UTC))


def test_after_a_loss_the_ledger_goes_on_under_a_new_name_and_says_so(
    visitor: Visitor, store: Database, seal: Seal, tmp_path: Path
) -> None:
    visitor.accept_all()
    (before,) = seal()
    stranger = open_signer(tmp_path / "other", now=datetime.now(UTC))
    with store.write() as session:
        site = find_site(session, "smilee")
        ledger = begin_anew(session, site, actor="me", reason="lost", now=datetime.now(UTC))
        sealed = seal_site(session, site, stranger, now=datetime.now(UTC))
        assert sealed is not None
        assert sealed.published.origin == ledger.origin != before.published.origin
        assert sealed.published.size == before.published.size + 2


def test_both_keys_sign_while_one_takes_over_from_the_other(
    visitor: Visitor, store: Database, signer: Signer, seal: Seal
) -> None:
    visitor.accept_all()
    (first,) = seal()
    now = datetime.now(UTC)
    rotated = rotate_key(signer.folder, now=now, until=now + timedelta(days=30))
    visitor.withdraw()
    (second,) = seal_waiting(store, rotated, now=now)
    note = parse_note(second.note.encode())
    origin = first.published.origin
    for key in (signer.current(origin), rotated.current(origin)):
        assert verify_note(note, [key], verify_signature)
    visitor.accept_all()
    (third,) = seal_waiting(store, rotated, now=now + timedelta(days=31))
    (left,) = parse_note(third.note.encode()).signatures
    assert left.key_id == rotated.current(origin).key_id
    assert check(store, rotated) == second.published.size + 1


def test_a_clock_that_steps_back_cannot_backdate_a_record(
    visitor: Visitor, store: Database, signer: Signer
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    visitor.accept_all()
    (sealed,) = seal_waiting(store, signer, now=tomorrow)
    receipt = visitor.withdraw().json
    assert receipt is not None
    assert receipt["received_at"] >= sealed.note.split("sealed ")[1].splitlines()[0]
    (again,) = seal_waiting(store, signer, now=datetime.now(UTC))
    assert again.published.sealed_at >= sealed.published.sealed_at


def test_erasing_a_visitor_changes_no_root(
    visitor: Visitor, store: Database, seal: Seal, signer: Signer
) -> None:
    visitor.accept_all()
    (sealed,) = seal()
    now, reason = datetime.now(UTC), "asked by letter"
    with store.write() as session:
        site = find_site(session, "smilee")
        erase_subject(session, site, visitor.subject_id, actor="me", reason=reason, now=now)
        assert session.scalar(select(func.count()).select_from(SubjectData)) == 0
    assert check(store, signer) == sealed.published.size
    with store.read() as session:
        last = last_checkpoint(session, find_site(session, "smilee"))
        assert last is not None
        assert last.root == sealed.published.root


def test_a_leaf_cannot_be_given_twice(store: Database, seal: Seal, visitor: Visitor) -> None:
    visitor.accept_all()
    seal()
    site = smilee(store)
    with store.read() as session:
        leaf = session.get_one(LedgerLeaf, (site.id, 0))
        taken = leaf.event_id
    twin = LedgerLeaf(site_id=site.id, leaf_index=99, event_id=taken, leaf_hash=bytes(32))
    with pytest.raises(DBAPIError), store.write() as session:
        session.add(twin)


def test_the_name_of_a_ledger_stays(store: Database, seal: Seal, visitor: Visitor) -> None:
    visitor.accept_all()
    (sealed,) = seal()
    with store.write() as session:
        ledger = open_ledger(session, find_site(session, "smilee"), now=datetime.now(UTC))
        assert ledger.origin == sealed.published.origin
        assert session.scalar(select(func.count()).select_from(Checkpoint)) == 1
