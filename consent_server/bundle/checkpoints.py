"""Checkpoints of a bundle: enough to bound every place, few enough to keep."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.proofs import note_of
from consent_server.store.models import Checkpoint, Cosignature, Site

_AT_ONCE = 2048


def choose_sizes(session: Session, site: Site, size: int) -> list[int]:
    """Return the sizes of the oldest checkpoint, the last of each day, the cosigned, the newest."""
    query = (
        select(Checkpoint.size, Checkpoint.sealed_at)
        .where(Checkpoint.site_id == site.id, Checkpoint.size <= size)
        .order_by(Checkpoint.size)
        .execution_options(yield_per=_AT_ONCE)
    )
    chosen: set[int] = {size}
    before, day = 0, None
    for found, sealed in session.execute(query):
        if before == 0 or day != sealed.date():
            # The first of all, and the last of the day before.
            chosen.add(before or found)
        before, day = found, sealed.date()
    cosigned = select(Cosignature.size).where(
        Cosignature.site_id == site.id, Cosignature.size <= size
    )
    return sorted(chosen | set(session.scalars(cosigned)))


def read_notes(session: Session, site: Site, sizes: list[int]) -> Iterator[tuple[int, str]]:
    """Give each checkpoint as it was published, with the signatures of its witnesses."""
    for size in sizes:
        checkpoint = session.get_one(Checkpoint, (site.id, size))
        yield size, note_of(session, checkpoint)
        session.expunge(checkpoint)
