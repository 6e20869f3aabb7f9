"""Wanted: decisions that ask to be recorded, and what they have in common with others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import UUID

from consent_server.ledger import ShownVersion
from consent_server.rules.decision import Decision, Kind, kind_of
from consent_server.rules.receipt import Event, LeafForm, leaf_entry, subject_key
from consent_server.rules.sight import Sight, describe_signals
from consent_server.rules.times import spell_time
from consent_server.store.answers import Said

#: What many visitors say alike; some 2 kB each.
_MAX_LIKE: Final = 2_048


@dataclass(frozen=True, slots=True)
class CopyOf:
    """The record that a decision was copied from: its time of receipt, and how long it holds."""

    event_id: UUID
    received_at: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """A decision that asks to be recorded, with the version that it names."""

    shown: ShownVersion
    decision: Decision
    sight: Sight = Sight()  # noqa: RUF009 (frozen)
    copy_of: CopyOf | None = None
    #: Whose it is, as the database keeps it.
    key: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Hash the subject id: it is asked for several times."""
        object.__setattr__(self, "key", subject_key(self.decision.subject_id))

    @property
    def place(self) -> tuple[int, UUID]:
        """The key of its row."""
        return self.shown.site_id, self.decision.decision_id

    @property
    def subject(self) -> tuple[int, bytes]:
        """The key of what its subject said."""
        return self.shown.site_id, self.key


class Like(NamedTuple):
    """What decisions of one answer have in common, spelled once."""

    said: Said
    digest: bytes
    form: LeafForm
    #: Makes the event of one, of what is its own.
    make: Callable[..., Event]


_LIKE: dict[tuple[Any, ...], Like] = {}


def like_first(one: Wanted) -> Like:
    """Return what a decision has in common with others, where its visitor said nothing before."""
    return like_of(one, kind_of(one.decision.grants, None, one.decision.method))


def like_of(one: Wanted, kind: Kind) -> Like:
    """Return what a decision has in common with others that say the same and are of this kind."""
    shown, decision = one.shown, one.decision
    place = (
        *(shown.site, shown.number, shown.config_hash, shown.script_hash, shown.regime, kind),
        *(decision.method, decision.layer, decision.language, decision.signal, one.sight),
        *decision.grants.items(),
    )
    if one.copy_of is not None:
        return _common(one, kind)
    found = _LIKE.get(place)
    if found is None:
        if len(_LIKE) >= _MAX_LIKE:
            _LIKE.clear()
        found = _LIKE[place] = _common(one, kind)
    return found


def _common(one: Wanted, kind: Kind) -> Like:
    shown, decision = one.shown, one.decision
    make = partial(
        Event,
        site=shown.site,
        kind=kind,
        method=decision.method,
        layer=decision.layer,
        version=shown.number,
        version_hash=shown.config_hash,
        script_hash=shown.script_hash,
        language=decision.language,
        regime=shown.regime,
        region=one.sight.region,
        signals={**describe_signals(one.sight, decision.signal), **_link(one.copy_of)},
        grants=dict(decision.grants),
    )
    # The form is that of any of them.
    event = make(
        event_id=decision.decision_id,
        decided_at=decision.decided_at,
        received_at=decision.decided_at,
        valid_until=decision.decided_at,
        subject_commitment=b"",
    )
    said = Said.in_event(event)
    return Like(said, said.digest, LeafForm(leaf_entry(event)), make)


def _link(copy_of: CopyOf | None) -> dict[str, Any]:
    """Return what ties a copy to its first record, for ever: no person is in it."""
    if copy_of is None:
        return {}
    return {
        "copy_of": str(copy_of.event_id),
        "first_received_at": spell_time(copy_of.received_at),
    }
