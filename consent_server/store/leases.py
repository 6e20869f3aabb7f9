"""Leases: of many servers with one database, one runs a job at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from consent_server.store.dialects import insert_for
from consent_server.store.models import Lease

#: A server that died with its clock so far ahead would keep a job from all others till then.
_CLOCK_IS_WRONG = timedelta(days=1)


def take_lease(
    session: Session, name: str, holder: str, *, now: datetime, lasts: timedelta
) -> bool:
    """Take or renew a lease; tell whether `holder` has it. Commit before relying on it.

    Compare-and-set: a lease that somebody else holds is taken only after
    it ended. It must last longer than the clocks of two servers may differ. One that
    ends so late that it was taken by a clock that was wrong is nobody's.
    """
    ends = now + lasts
    free = or_(
        Lease.holder == holder, Lease.expires_at <= now, Lease.expires_at > ends + _CLOCK_IS_WRONG
    )
    mine = update(Lease).where(Lease.name == name, free)
    if session.connection().execute(mine.values(holder=holder, expires_at=ends)).rowcount:
        return True
    first = insert_for(session.get_bind().dialect.name, Lease).values(
        name=name, holder=holder, expires_at=ends
    )
    session.execute(first.on_conflict_do_nothing())
    return session.scalar(select(Lease.holder).where(Lease.name == name)) == holder


def is_held(session: Session, name: str, *, now: datetime) -> bool:
    """Tell whether anybody has a lease."""
    ends = session.scalar(select(Lease.expires_at).where(Lease.name == name))
    return ends is not None and ends > now


def release_lease(session: Session, name: str, holder: str) -> None:
    """Give a lease back before its end; nothing happens to somebody else's."""
    session.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))
