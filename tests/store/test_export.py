"""Export: of one moment on both databases, however much is written meanwhile."""

from __future__ import annotations

from flask import Flask

from consent_server.audit import count_records, export_records, hold_snapshot, versions_of
from consent_server.sites import find_site
from consent_server.store.database import Database
from tests.visitor import Visitor


def test_an_export_under_writes_is_of_one_moment(served: Flask, store: Database) -> None:
    visitor = Visitor(served.test_client(use_cookies=False))
    receipt = visitor.accept_all().json
    with store.read() as session:
        hold_snapshot(session)
        site = find_site(session, "smilee")
        assert visitor.reject_all().status_code == 201
        assert count_records(session, site) == 1
        assert list(export_records(session, site)) == [receipt]
    with store.read() as session:
        hold_snapshot(session)
        assert count_records(session, find_site(session, "smilee")) == 2


def test_many_records_come_in_order_from_a_cursor(served: Flask, store: Database) -> None:
    visitor = Visitor(served.test_client(use_cookies=False))
    receipts = [visitor.decide().json for _ in range(20)]
    with store.read() as session:
        site = find_site(session, "smilee")
        records = list(export_records(session, site))
        assert [one["version"] for one in versions_of(session, site)] == [1]
    assert records == sorted(receipts, key=lambda one: (one["received_at"], one["event_id"]))
