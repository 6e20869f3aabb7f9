"""Doctor of the sites: what is sealed, what waits, what left the server, what is too old."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consent_server.config import Settings, key_folder
from consent_server.continuity import check_key, check_published, list_published
from consent_server.doctor import MAX_CLOCK_DIFFERENCE, Finding, Findings, looking
from consent_server.errors import ConfigError
from consent_server.ledger_check import check_ledger, checkpoint_before
from consent_server.ledger_keys import keys_of
from consent_server.pushing import find_waiting
from consent_server.retention import find_outlived
from consent_server.rules.times import spell_time
from consent_server.sealing import (
    count_waiting,
    last_checkpoint,
    origin_of,
    origins_of,
)
from consent_server.signing import Published, find_signer
from consent_server.sites import find_site, list_sites
from consent_server.store.database import Database
from consent_server.store.models import Checkpoint
from consent_server.targets import Target, parse_targets
from consent_server.webhooks import WebhookState, list_webhooks

#: Sealing is a second behind at most; a busy machine may take longer.
MAX_UNSEALED = timedelta(seconds=10)
#: Pushed once a minute; a short outage of a target is no alarm.
MAX_UNPUSHED = timedelta(minutes=10)
#: Looked at once an hour.
_RETENTION_GRACE = timedelta(hours=2)
#: How many of the newest leaves are recomputed.
_NEWEST_LEAVES = 1_000


def examine_sites(settings: Settings, database: Database, *, now: datetime) -> Findings:
    """Look at every site's ledger, then at what is due outside and by age."""

    def look(name: str, at: Callable[[Session], Finding]) -> Findings:
        """Look in a transaction of its own: a failed one shows nothing any more."""

        def in_session() -> Finding:
            with database.read() as session:
                return at(session)

        return looking(name, in_session)

    with database.read() as session:
        keys = [site.key for site in list_sites(session)]
    published = _list_published(settings, database)
    for key in keys:
        yield from look(f"sealing {key}", partial(_sealing, key=key, now=now))
        yield from look(
            f"ledger {key}",
            partial(_ledger, key=key, settings=settings, published=published),
        )
    if not keys:
        yield Finding("sites", True, "There is none yet: consent-server site apply FILE")
    yield from looking("witnesses", partial(_witnesses, settings))
    with suppress(ConfigError):
        for target in parse_targets(settings.checkpoint_targets):
            name = f"push {target.address}"
            yield from look(name, partial(_push, target=target, now=now))
    with database.read() as session:
        states = list_webhooks(session)
    for state in states:
        yield _webhook(state, now)
    yield from look("retention", partial(_retention, now=now))


def _sealing(session: Session, *, key: str, now: datetime) -> Finding:
    name, site = f"sealing {key}", find_site(session, key)
    waiting, oldest = count_waiting(session, site)
    last = last_checkpoint(session, site)
    if last is not None and last.sealed_at - now > MAX_CLOCK_DIFFERENCE:
        return Finding(
            name,
            False,
            f"The clock says {spell_time(now)}, but the last checkpoint is of "
            f"{spell_time(last.sealed_at)}: records get that time until it is over.",
            "Set the clock right and let it follow a time server (NTP).",
        )
    if oldest is not None and now - oldest > MAX_UNSEALED:
        return Finding(
            name,
            False,
            f"{waiting} wait to be sealed, the oldest since {spell_time(oldest)}.",
            "Is the server running? Its log says why it cannot seal. By hand: consent-server "
            "ledger seal",
        )
    sealed = f"last sealed {spell_time(last.sealed_at)}" if last else "nothing sealed yet"
    return Finding(name, True, f"{waiting} waiting, {sealed}.")


def _list_published(settings: Settings, database: Database) -> Mapping[str, Published]:
    """Return what was published before a session looks: a server that runs publishes more."""
    # What keeps the folder from being read is told site by site.
    with suppress(ConfigError):
        signer = find_signer(key_folder(settings))
        return list_published(database, signer) if signer is not None else {}
    return {}


def _ledger(
    session: Session, *, key: str, settings: Settings, published: Mapping[str, Published]
) -> Finding:
    """Recompute the newest records to the signed root, and compare with what was published."""
    name, site = f"ledger {key}", find_site(session, key)
    last = last_checkpoint(session, site)
    signer = find_signer(key_folder(settings))
    if last is None:
        return Finding(name, True, "Nothing to verify yet.")
    if signer is None:
        return Finding(
            name,
            False,
            f"There are checkpoints, but no key in {key_folder(settings)}.",
            "Bring the key folder back from a backup, or set CONSENT_KEY_FOLDER.",
        )
    origin = origins_of(session, site)[-1]
    if origin_of(last) == origin:
        check_published(session, site, published.get(origin), last)
        check_key(site, signer, origin, last)
    after = checkpoint_before(session, site, _NEWEST_LEAVES)
    checked = check_ledger(session, site, keys_of(session, site), after=after)
    return Finding(
        name,
        True,
        f"The newest {checked.leaves} of {last.size} leaves verify up to the signed root.",
    )


def _witnesses(settings: Settings) -> Finding:
    targets = parse_targets(settings.checkpoint_targets)
    if not targets:
        return Finding(
            "witnesses",
            True,
            "No checkpoint leaves this server: whoever has database and key could write the "
            "whole ledger anew unnoticed (CONSENT_CHECKPOINT_TARGETS).",
        )
    places = "one place" if len(targets) == 1 else f"{len(targets)} places"
    return Finding("witnesses", True, f"Checkpoints go to {places}.")


def _push(session: Session, *, target: Target, now: datetime) -> Finding:
    name = f"push {target.address}"
    behind = []
    for one in find_waiting(session, target):
        since = session.scalar(
            select(func.min(Checkpoint.sealed_at)).where(
                Checkpoint.site_id == one.site_id, Checkpoint.size > one.known
            )
        )
        if since is not None and now - since > MAX_UNPUSHED:
            behind.append(f"{one.site} since {spell_time(since)}")
    if behind:
        return Finding(
            name,
            False,
            f"It does not have the checkpoints of {', '.join(behind)}.",
            "What it answers: consent-server ledger push",
        )
    return Finding(name, True, "It has what was sealed.")


def _webhook(state: WebhookState, now: datetime) -> Finding:
    name = f"webhook {state.site}"
    if state.given_up or (state.oldest is not None and now - state.oldest > MAX_UNPUSHED):
        since = f", the oldest since {spell_time(state.oldest)}" if state.oldest else ""
        return Finding(
            name,
            False,
            f"{state.waiting} wait for {state.url}{since}; {state.given_up} were given up. "
            f"It said last: {state.said or 'nothing'}",
            f"Put that server right, then: consent-server webhook retry {state.site}",
        )
    return Finding(name, True, f"{state.url} knows what was changed.")


def _retention(session: Session, *, now: datetime) -> Finding:
    rules = find_outlived(session, now=now - _RETENTION_GRACE)
    late = [f"{one.records} of {one.site} ({one.kept})" for one in rules if one.records]
    if late:
        return Finding(
            "retention",
            False,
            f"Records say whose they are for longer than their site keeps that: {', '.join(late)}.",
            "Is the server running? By hand: consent-server retention run",
        )
    told = ", ".join(f"{one.site} {one.kept}" for one in rules)
    return Finding("retention", True, f"Kept as said: {told}." if told else "No site has a rule.")
