"""Proofs: that a record is in the ledger, and that the ledger only ever grew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from consent_server.errors import NotFound
from consent_server.rules.merkle import (
    Node,
    NoSuchProof,
    consistency_proof,
    hash_node,
    inclusion_proof,
)
from consent_server.sealing import KEPT_LEVELS, last_checkpoint
from consent_server.store.models import Checkpoint, Cosignature, LedgerLeaf, LedgerNode, Site

#: Nodes of a kept level under one node of the next: read together.
_BLOCK = 1 << KEPT_LEVELS


# Built once: a proof asks for six blocks.
_LEAVES = (
    select(LedgerLeaf.leaf_index, LedgerLeaf.leaf_hash)
    .where(
        LedgerLeaf.site_id == bindparam("site_id"),
        LedgerLeaf.leaf_index.between(bindparam("first"), bindparam("last")),
    )
    .order_by(LedgerLeaf.leaf_index)
)
_NODES = (
    select(LedgerNode.node_index, LedgerNode.hash)
    .where(
        LedgerNode.site_id == bindparam("site_id"),
        LedgerNode.level == bindparam("level"),
        LedgerNode.node_index.between(bindparam("first"), bindparam("last")),
    )
    .order_by(LedgerNode.node_index)
)


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That a leaf stands under a signed checkpoint (RFC 6962, 2.1.1)."""

    leaf_index: int
    leaf_hash: bytes
    size: int
    path: tuple[bytes, ...]
    #: C2SP signed-note, with the signatures of witnesses.
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the tree of `old` leaves begins that of `new` (RFC 6962, 2.1.2)."""

    old: int
    new: int
    path: tuple[bytes, ...]


def prove_inclusion(session: Session, site: Site, event_id: UUID) -> Inclusion:
    """Prove that an event is in the ledger, under its newest checkpoint; raises NotFound."""
    leaf = session.scalar(
        select(LedgerLeaf).where(LedgerLeaf.site_id == site.id, LedgerLeaf.event_id == event_id)
    )
    if leaf is None:
        raise NotFound(
            "No sealed record has this id. What was recorded just now is sealed within seconds."
        )
    checkpoint = newest_checkpoint(session, site)
    path = inclusion_proof(leaf.leaf_index, checkpoint.size, _nodes(session, site))
    return Inclusion(
        leaf_index=leaf.leaf_index,
        leaf_hash=leaf.leaf_hash,
        size=checkpoint.size,
        path=tuple(path),
        checkpoint=note_of(session, checkpoint),
    )


def spell_inclusion(event_id: UUID, proof: Inclusion) -> dict[str, Any]:
    """Return a proof in JSON types, as the API and receipts give it."""
    return {
        "event_id": str(event_id),
        "leaf_index": proof.leaf_index,
        "leaf_hash": proof.leaf_hash.hex(),
        "size": proof.size,
        "path": [one.hex() for one in proof.path],
        "checkpoint": proof.checkpoint,
    }


def prove_consistency(
    session: Session, site: Site, old: int, new: int | None = None
) -> Consistency:
    """Prove that nothing was changed between two sizes; `new` is the newest unless given.

    Raises NotFound and NoSuchProof.
    """
    newest = newest_checkpoint(session, site).size
    new = newest if new is None else new
    if new > newest:
        raise NoSuchProof(f"The ledger has {newest} sealed leaves, not {new}.")
    return Consistency(old, new, tuple(consistency_proof(old, new, _nodes(session, site))))


def newest_checkpoint(session: Session, site: Site) -> Checkpoint:
    """Return the newest checkpoint; raises NotFound before the first."""
    found = last_checkpoint(session, site)
    if found is None:
        raise NotFound(f"Nothing of {site.key!r} is sealed yet. Ask again in a few seconds.")
    return found


def find_checkpoint(session: Session, site: Site, size: int) -> Checkpoint:
    """Return the checkpoint at a size; raises NotFound."""
    found = session.get(Checkpoint, (site.id, size)) if 0 < size < 2**63 else None
    if found is None:
        raise NotFound(f"No checkpoint of {site.key!r} was signed at {size} leaves.")
    return found


def note_of(session: Session, checkpoint: Checkpoint) -> str:
    """Return a checkpoint as it is published: with the signatures of its witnesses."""
    lines = session.scalars(
        select(Cosignature.line)
        .where(
            Cosignature.site_id == checkpoint.site_id,
            Cosignature.size == checkpoint.size,
        )
        .order_by(Cosignature.name, Cosignature.key_id)
    )
    return checkpoint.note + "".join(lines)


def _nodes(session: Session, site: Site) -> Node:
    """Return a reader of complete subtrees: kept ones are read, those between computed.

    A proof asks for a node of every level, and what lies between two kept levels lies in one
    or two blocks of the lower: few questions, each for many neighbours.
    """
    blocks: dict[tuple[int, int], list[bytes]] = {}

    def node(level: int, index: int) -> bytes:
        height = level % KEPT_LEVELS
        kept, first, count = level - height, index << height, 1 << height
        block, start = divmod(first, _BLOCK)
        if (kept, block) not in blocks:
            blocks[kept, block] = _read_block(session, site, kept, block * _BLOCK)
        row = blocks[kept, block][start : start + count]
        if len(row) != count:
            raise NoSuchProof(
                f"The tree of {site.key!r} has holes. Run: consent-server ledger verify "
                f"--site {site.key}"
            )
        while len(row) > 1:
            row = [hash_node(row[at], row[at + 1]) for at in range(0, len(row), 2)]
        return row[0]

    return node


def _read_block(session: Session, site: Site, level: int, first: int) -> list[bytes]:
    """Return neighbouring hashes of a kept level as far as none is missing; level 0: leaves."""
    asked = {"site_id": site.id, "level": level, "first": first, "last": first + _BLOCK - 1}
    rows = session.connection().execute(_NODES if level else _LEAVES, asked).all()
    if rows and rows[-1][0] - first >= len(rows):
        rows = [row for at, row in enumerate(rows, first) if row[0] == at]
    return [one for _, one in rows]
