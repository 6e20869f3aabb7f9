"""Clocks: whatever they say, the ledger is in order, and tells how they differ."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import select

from consent_server import app as app_module
from consent_server.ledger_check import check_ledger
from consent_server.rules.times import parse_time, spell_time
from consent_server.sealing import origins_of, seal_waiting
from consent_server.signing import Signer
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.models import ConsentEvent, LedgerLeaf
from tests.visitor import Visitor

HOUR = timedelta(hours=1)
YEARS = timedelta(days=3653)


@pytest.mark.parametrize(
    "steps", [pytest.param(40, id="40"), pytest.param(2_000, id="2000", marks=pytest.mark.soak)]
)
def test_a_server_whose_clock_steps_to_and_fro_keeps_its_ledger_in_order(
    served: Flask, store: Database, signer: Signer, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    chance, clock = random.Random(0), [datetime.now(UTC).replace(microsecond=0)]
    monkeypatch.setattr(app_module, "_now", lambda: clock[0])
    sent: dict[str, timedelta] = {}
    for number in range(steps):
        # NTP sets it an hour forward or back; else it goes on as clocks do.
        clock[0] += chance.choice([HOUR, -HOUR, *[timedelta(seconds=1)] * 6])
        visitor = Visitor(served.test_client(use_cookies=False))
        skew = chance.choice([YEARS, -YEARS, timedelta()])
        decision = visitor.decision(decided_at=spell_time(clock[0] + skew))
        address = {"REMOTE_ADDR": f"127.0.{number // 250}.{number % 250}"}
        assert visitor.send(decision, environ_base=address).status_code == 201
        sent[decision["decision_id"]] = skew
        if chance.random() < 0.3:
            seal_waiting(store, signer, now=clock[0])
    seal_waiting(store, signer, now=clock[0])
    with store.read() as session:
        site = find_site(session, "smilee")
        query = (
            select(ConsentEvent)
            .join(
                LedgerLeaf,
                (LedgerLeaf.site_id == ConsentEvent.site_id)
                & (LedgerLeaf.event_id == ConsentEvent.event_id),
            )
            .where(LedgerLeaf.site_id == site.id)
            .order_by(LedgerLeaf.leaf_index)
        )
        events = list(session.scalars(query))
        keys = [key for name in origins_of(session, site) for key in signer.verifiers(name)]
        assert check_ledger(session, site, keys).leaves == steps + 2
    assert len(events) == steps
    assert all(one.received_at <= next_.received_at for one, next_ in pairwise(events))
    for one in events:
        # Never long before what our clock said, so the difference is the visitor's.
        told = one.decided_at - one.received_at
        assert abs(told - sent[str(one.event_id)]) < timedelta(hours=steps), "skew is recorded"
        assert (abs(told) > YEARS / 2) == bool(sent[str(one.event_id)])


@pytest.mark.parametrize("skew", [YEARS, -YEARS], ids=["ahead", "behind"])
def test_a_visitor_ten_years_off_is_recorded_at_our_time(
    served: Flask, store: Database, skew: timedelta
) -> None:
    visitor = Visitor(served.test_client(use_cookies=False))
    now = datetime.now(UTC)
    answer = visitor.send(visitor.decision(decided_at=spell_time(now + skew)))
    assert answer.status_code == 201
    assert answer.json is not None
    assert abs(parse_time(answer.json["received_at"]) - now) < timedelta(minutes=1)
    assert abs(parse_time(answer.json["decided_at"]) - now - skew) < timedelta(minutes=1)
    assert parse_time(answer.json["valid_until"]) > now
