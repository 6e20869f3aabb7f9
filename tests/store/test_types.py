"""Times in the database: aware, UTC, to the millisecond, in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from consent_server.rules.times import to_utc
from consent_server.store.database import Database
from consent_server.store.models import Site

MOMENTS = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
    datetime(2026, 11, 22, 16, 47, 0, 123_987, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
]


def test_a_time_comes_back_in_utc_to_the_millisecond(store: Database) -> None:
    with store.write() as session:
        session.add_all(
            Site(key=f"site-{index}", name="", created_at=moment)
            for index, moment in enumerate(reversed(MOMENTS))
        )
    with store.read() as session:
        found = list(session.scalars(select(Site.created_at).order_by(Site.created_at)))
    assert found == [to_utc(moment) for moment in MOMENTS]
    assert {moment.tzinfo for moment in found} == {UTC}


def test_a_naive_time_is_refused(store: Database) -> None:
    with store.write() as session:
        session.add(Site(key="site", name="", created_at=datetime(2026, 11, 22)))
        with pytest.raises(StatementError, match="without a zone"):
            session.flush()


def test_no_time_at_all_stays_none(store: Database) -> None:
    with store.write() as session:
        session.add(Site(key="site", name="", created_at=MOMENTS[0]))
    with store.read() as session:
        assert session.scalar(select(Site.retired_at)) is None
