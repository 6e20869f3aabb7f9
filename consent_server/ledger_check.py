"""Checking the ledger where it lies: every leaf, every root, every signature."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, contains_eager

from consent_server.errors import ConsentError
from consent_server.ledger import admin_event_of, event_of
from consent_server.rules.admin_event import hash_admin_event
from consent_server.rules.checkpoint import parse_checkpoint
from consent_server.rules.merkle import BrokenFrontier, Frontier
from consent_server.rules.note import Note, NotSigned, VerifierKey, parse_note, verify_note
from consent_server.rules.receipt import hash_event
from consent_server.rules.times import spell_time
from consent_server.sealing import KEPT_LEVELS, SEALED
from consent_server.signing import verify_signature
from consent_server.store.answers import Said
from consent_server.store.models import (
    AdminEvent,
    Answer,
    Checkpoint,
    ConsentEvent,
    LedgerLeaf,
    LedgerNode,
    Site,
    SiteVersion,
)
from consent_server.store.record_rows import SAME_ANSWER, SAME_LEAF, SAME_VERSION
from consent_server.store.types import UNREADABLE

_AT_ONCE = 1_000


class BrokenLedger(ConsentError):
    """Something in the database is not what was sealed; the message names the first of it."""

    status, code, title = 409, "broken_ledger", "The ledger was changed"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at and found right."""

    leaves: int
    checkpoints: int
    #: Checkpoints that no key of `keys` signed, and the keys of `announced` that did.
    by_announced: int = 0
    announced: tuple[VerifierKey, ...] = ()


class _Keys:
    """Keys of two kinds, and what the second alone vouched for."""

    def __init__(self, known: list[VerifierKey], announced: list[VerifierKey]) -> None:
        self._known, self._announced = known, announced
        #: Notes that only announced keys signed, and which of them, in order.
        self.lone = 0
        self.used: dict[VerifierKey, None] = {}

    def verify(self, note: Note, name: str) -> None:
        """Verify what was signed under a name; raises NotSigned."""
        try:
            verify_note(note, [key for key in self._known if key.name == name], verify_signature)
        except NotSigned:
            announced = [key for key in self._announced if key.name == name]
            if not announced:
                raise
            signed = {one.key_id for one in verify_note(note, announced, verify_signature)}
            self.lone += 1
            self.used |= {key: None for key in announced if key.key_id in signed}


def check_ledger(
    session: Session,
    site: Site,
    keys: Iterable[VerifierKey],
    *,
    announced: Iterable[VerifierKey] = (),
    after: Checkpoint | None = None,
    tell: Callable[[int], None] = lambda _checked: None,
) -> Checked:
    """Recompute every sealed leaf, kept subtree and root, and verify every signature.

    With `after` only from that checkpoint on, which is believed as far as it is signed.
    Keys of `announced` are asked where none of `keys` signed; the answer names them.
    `tell` hears how many leaves were checked, every thousand. Raises BrokenLedger that
    names the first bad record. What waits to be sealed is not looked at.
    """
    known = _Keys(list(keys), list(announced))
    frontier, passed = Frontier(), 0
    if after is not None:
        frontier = _frontier_of(after)
        _check_checkpoint(site, after, frontier, known)
    began = frontier.size
    # Closed at once: PostgreSQL keeps a cursor for each.
    with (
        closing(_checkpoints(session, site, began)) as checkpoints,
        closing(_leaves(session, site, began)) as rows,
    ):
        awaited = next(checkpoints, None)
        for row in rows:
            _check_leaf(site, row, frontier.size)
            _check_nodes(session, site, frontier.append(row.LedgerLeaf.leaf_hash))
            if frontier.size % _AT_ONCE == 0:
                tell(frontier.size)
            if awaited is not None and awaited.size == frontier.size:
                _check_checkpoint(site, awaited, frontier, known)
                awaited, passed = next(checkpoints, None), passed + 1
    if awaited is not None:
        raise BrokenLedger(
            f"A checkpoint was signed at {awaited.size} leaves, but {frontier.size} are there: "
            "leaves are missing at the end."
        )
    _check_answers(session, site)
    tell(frontier.size)
    return Checked(frontier.size - began, passed, known.lone, tuple(known.used))


def checkpoint_before(session: Session, site: Site, leaves: int) -> Checkpoint | None:
    """Return the newest checkpoint with at least so many leaves behind it, if there is one."""
    sizes = select(func.max(Checkpoint.size)).where(Checkpoint.site_id == site.id)
    newest = session.scalar(sizes) or 0
    size = session.scalar(sizes.where(Checkpoint.size <= newest - leaves))
    return session.get(Checkpoint, (site.id, size)) if size else None


def _leaves(session: Session, site: Site, began: int) -> Generator[Any, None, None]:
    """Give each leaf with what it is the hash of. Raises BrokenLedger where that cannot be read."""
    query = _select_leaves(site).execution_options(yield_per=_AT_ONCE)
    read = began
    try:
        with closing(session.execute(query.where(LedgerLeaf.leaf_index >= began))) as rows:
            for row in rows:
                yield row
                read = row.LedgerLeaf.leaf_index + 1
    except UNREADABLE:
        # Many are read at once: which of them it was shows one by one.
        yield from _leaves_one_by_one(session, site, read)


def _leaves_one_by_one(session: Session, site: Site, began: int) -> Generator[Any, None, None]:
    leaves = select(LedgerLeaf.leaf_index, LedgerLeaf.event_id).where(
        LedgerLeaf.site_id == site.id, LedgerLeaf.leaf_index >= began
    )
    for index, event_id in session.execute(leaves.order_by(LedgerLeaf.leaf_index)).yield_per(1):
        try:
            rows = session.execute(_select_leaves(site).where(LedgerLeaf.leaf_index == index)).all()
        except UNREADABLE as error:
            raise BrokenLedger(
                f"{_name_of(index, event_id)} was changed: it cannot be read ({error!r})."
            ) from error
        yield from rows


def _select_leaves(site: Site) -> Select[*tuple[Any, ...]]:
    return (
        select(LedgerLeaf, ConsentEvent, SiteVersion.config_hash, AdminEvent)
        .options(contains_eager(ConsentEvent.answer))
        .select_from(LedgerLeaf)
        .outerjoin(ConsentEvent, SAME_LEAF)
        .outerjoin(Answer, SAME_ANSWER)
        .outerjoin(SiteVersion, SAME_VERSION)
        .outerjoin(
            AdminEvent,
            (AdminEvent.site_id == LedgerLeaf.site_id)
            & (AdminEvent.event_id == LedgerLeaf.event_id),
        )
        .where(LedgerLeaf.site_id == site.id)
        .order_by(LedgerLeaf.leaf_index)
    )


def _check_answers(session: Session, site: Site) -> None:
    """Refuse answers that are not what they were numbered as: new records would name them."""
    query = select(Answer).where(Answer.site_id == site.id)
    try:
        with closing(session.scalars(query.execution_options(yield_per=_AT_ONCE))) as rows:
            for row in rows:
                if Said.of(row).digest != row.digest:
                    raise BrokenLedger(f"The answer {row.number} of {site.key!r} was changed.")
    except UNREADABLE as error:
        raise BrokenLedger(
            f"An answer of {site.key!r} was changed: it cannot be read ({error!r})."
        ) from error


def _checkpoints(session: Session, site: Site, began: int) -> Generator[Checkpoint, None, None]:
    query = (
        select(Checkpoint)
        .where(Checkpoint.site_id == site.id, Checkpoint.size > began)
        .order_by(Checkpoint.size)
        .execution_options(yield_per=_AT_ONCE)
    )
    try:
        with closing(session.scalars(query)) as rows:
            yield from rows
    except UNREADABLE as error:
        raise BrokenLedger(
            f"A checkpoint of {site.key!r} was changed: it cannot be read ({error!r})."
        ) from error


def _frontier_of(row: Checkpoint) -> Frontier:
    try:
        return Frontier.from_bytes(row.size, row.frontier)
    except BrokenFrontier as error:
        raise BrokenLedger(
            f"The checkpoint at {row.size} leaves is damaged: {error.detail}"
        ) from error


def _check_leaf(site: Site, row: Any, index: int) -> None:
    leaf: LedgerLeaf = row.LedgerLeaf
    name = _name_of(index, leaf.event_id)
    if leaf.leaf_index != index:
        raise BrokenLedger(f"Leaf {index} is missing; the next one is {leaf.leaf_index}.")
    try:
        found, stated = _hashes(row, site)
    except LookupError:
        raise BrokenLedger(f"{name} is sealed, but the record or its version is gone.") from None
    except UNREADABLE:
        found = stated = b""  # a word that no record ever had
    if found != leaf.leaf_hash or stated != leaf.leaf_hash:
        raise BrokenLedger(f"{name} was changed: its fields no longer give the sealed hash.")


def _name_of(index: int, event_id: UUID) -> str:
    return f"Record {index} (event {event_id})"


def _hashes(row: Any, site: Site) -> tuple[bytes, bytes]:
    """Return what the fields of a record give, and what it states; raises LookupError."""
    if row.ConsentEvent is not None and row.config_hash is not None:
        found = hash_event(event_of(row.ConsentEvent, site.key, row.config_hash))
        return found, found
    if row.AdminEvent is not None:
        return hash_admin_event(admin_event_of(row.AdminEvent, site.key)), row.AdminEvent.leaf_hash
    raise LookupError


def _check_nodes(session: Session, site: Site, finished: list[tuple[int, int, bytes]]) -> None:
    for level, index, found in finished:
        if level and level % KEPT_LEVELS == 0:
            row = session.get(LedgerNode, (site.id, level, index))
            if row is None or row.hash != found:
                raise BrokenLedger(
                    f"The kept subtree {index} of level {level} is not that of its leaves, "
                    f"{index << level} to {(index + 1 << level) - 1}."
                )


def _check_checkpoint(site: Site, row: Checkpoint, frontier: Frontier, keys: _Keys) -> None:
    name = f"The checkpoint at {row.size} leaves"
    try:
        note = parse_note(row.note.encode())
        signed = parse_checkpoint(note.text)
        keys.verify(note, signed.origin)
        kept = Frontier.from_bytes(row.size, row.frontier).root()
    except BrokenFrontier as error:
        raise BrokenLedger(f"{name} is damaged: {error.detail}") from error
    except ConsentError as error:
        raise BrokenLedger(
            f"{name} is not signed by a key of {site.key!r}: {error.detail}"
        ) from error
    if signed.size != row.size or not signed.root == row.root == kept == frontier.root():
        raise BrokenLedger(
            f"{name} has another root than the leaves give: a record up to there was changed, "
            "taken out or put in after it was sealed."
        )
    stated = {f"{SEALED}{spell_time(row.sealed_at)}"}
    signers = {one.key_id.hex() for one in note.signatures if one.name == signed.origin}
    if not stated <= {*signed.extensions} or row.key_id not in signers:
        raise BrokenLedger(f"{name} says of itself another time or key than was signed.")
