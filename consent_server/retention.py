"""Retention: records older than a site keeps them no longer say whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, select, tuple_
from sqlalchemy.orm import Session

from consent_server.ledger import append_admin_event
from consent_server.rules.admin_event import Action
from consent_server.rules.lifetime import began_before, parse_lifetime
from consent_server.rules.times import spell_time
from consent_server.sites import find_site, find_version, list_sites, read_config
from consent_server.store.models import ConsentEvent, Site, SubjectData
from consent_server.store.record_rows import SAME_LINK
from consent_server.webhooks import forget_outlived

#: Few enough that decisions do not wait for the database's write lock.
BATCH = 1_000
#: Who stands in the ledger for what nobody did by hand.
ACTOR = "retention"

#: Where a batch ended: time of receipt and id of its last record.
Place = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class Outlived:
    """Records of one site that are linked to visitors for longer than it keeps them."""

    site: str
    #: The rule, as the site file has it.
    kept: str
    #: Records received before this time have outlived it.
    before: datetime
    records: int


def find_outlived(session: Session, *, now: datetime) -> list[Outlived]:
    """Return what each site with a rule is to erase now, retired ones too, by key."""
    found = (outlived_of(session, site, now=now) for site in list_sites(session))
    return [one for one in found if one is not None]


def outlived_of(session: Session, site: Site, *, now: datetime) -> Outlived | None:
    """Return what a site is to erase now, perhaps of no record; None where it has no rule."""
    kept = str(
        read_config(find_version(session, site, site.current_version)).get("keep_records", "")
    )
    lifetime = parse_lifetime(kept)
    if not lifetime:
        return None
    before = began_before(lifetime, now)
    count = select(func.count()).select_from(ConsentEvent).join(SubjectData, SAME_LINK)
    records = session.scalar(count.where(_outlived(site.id, before))) or 0
    return Outlived(site.key, kept, before, records)


def announce_erasure(session: Session, outlived: Outlived, *, now: datetime) -> None:
    """Append the `erase` event of a run; call it before the first batch.

    So a run that is cut off leaves no erasure without its entry.
    """
    details = {
        "reason": f"retention: {outlived.kept}",
        "records": outlived.records,
        "before": spell_time(outlived.before),
    }
    site = find_site(session, outlived.site)
    append_admin_event(session, site, Action.ERASE, actor=ACTOR, details=details, now=now)


def erase_batch(session: Session, outlived: Outlived, after: Place | None) -> Place | None:
    """Erase the links of the oldest records behind `after`; return where the batch ended.

    None when nothing is left.
    """
    site = find_site(session, outlived.site)
    place = (ConsentEvent.received_at, ConsentEvent.event_id)
    query = select(*place).join(SubjectData, SAME_LINK).where(_outlived(site.id, outlived.before))
    if after is not None:
        query = query.where(tuple_(*place) > after)
    batch = session.execute(query.order_by(*place).limit(BATCH)).all()
    forget_outlived(session, site, before=outlived.before)
    if not batch:
        return None
    ids = [event_id for _, event_id in batch]
    session.execute(
        delete(SubjectData).where(SubjectData.site_id == site.id, SubjectData.event_id.in_(ids))
    )
    received_at, event_id = batch[-1]
    return received_at, event_id


def _outlived(site_id: int, before: datetime) -> ColumnElement[bool]:
    return and_(ConsentEvent.site_id == site_id, ConsentEvent.received_at < before)
