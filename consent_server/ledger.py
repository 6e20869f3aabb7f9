"""The ledger: what its rows mean, and what administrators add to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.orm import Session

from consent_server.errors import Unavailable
from consent_server.rules.admin_event import Action, AdminEvent, hash_admin_event
from consent_server.rules.canonical import canonical_json
from consent_server.rules.decision import Decision, Kind, check_decision
from consent_server.rules.methods import check_method
from consent_server.rules.receipt import Event, LeafForm, build_receipt, hash_event
from consent_server.rules.regimes import Regime
from consent_server.store.driver import Question
from consent_server.store.models import (
    AdminEvent as AdminEventRow,
)
from consent_server.store.models import (
    Checkpoint,
    ConsentEvent,
    LedgerQueue,
    Site,
)

#: Answers of visitors that are remembered for a version as fitting.
_REMEMBERED = 256

_last_sealed = Question(
    select(Checkpoint.sealed_at).where(
        Checkpoint.site_id == bindparam("site_id"),
        Checkpoint.size
        == select(func.max(Checkpoint.size))
        .where(Checkpoint.site_id == bindparam("site_id"))
        .scalar_subquery(),
    )
)


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """What the ledger must know of the version that a decision names."""

    site_id: int
    site: str
    number: int
    config: Mapping[str, Any]
    config_hash: str
    script_hash: str
    #: That of the script.
    regime: str
    #: Whether that script brings a render proof back: those of early releases know of none.
    proves: bool = True
    _fitting: set[object] = field(default_factory=set, init=False, compare=False, repr=False)

    def check(self, decision: Decision) -> None:
        """Refuse a decision that the version could not have led to. Raises Conflict."""
        grants = tuple(decision.grants.items())
        said = decision.method, decision.signal, decision.language, grants
        if said in self._fitting:
            return  # most visitors say what others have said before
        check_decision(self.config, decision)
        check_method(self.config, decision, Regime(self.regime))
        if len(self._fitting) < _REMEMBERED:
            self._fitting.add(said)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A new record as it was hashed: its form, and what is its own (`VARYING`, hash and salt)."""

    form: LeafForm
    own: Mapping[str, str]

    def receipt(self) -> dict[str, Any]:
        """Return the receipt."""
        own = self.own
        return {**self.form.entry(own), "leaf_hash": own["leaf_hash"], "salt": own["salt"]}


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a decision: its new record, or the receipt that it got the first time."""

    told: Leaf | dict[str, Any]

    @property
    def new(self) -> bool:
        """Tell whether the decision was new."""
        return isinstance(self.told, Leaf)

    @property
    def receipt(self) -> dict[str, Any]:
        """Return the receipt."""
        return self.told.receipt() if isinstance(self.told, Leaf) else self.told


def append_admin_event(
    session: Session,
    site: Site,
    action: Action,
    *,
    actor: str,
    details: dict[str, Any],
    now: datetime,
) -> AdminEvent:
    """Append what an administrator did to a site, as a leaf among its records.

    `details` must name no visitor: leaves stay when people are erased.
    """
    event = AdminEvent(
        site=site.key,
        event_id=uuid4(),
        action=action,
        actor=actor,
        details=details,
        happened_at=not_before_sealed(session, site.id, now),
    )
    leaf_hash = hash_admin_event(event)
    session.add(
        AdminEventRow(
            site_id=site.id,
            event_id=event.event_id,
            action=event.action,
            actor=event.actor,
            details=canonical_json(details).decode(),
            happened_at=event.happened_at,
            leaf_hash=leaf_hash,
        )
    )
    # The sealer hears of it in the transaction that writes it.
    session.add(
        LedgerQueue(
            site_id=site.id,
            received_at=event.happened_at,
            event_id=event.event_id,
            leaf_hash=leaf_hash,
        )
    )
    return event


def admin_event_of(row: AdminEventRow, site: str) -> AdminEvent:
    """Return the hashed form of a stored row."""
    return AdminEvent(
        site=site,
        event_id=row.event_id,
        action=Action(row.action),
        actor=row.actor,
        details=json.loads(row.details),
        happened_at=row.happened_at,
    )


def event_of(row: ConsentEvent, site: str, version_hash: str) -> Event:
    """Return the hashed form of a stored row."""
    said = row.said
    return Event(
        site=site,
        event_id=row.event_id,
        kind=Kind(said.kind),
        method=said.method,
        layer=said.layer,
        version=said.version,
        version_hash=version_hash,
        script_hash=said.script_hash,
        language=said.language,
        regime=said.regime,
        region=row.region,
        signals=row.signals,
        grants=said.grants,
        decided_at=row.decided_at,
        received_at=row.received_at,
        valid_until=row.valid_until,
        subject_commitment=row.subject_commitment,
    )


def receipt_of_row(row: Any, site: str) -> dict[str, Any]:
    """Return the receipt of a row of `select_records`, with the hash that was recorded.

    Raises Unavailable where a part of the record is gone.
    """
    event = row.ConsentEvent
    if event.said and row.config_hash is None:
        raise Unavailable(
            f"Version {event.said.version} of {site!r}, which records name, was taken out of the "
            "database. Restore a backup; `consent-server ledger verify` names the records."
        )
    found = event_of(event, site, row.config_hash)
    # A record that is neither sealed nor waiting is not hidden: its check finds it.
    return build_receipt(found, row.leaf_hash or hash_event(found), row.salt)


def not_before_sealed(session: Session, site_id: int, now: datetime) -> datetime:
    """Return the time to record: never before the last checkpoint, whatever the clock says.

    So what claims to be older than a checkpoint that does not hold it was put in later.
    """
    return ask_not_before_sealed(session.connection(), site_id, now)()


def ask_not_before_sealed(
    connection: Connection, site_id: int, now: datetime
) -> Callable[[], datetime]:
    """Ask for the same; what is returned reads it."""
    asked = _last_sealed.ask(connection, site_id=site_id)
    return lambda: max([now, *(moment for (moment,) in asked())])
