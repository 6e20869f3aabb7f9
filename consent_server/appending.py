"""Appending: decisions become events, once each, many in one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from consent_server.errors import Conflict
from consent_server.ledger import Leaf, Recorded, ShownVersion, receipt_of_row
from consent_server.recall import Known, recall
from consent_server.rules.decision import Decision, kind_of
from consent_server.rules.receipt import (
    SALT_BYTES,
    Event,
    commit_subject,
    varying_of,
)
from consent_server.rules.regimes import valid_days
from consent_server.rules.sight import Sight
from consent_server.store.answers import Said, number_answers
from consent_server.store.decision_rows import (
    insert_events,
    insert_links,
    insert_waiting,
)
from consent_server.totals import add_to_totals
from consent_server.wanted import Like, Wanted, like_first, like_of
from consent_server.webhooks import queue_events

#: Times are kept in milliseconds.
_TICK = timedelta(milliseconds=1)


class _New(NamedTuple):
    """An event that is about to be written, with what is kept beside it."""

    site_id: int
    event: Event
    leaf_hash: bytes
    key: bytes
    salt: bytes
    digest: bytes


def append_event(
    session: Session,
    shown: ShownVersion,
    decision: Decision,
    *,
    now: datetime,
    sight: Sight = Sight(),  # noqa: B008 (frozen)
) -> Recorded:
    """Append a decision, or return the receipt it got the first time.

    Raises Conflict when it does not fit the version, or when another decision was
    recorded under its id. It counts as recorded only once the caller committed.
    """
    (outcome,) = append_together(session, [Wanted(shown, decision, sight)], now=now)
    if isinstance(outcome, Conflict):
        raise outcome
    return outcome


def append_together(
    session: Session, wanted: Sequence[Wanted], *, now: datetime
) -> list[Recorded | Conflict]:
    """Append many decisions; each gets its receipt, or the Conflict that it alone meets.

    They count as recorded only once the caller committed.
    """
    outcomes: dict[int, Recorded | Conflict] = {}
    waiting = list(enumerate(wanted))
    while waiting:
        # Twins, and what one subject says twice, must each see the one before.
        together, waiting = _apart(waiting)
        outcomes.update(_append_apart(session, together, now))
    return [outcomes[number] for number in range(len(wanted))]


def _apart(
    waiting: Iterable[tuple[int, Wanted]],
) -> tuple[list[tuple[int, Wanted]], list[tuple[int, Wanted]]]:
    """Part what may be looked up and written at once from what has to come after it."""
    waiting = list(waiting)
    if len({one.place for _, one in waiting} | {one.subject for _, one in waiting}) == 2 * len(
        waiting
    ):
        return waiting, []  # as it nearly always is
    together: list[tuple[int, Wanted]] = []
    later: list[tuple[int, Wanted]] = []
    seen: set[object] = set()
    for number, one in waiting:
        whose = one.place, one.subject
        (together if seen.isdisjoint(whose) else later).append((number, one))
        seen.update(whose)
    return together, later


def _append_apart(
    session: Session, wanted: Sequence[tuple[int, Wanted]], now: datetime
) -> dict[int, Recorded | Conflict]:
    outcomes: dict[int, Recorded | Conflict] = {}
    new: list[_New] = []
    known: dict[int, Known] = {}
    said: dict[int, dict[bytes, Said]] = {}
    fitting = []
    for number, one in wanted:
        try:
            one.shown.check(one.decision)
        except Conflict as conflict:
            outcomes[number] = conflict
        else:
            fitting.append((number, one))
    for site_id in sorted({one.shown.site_id for _, one in fitting}):
        of_site = [(number, one) for number, one in fitting if one.shown.site_id == site_id]
        # What each says where it is of a visitor who said nothing before, as most are.
        first = [like_first(one) for _, one in of_site]
        said[site_id] = {like.digest: like.said for like in first}
        known[site_id] = recall(
            session,
            site_id,
            ids=[one.decision.decision_id for _, one in of_site],
            keys=[one.key for _, one in of_site],
            answers=said[site_id].values(),
            now=now,
        )
        for (number, one), like in zip(of_site, first, strict=True):
            try:
                outcomes[number] = _append(known[site_id], one, like, new, said[site_id])
            except Conflict as conflict:
                outcomes[number] = conflict
    _write(session, new, known, said)
    return outcomes


def _append(
    known: Known, one: Wanted, like: Like, new: list[_New], said: dict[bytes, Said]
) -> Recorded:
    decision, key = one.decision, one.key
    earlier = known.events.get(decision.decision_id)
    if earlier is not None:
        return Recorded(_repeat(earlier, known.keys.get(decision.decision_id), one, key))
    received, _, previous = known.latest.get(key, (None, None, None))
    if previous is not None:
        like = like_of(one, kind_of(decision.grants, previous, decision.method))
        said[like.digest] = like.said
    # A clock that steps back must not reorder what one visitor said.
    now = known.now if received is None else max(known.now, received + _TICK)
    salt = secrets.token_bytes(SALT_BYTES)
    event = _build_event(one, key, salt, like, now)
    own = varying_of(event)
    leaf_hash = like.form.hash(own)
    new.append(_New(one.shown.site_id, event, leaf_hash, key, salt, like.digest))
    own["leaf_hash"], own["salt"] = leaf_hash.hex(), salt.hex()
    return Recorded(Leaf(like.form, own))


def _build_event(one: Wanted, key: bytes, salt: bytes, like: Like, now: datetime) -> Event:
    shown, decision = one.shown, one.decision
    return like.make(
        event_id=decision.decision_id,
        decided_at=decision.decided_at,
        received_at=now,
        valid_until=one.copy_of.valid_until
        if one.copy_of
        else now + timedelta(days=valid_days(shown.config, shown.regime)),
        subject_commitment=commit_subject(salt, key),
    )


def _write(
    session: Session,
    new: Sequence[_New],
    known: Mapping[int, Known],
    said: Mapping[int, Mapping[bytes, Said]],
) -> None:
    if not new:
        return
    connection = session.connection()
    numbers: dict[tuple[int, bytes], int] = {}
    for site_id in sorted({one.site_id for one in new}):
        wanted = {one.digest: said[site_id][one.digest] for one in new if one.site_id == site_id}
        found = number_answers(connection, site_id, wanted.values(), known[site_id].numbers)
        numbers |= {(site_id, digest): found[what] for digest, what in wanted.items()}
    insert_events(connection, [_row(one, numbers[one.site_id, one.digest]) for one in new])
    insert_links(connection, [(one.site_id, one.event.event_id, one.key, one.salt) for one in new])
    # The sealer hears of them in the transaction that writes them.
    insert_waiting(
        connection,
        [(one.site_id, one.event.received_at, one.event.event_id, one.leaf_hash) for one in new],
    )
    told = {site_id: every for one in known.values() for site_id, every in one.told.items()}
    queue_events(session, [(one.site_id, one.event, one.key) for one in new], told)
    add_to_totals(session, [(one.site_id, one.event) for one in new])


def _row(one: _New, answer_number: int) -> tuple[Any, ...]:
    event = one.event
    return (
        event.decided_at,
        event.received_at,
        event.valid_until,
        one.site_id,
        answer_number,
        event.event_id,
        event.subject_commitment,
        event.region,
        event.signals,
    )


def _repeat(row: Any, subject: bytes | None, one: Wanted, key: bytes) -> dict[str, Any]:
    """Return the first receipt again; refuse another decision under the same id."""
    shown, decision, said = one.shown, one.decision, row.ConsentEvent.said
    same = (
        said.grants == dict(decision.grants)
        and said.method == decision.method
        and said.layer == decision.layer
        and said.version == decision.version
        and said.script_hash == shown.script_hash
        and said.language == decision.language
        and row.ConsentEvent.decided_at == decision.decided_at
        and (not decision.signal or decision.signal in row.ConsentEvent.signals)
    )
    if not same or (subject is not None and subject != key):
        raise Conflict(
            "Another decision was recorded under this decision_id. "
            "Make a new id (UUID version 7 or 4) for each decision."
        )
    return receipt_of_row(row, shown.site)
