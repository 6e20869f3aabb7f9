"""Sealing: events get their place in the tree, and the tree a signed checkpoint."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import Select, bindparam, delete, func, literal_column, select, tuple_
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from consent_server.continuity import CannotSeal, check_continuity
from consent_server.errors import ConsentError
from consent_server.ledger import append_admin_event
from consent_server.reasons import read_reason
from consent_server.rules.admin_event import Action
from consent_server.rules.checkpoint import Checkpoint, parse_checkpoint
from consent_server.rules.merkle import Frontier
from consent_server.rules.note import parse_note
from consent_server.rules.times import spell_time, to_utc
from consent_server.signing import KeyFolderClosed, KeyProblem, Published, Signer
from consent_server.sites import find_version, read_config
from consent_server.store.database import Database, is_locked, was_taken_back
from consent_server.store.driver import Insert, Question
from consent_server.store.models import Checkpoint as CheckpointRow
from consent_server.store.models import Ledger, LedgerLeaf, LedgerNode, LedgerQueue, Site

#: Complete subtrees are kept at every eighth level: a proof reads at most 255 hashes of each.
KEPT_LEVELS = 8
#: How the extension line of a checkpoint begins that says when it was sealed.
SEALED = "sealed "
_AT_ONCE = 5_000

_insert_leaves = Insert(LedgerLeaf, "site_id", "leaf_index", "event_id", "leaf_hash")
_insert_nodes = Insert(LedgerNode, "site_id", "level", "node_index", "hash")


def _newest(model: Any, order: Any, names: Sequence[str]) -> Select[Any]:
    """Return the question for these columns of a site's row whose `order` is the greatest."""
    of_site = model.site_id == bindparam("site_id")
    greatest = select(func.max(order)).where(of_site).scalar_subquery()
    return select(*(getattr(model, name) for name in names)).where(of_site, order == greatest)


_CHECKPOINT = ("site_id", "size", "root", "frontier", "note", "key_id", "sealed_at")
_insert_checkpoints = Insert(CheckpointRow, *_CHECKPOINT)
_LEDGER = ("site_id", "number", "origin", "opened_at")
# Spelled once: on SQLite all decisions wait while these are carried out.
_last_ledger = Question(_newest(Ledger, Ledger.number, _LEDGER).with_for_update())
_last_checkpoint = Question(_newest(CheckpointRow, CheckpointRow.size, _CHECKPOINT))
_queue = LedgerQueue.__table__.c
_place = (_queue.received_at, _queue.event_id)
_of_site = _queue.site_id == bindparam("site")
_first = select(*_place).where(_of_site).order_by(*_place).limit(bindparam("most"))
_first = _first.offset(literal_column("0"))  # else SQLite has it as a parameter without a name
# By their keys: on PostgreSQL others may add what is older meanwhile.
_take = Question(
    delete(LedgerQueue)
    .where(_of_site, tuple_(*_place).in_(_first))
    .returning(*_place, _queue.leaf_hash)
)

#: When it was received, its id, the hash of its leaf.
_Row = tuple[Any, ...]

#: Asked of whoever begins a ledger anew.
WHAT_WAS_LOST: Final = "Say what was lost and how"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A checkpoint as it was signed; published once the transaction is committed."""

    site: str
    added: int
    published: Published
    note: str


def seal_waiting(
    database: Database, signer: Signer, *, now: datetime, told: dict[int, str] | None = None
) -> list[Sealed]:
    """Seal every site that has events waiting, each in a transaction of its own.

    What cannot be sealed is logged; the others are not held up by it. Raises KeyFolderClosed.
    `told` is what the log has of each site by its number, and is kept up: who calls again and
    again tells it once.
    """
    told = {} if told is None else told
    with database.read() as session:
        waiting = list(
            session.scalars(select(Site).where(Site.id.in_(select(LedgerQueue.site_id))))
        )
    done = []
    for site in waiting:
        try:
            with database.write() as session:
                sealed = seal_site(session, site, signer, now=now)
        except KeyFolderClosed:
            raise  # it is the same for every site: whoever called tells it once
        except (CannotSeal, KeyProblem) as error:
            _tell(told, site, error.detail)
        except ConsentError as error:
            # A checkpoint that was damaged: its words alone do not say whose.
            _tell(told, site, f"site {site.id} cannot be sealed: {error.detail}")
        except IntegrityError:
            # Another server sealed the same events; the next round sees it.
            log.info("site %s was sealed by another server", site.id)
        except DBAPIError as error:
            if not (is_locked(error) or was_taken_back(error)):
                raise
            # Such as another server that hangs in the middle of it.
            _tell(told, site, f"{site.key!r} is not sealed yet: another holds its rows.")
        else:
            told.pop(site.id, None)
            if sealed is not None:
                signer.remember(sealed.published)
                done.append(sealed)
    return done


def _tell(told: dict[int, str], site: Site, words: str) -> None:
    if told.get(site.id) != words:
        log.error("%s", words)
    told[site.id] = words


def seal_site(session: Session, site: Site, signer: Signer, *, now: datetime) -> Sealed | None:
    """Give every waiting event its leaf and sign the tree; None when nothing waited.

    The cost grows with what waits, not with the ledger. After the commit the caller
    tells the signer to remember what was published. Raises CannotSeal.
    """
    now = to_utc(now)
    ledger = open_ledger(session, site, now=now)
    last = last_checkpoint(session, site)
    known = last is not None and origin_of(last) == ledger.origin
    if last is not None and known:
        check_continuity(session, site, signer, ledger.origin, last)
    current = signer.current(ledger.origin)
    if last is None or not known or last.key_id != current.key_id.hex():
        _announce_key(session, site, current.to_text(), now)
    size = last.size if last is not None else 0
    frontier = Frontier.from_bytes(size, last.frontier if last is not None else b"")
    latest = max(now, last.sealed_at) if last is not None else now
    for rows in _take_queue(session, site):
        _add_leaves(session, site, frontier, rows)
        latest = max(latest, rows[-1][0])
    if frontier.size == size:
        return None
    note = _sign(session, site, signer, ledger.origin, frontier, latest)
    published = Published(ledger.origin, frontier.size, frontier.root(), latest)
    return Sealed(site.key, frontier.size - size, published, note)


def open_ledger(session: Session, site: Site, *, now: datetime) -> Ledger:
    """Return the name that the ledger has now, and hold it against other sealers.

    A new ledger is called by the first host of the site and a random number, which
    stays when the site moves.
    """
    session.flush()  # the connection sees only what is written
    known = None
    while found := _last_ledger(session.connection(), site_id=site.id):
        ledger = Ledger(**dict(zip(_LEDGER, found[0], strict=True)))
        if ledger.number == known or session.get_bind().dialect.name == "sqlite":
            return ledger
        # Who had to wait for the row was told which was the last before: it may have ended.
        known = ledger.number
    return _name_ledger(session, site, 1, now)


def begin_anew(session: Session, site: Site, *, actor: str, reason: str, now: datetime) -> Ledger:
    """Give the ledger a new name after records or keys were lost, and say so in a leaf.

    What was published under the old name stays as it is: it ends there. Raises Conflict
    for a reason that the ledger cannot keep.
    """
    reason = read_reason(reason, WHAT_WAS_LOST)
    old = open_ledger(session, site, now=now)
    new = _name_ledger(session, site, old.number + 1, now)
    append_admin_event(
        session,
        site,
        Action.RESTORE,
        actor=actor,
        details={"reason": reason, "old_origin": old.origin, "new_origin": new.origin},
        now=now,
    )
    return new


def last_checkpoint(session: Session, site: Site) -> CheckpointRow | None:
    """Return the newest checkpoint of a site."""
    session.flush()  # the connection sees only what is written
    for found in _last_checkpoint(session.connection(), site_id=site.id):
        return CheckpointRow(**dict(zip(_CHECKPOINT, found, strict=True)))
    return None


def origin_of(checkpoint: CheckpointRow) -> str:
    """Return the name under which a checkpoint was signed."""
    return parse_checkpoint(parse_note(checkpoint.note.encode()).text).origin


def origins_of(session: Session, site: Site) -> list[str]:
    """Return every name that the ledger of a site ever had, oldest first."""
    query = select(Ledger.origin).where(Ledger.site_id == site.id).order_by(Ledger.number)
    return list(session.scalars(query))


def _name_ledger(session: Session, site: Site, number: int, now: datetime) -> Ledger:
    config = read_config(find_version(session, site, site.current_version))
    host = urlsplit(config["origins"][0]).netloc
    ledger = Ledger(
        site_id=site.id,
        number=number,
        origin=f"{host}/ledger/{secrets.token_hex(8)}",
        opened_at=now,
    )
    session.add(ledger)
    session.flush()
    return ledger


def _announce_key(session: Session, site: Site, key: str, now: datetime) -> None:
    """Write the key into the ledger that it will sign: the log tells its own keys."""
    append_admin_event(
        session, site, Action.KEY_CHANGE, actor="server", details={"added": key}, now=now
    )
    session.flush()


def _take_queue(session: Session, site: Site) -> Iterator[Sequence[_Row]]:
    """Give what waits in the order of its time, in parts, and take it off the queue."""
    while True:
        rows = _take(session.connection(), site=site.id, most=_AT_ONCE)
        if not rows:
            return
        # A database returns them in any order.
        yield sorted(rows, key=lambda row: row[:2])
        if len(rows) < _AT_ONCE:
            return  # what others add meanwhile is the next sealing's, or this one might never end


def _add_leaves(session: Session, site: Site, frontier: Frontier, rows: Sequence[_Row]) -> None:
    leaves, nodes = [], []
    for _, event_id, leaf_hash in rows:
        leaves.append((site.id, frontier.size, event_id, leaf_hash))
        nodes += [
            (site.id, level, index, found)
            for level, index, found in frontier.append(leaf_hash)
            if level and level % KEPT_LEVELS == 0
        ]
    connection = session.connection()
    _insert_leaves(connection, leaves)
    _insert_nodes(connection, nodes)


def _sign(
    session: Session,
    site: Site,
    signer: Signer,
    origin: str,
    frontier: Frontier,
    sealed_at: datetime,
) -> str:
    checkpoint = Checkpoint(
        origin, frontier.size, frontier.root(), (f"{SEALED}{spell_time(sealed_at)}",)
    )
    note = signer.sign(origin, checkpoint.to_text(), sealed_at).to_bytes().decode()
    key_id = signer.current(origin).key_id.hex()
    size, root, subtrees = frontier.size, checkpoint.root, frontier.to_bytes()
    row = (site.id, size, root, subtrees, note, key_id, sealed_at)
    _insert_checkpoints(session.connection(), [row])
    return note


def count_waiting(session: Session, site: Site) -> tuple[int, datetime | None]:
    """Return how many events wait to be sealed, and since when."""
    count, oldest = session.execute(
        select(func.count(), func.min(LedgerQueue.received_at)).where(
            LedgerQueue.site_id == site.id
        )
    ).one()
    return count, oldest
