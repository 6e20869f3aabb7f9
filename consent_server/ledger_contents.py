"""Ledger contents: what leaves name and do not hold, where it lies: words, scripts, visitors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from consent_server.ledger_check import BrokenLedger
from consent_server.rules.admin_event import Action
from consent_server.rules.receipt import commit_subject
from consent_server.rules.times import spell_time
from consent_server.store.models import (
    AdminEvent,
    Answer,
    ConsentEvent,
    LedgerLeaf,
    LedgerQueue,
    Site,
    SiteScript,
    SiteVersion,
    SubjectData,
)
from consent_server.store.record_rows import SAME_LEAF, SAME_LINK, SAME_PLACE
from consent_server.store.types import UNREADABLE
from consent_server.verification.events import KnownVersion
from consent_server.verification.publications import (
    Publications,
    note_publication,
    problems_of,
)

_AT_ONCE = 1_000
#: Scripts have some ten thousand bytes each.
_SCRIPTS_AT_ONCE = 20


def check_contents(session: Session, site: Site) -> None:
    """Check every version, script and link to a visitor against what was sealed of them.

    Also that each record is sealed or waits. All must be of one moment. Raises BrokenLedger.
    """
    try:
        events = list(_admin_events(session, site))
        _check_versions(session, site, events)
        _check_scripts(session, site, events)
        erased = sum(one["details"]["records"] for one in events if one["action"] == Action.ERASE)
        _check_records(session, site, erased)
    except UNREADABLE as error:
        raise BrokenLedger(
            f"What the records of {site.key!r} name cannot be read ({error!r}): it was changed."
        ) from error


def _admin_events(session: Session, site: Site) -> Iterator[dict[str, Any]]:
    """Give what administrators did, oldest first. Raises BrokenLedger."""
    columns = AdminEvent.event_id, AdminEvent.action, AdminEvent.actor, AdminEvent.details
    # Its time is kept in another form in the queue: it is looked for by its id.
    queued = select(LedgerQueue.event_id).join(
        AdminEvent,
        (AdminEvent.site_id == LedgerQueue.site_id) & (AdminEvent.event_id == LedgerQueue.event_id),
    )
    waiting = set(session.scalars(queued.where(LedgerQueue.site_id == site.id)))
    query = (
        select(*columns, AdminEvent.happened_at, LedgerLeaf.leaf_index)
        .outerjoin(
            LedgerLeaf,
            (LedgerLeaf.site_id == AdminEvent.site_id)
            & (LedgerLeaf.event_id == AdminEvent.event_id),
        )
        .where(AdminEvent.site_id == site.id)
        .order_by(AdminEvent.happened_at, AdminEvent.event_id)
    )
    for event_id, action, actor, details, happened_at, index in session.execute(query):
        if index is None and event_id not in waiting:
            raise _unplaced("administrator's event", event_id)
        yield {
            "action": action,
            "actor": actor,
            "details": json.loads(details),
            "happened_at": spell_time(happened_at),
        }


def _check_versions(session: Session, site: Site, events: list[dict[str, Any]]) -> None:
    versions = {}
    query = select(SiteVersion).where(SiteVersion.site_id == site.id)
    with closing(session.scalars(query.execution_options(yield_per=1))) as rows:
        for row in rows:
            if sha256(row.config.encode()).hexdigest() != row.config_hash:
                raise BrokenLedger(
                    f"Version {row.number} of {site.key!r} was changed: its words no longer give "
                    "the hash that was sealed."
                )
            versions[row.number] = KnownVersion(
                row.config_hash,
                0,
                published_at=spell_time(row.published_at),
                published_by=row.published_by,
                material_since=row.material_since,
            )
    published: Publications = {}
    for event in events:
        note_publication(published, event)
        if event["action"] == Action.PUBLISH:
            _check_publication(site, versions, event["details"])
    for number, problem in problems_of(versions, published):
        raise BrokenLedger(f"Version {number} of {site.key!r}{problem}")
    if versions and site.current_version != max(versions):
        raise BrokenLedger(
            f"{site.key!r} shows version {site.current_version} to its visitors, but version "
            f"{max(versions)} was published last."
        )


def _check_publication(
    site: Site, versions: Mapping[int, KnownVersion], details: Mapping[str, Any]
) -> None:
    number = details["version"]
    if number not in versions:
        raise BrokenLedger(f"Version {number} of {site.key!r} was published, and is gone.")
    if versions[number].config_hash != details["config_hash"]:
        raise BrokenLedger(f"Version {number} of {site.key!r} is another than was published.")


def _check_scripts(session: Session, site: Site, events: list[dict[str, Any]]) -> None:
    found = set()
    query = select(SiteScript.script_hash, SiteScript.body).where(SiteScript.site_id == site.id)
    for digest, body in _each(session, query, _SCRIPTS_AT_ONCE):
        if sha256(body).hexdigest() != digest:
            raise BrokenLedger(f"The script {digest} of {site.key!r} was changed.")
        found.add(digest)
    named = set(session.scalars(select(Answer.script_hash).where(Answer.site_id == site.id)))
    named |= {one["details"]["script_hash"] for one in events if one["action"] == Action.PUBLISH}
    for digest in sorted(named - found):
        raise BrokenLedger(f"The script {digest} of {site.key!r} was served, and is gone.")


def _check_records(session: Session, site: Site, erased: int) -> None:
    """Check whose each record is, and that it has its place or waits for it."""
    query = (
        select(
            ConsentEvent.event_id,
            ConsentEvent.subject_commitment,
            SubjectData.salt,
            SubjectData.subject_key,
            LedgerLeaf.leaf_index,
            LedgerQueue.site_id,
        )
        .outerjoin(SubjectData, SAME_LINK)
        .outerjoin(LedgerLeaf, SAME_LEAF)
        .outerjoin(LedgerQueue, SAME_PLACE)
        .where(ConsentEvent.site_id == site.id)
    )
    unlinked = 0
    for event_id, commitment, salt, key, index, waits in _each(session, query, _AT_ONCE):
        if index is None and waits is None:
            raise _unplaced("record", event_id)
        if salt is None:
            unlinked += 1
        elif commit_subject(salt, key) != commitment:
            raise BrokenLedger(
                f"The record of the event {event_id} was linked to another visitor: salt and "
                "hashed subject id no longer give the commitment that was sealed."
            )
    if unlinked > erased:
        raise BrokenLedger(
            f"{unlinked} records of {site.key!r} are linked to no visitor, but only {erased} were "
            "erased according to the ledger."
        )


def _each(session: Session, query: Select[*tuple[Any, ...]], at_once: int) -> Iterator[Any]:
    # Closed at once: PostgreSQL keeps a cursor for each.
    with closing(session.execute(query.execution_options(yield_per=at_once))) as rows:
        yield from rows


def _unplaced(what: str, event_id: Any) -> BrokenLedger:
    return BrokenLedger(
        f"The {what} of the event {event_id} is neither sealed nor waiting for it: it was put in "
        "beside the ledger, or taken out of what waits."
    )
