"""Pushing: checkpoints go to places outside, where the operator cannot take them back."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consent_server.delivery import Answer, NotDelivered, post
from consent_server.errors import ConsentError
from consent_server.proofs import find_checkpoint, note_of, prove_consistency
from consent_server.rules.note import Signature, VerifierKey, parse_note, verify_note
from consent_server.rules.witness import SIZE_TYPE, parse_size, spell_request
from consent_server.signing import verify_signature
from consent_server.store.database import Database
from consent_server.store.models import Checkpoint, Cosignature, Site
from consent_server.store.outside_models import CheckpointPush
from consent_server.targets import Target, TargetKind

#: Gives the proof from a size that a witness names to the checkpoint's.
Prove = Callable[[int], tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A checkpoint that a target does not have yet; `known` is the size that it has."""

    site_id: int
    site: str
    target: Target
    size: int
    known: int


def find_waiting(session: Session, target: Target) -> list[Waiting]:
    """Return the newest checkpoint of each site that a target does not have, by site.

    Those between are left out: a later checkpoint vouches for them.
    """
    newest = (
        select(func.max(Checkpoint.size)).where(Checkpoint.site_id == Site.id).scalar_subquery()
    )
    query = (
        select(Site.id, Site.key, newest, CheckpointPush.size)
        .outerjoin(
            CheckpointPush,
            (CheckpointPush.site_id == Site.id) & (CheckpointPush.target == target.name),
        )
        .order_by(Site.key)
    )
    return [
        Waiting(site_id, key, target, size, known or 0)
        for site_id, key, size, known in session.execute(query)
        if (size or 0) > (known or 0)
    ]


def deliver(database: Database, waiting: Waiting) -> list[Signature]:
    """Hand a checkpoint over; return the cosignatures that came back. Writes nothing.

    No transaction is open while the other side is waited for. Raises NotDelivered.
    """
    with database.read() as session:
        site = session.get_one(Site, waiting.site_id)
        note = note_of(session, find_checkpoint(session, site, waiting.size))
    target = waiting.target
    if target.kind is TargetKind.FILE:
        _append(Path(target.address), note)
    elif target.kind is TargetKind.WEBHOOK:
        answer = post(target.address, note.encode())
        if answer.status // 100 != 2:
            raise NotDelivered(f"{target.name} answered {answer.status}.")
    elif target.key is not None:

        def prove(old: int) -> tuple[bytes, ...]:
            with database.read() as session:
                site = session.get_one(Site, waiting.site_id)
                return prove_consistency(session, site, old, waiting.size).path

        return _ask_witness(target, target.key, note, waiting, prove)
    return []


def remember_push(
    session: Session, waiting: Waiting, cosignatures: list[Signature], *, now: datetime
) -> None:
    """Keep what a target has now, and what it signed."""
    pushed = session.get(CheckpointPush, (waiting.site_id, waiting.target.name))
    if pushed is None:
        pushed = CheckpointPush(site_id=waiting.site_id, target=waiting.target.name, size=0)
        session.add(pushed)
    pushed.size, pushed.pushed_at = max(pushed.size, waiting.size), now
    for one in cosignatures:
        place = (waiting.site_id, waiting.size, one.key_id.hex())
        if session.get(Cosignature, place) is None:
            session.add(
                Cosignature(
                    site_id=waiting.site_id,
                    size=waiting.size,
                    key_id=one.key_id.hex(),
                    name=one.name,
                    line=one.to_line(),
                    received_at=now,
                )
            )


def _append(path: Path, note: str) -> None:
    """Add a note and an empty line; on the disk before it counts."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{note}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise NotDelivered(f"{path}: {error.strerror or error}") from error


def _ask_witness(
    target: Target, key: VerifierKey, note: str, waiting: Waiting, prove: Prove
) -> list[Signature]:
    """Ask for a cosignature; where the witness knows another size, once more from there."""
    answer = _send(target, waiting.known, prove(waiting.known), note)
    if answer.status == 409 and answer.content_type == SIZE_TYPE:
        known = parse_size(answer.body)
        if known is not None and known > waiting.size:
            raise NotDelivered(
                f"{target.address} has seen {known} leaves of {waiting.site}, there are "
                f"{waiting.size}: records are missing here. Restore the newest backup."
            )
        if known is not None and known != waiting.known:
            answer = _send(target, known, prove(known), note)
    if answer.status in {409, 422}:
        raise NotDelivered(
            f"{target.address} refuses to cosign {waiting.site} ({answer.status}): what it "
            "cosigned before is not the beginning of this ledger. Records were changed, or the "
            "database comes from elsewhere. Run: consent-server ledger verify"
        )
    if answer.status != 200:
        raise NotDelivered(
            f"{target.address} answered {answer.status} for {waiting.site}. 404: give it the "
            "key of this ledger; 403: it has another key."
        )
    return _read_cosignatures(target, key, note, answer)


def _send(target: Target, old: int, proof: tuple[bytes, ...], note: str) -> Answer:
    return post(f"{target.address.rstrip('/')}/add-checkpoint", spell_request(old, proof, note))


def _read_cosignatures(
    target: Target, key: VerifierKey, note: str, answer: Answer
) -> list[Signature]:
    """Return what the witness signed, verified; signatures of other keys are ignored."""
    try:
        whole = parse_note(parse_note(note.encode()).to_bytes() + answer.body)
        return list(verify_note(whole, [key], verify_signature))
    except ConsentError as error:
        raise NotDelivered(
            f"{target.address} answered without a cosignature of its key: {error.detail}"
        ) from error
