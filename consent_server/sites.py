"""Sites: publish immutable versions, list them, compare, retire."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.errors import Conflict, NotFound
from consent_server.forms import KEY_PATTERN
from consent_server.ledger import append_admin_event, not_before_sealed
from consent_server.rules.admin_event import Action
from consent_server.rules.canonical import canonical_json
from consent_server.site_notes import Note, note_site
from consent_server.snapshot import (
    Config,
    build_snapshot,
    hash_config,
    hash_material,
    material_facts,
    new_since,
)
from consent_server.store.dialects import insert_for
from consent_server.store.models import Site, SiteScript, SiteVersion
from consent_server.theme import Ratio, ratios
from consent_server.widget import Script, compose_scripts

#: What an integer column holds in every database.
_MAX_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two snapshots; None where a side has nothing."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing did (or would do)."""

    site: str
    number: int
    published: bool
    asks_again: bool
    changes: tuple[Change, ...]
    #: What is allowed and may still be held against the owner.
    notes: tuple[Note, ...] = field(default=(), compare=False)
    #: Every pair of colours that are shown together.
    contrasts: tuple[Ratio, ...] = field(default=(), compare=False)


def find_site(session: Session, key: str) -> Site:
    """Return the site, retired or not; raises NotFound."""
    known = re.fullmatch(KEY_PATTERN, key, re.ASCII) is not None
    site = session.scalar(select(Site).where(Site.key == key)) if known else None
    if site is None:
        raise NotFound(f"There is no site {key!r}. `consent-server site list` shows them.")
    return site


def find_version(session: Session, site: Site, number: int) -> SiteVersion:
    """Return a published version; raises NotFound."""
    known = 0 < number <= _MAX_NUMBER
    version = session.get(SiteVersion, (site.id, number)) if known else None
    if version is None:
        raise NotFound(f"The site {site.key!r} has no version {number}.")
    return version


def list_sites(session: Session) -> list[Site]:
    """Return every site by key."""
    return list(session.scalars(select(Site).order_by(Site.key)))


def list_versions(session: Session, site: Site) -> list[SiteVersion]:
    """Return every version of a site, newest first."""
    query = select(SiteVersion).where(SiteVersion.site_id == site.id)
    return list(session.scalars(query.order_by(SiteVersion.number.desc())))


def read_config(version: SiteVersion) -> Config:
    """Return the snapshot of a version."""
    config: Config = json.loads(version.config)
    return config


def compare_site(session: Session, form: Mapping[str, Any]) -> Publication:
    """Tell what publishing `form` would change; writes nothing."""
    config = _settled(build_snapshot(form))
    site = session.scalar(select(Site).where(Site.key == form["key"]))
    return _noted(_compare(config, _current(session, site)), form)


def publish_version(
    session: Session, form: Mapping[str, Any], *, source: str, author: str, now: datetime
) -> Publication:
    """Publish `form` as the next version, unless it equals the current one.

    The site is made on its first version and comes back when it was retired.
    """
    config = _settled(build_snapshot(form))
    site = session.scalar(select(Site).where(Site.key == form["key"]))
    current = _current(session, site)
    publication = _noted(_compare(config, current), form)
    if site is None:
        site = Site(key=form["key"], name=form["name"], created_at=now, current_version=0)
        session.add(site)
        session.flush()
    revived, site.retired_at = site.retired_at is not None, None
    if not publication.published:
        if revived and current:
            _note_publication(session, site, current, publication, now=now, author=author)
        return publication
    version = _make_version(site, _with_history(config, publication.number, current))
    version.number = publication.number
    before = None if publication.asks_again else current
    version.material_since = before.material_since if before else version.number
    version.source, version.published_by = source, author
    # As the event in the ledger has it: the one is held against the other.
    version.published_at = not_before_sealed(session, site.id, now)
    session.add(version)
    site.name, site.current_version = config["name"], version.number
    _note_publication(session, site, version, publication, now=now, author=author)
    return publication


def scripts_of(version: SiteVersion) -> list[Script]:
    """Compose every script of a version.

    The first is that of the strictest regime, for a browser that sends no signal.
    """
    return compose_scripts(read_config(version), version.number, version.material_since)


def unkept_of(session: Session, site_id: int, scripts: Iterable[Script]) -> list[Script]:
    """Return those scripts whose bytes are not kept yet: another core makes another script."""
    hashes = {script.script_hash for script in scripts}
    kept = select(SiteScript.script_hash).where(
        SiteScript.site_id == site_id, SiteScript.script_hash.in_(hashes)
    )
    known = set(session.scalars(kept))
    return [script for script in scripts if script.script_hash not in known]


def keep_scripts(
    session: Session, site_id: int, number: int, scripts: Sequence[Script], *, now: datetime
) -> None:
    """Keep the bytes of a version's scripts, once per build of the core."""
    session.flush()  # the connection sees only what is written
    rows = [
        {
            "site_id": site_id,
            "script_hash": script.script_hash,
            "script_id": script.script_id,
            "version": number,
            "regime": script.regime,
            "signal": script.signal,
            "body": script.body,
            "first_served_at": now,
        }
        for script in unkept_of(session, site_id, scripts)
    ]
    if rows:
        name = session.get_bind().dialect.name
        insert = insert_for(name, SiteScript)
        # Another server of the same release may be at it. (SQLite has one writer, and its
        # triggers would refuse the attempt.)
        if name == "postgresql":
            insert = insert.on_conflict_do_nothing()
        session.connection().execute(insert, rows)


def find_script(session: Session, site: Site, script_id: str) -> SiteScript:
    """Return the script that calls itself `script_id`; raises Conflict."""
    query = select(SiteScript).where(
        SiteScript.site_id == site.id, SiteScript.script_id == script_id
    )
    script = session.scalar(query)
    if script is None:
        raise Conflict(f"The site {site.key!r} never served a script {script_id!r}.")
    return script


def retire_site(session: Session, key: str, *, author: str, now: datetime) -> Site:
    """Stop serving a site. Its versions and its ledger stay; applying it again revives it."""
    site = find_site(session, key)
    if site.retired_at is None:
        site.retired_at = now
        append_admin_event(
            session,
            site,
            Action.RETIRE,
            actor=author,
            details={"version": site.current_version},
            now=now,
        )
    return site


def _note_publication(
    session: Session,
    site: Site,
    version: SiteVersion,
    publication: Publication,
    *,
    author: str,
    now: datetime,
) -> None:
    """Keep the scripts of what is served from now on, and say in the ledger that it is."""
    scripts = scripts_of(version)
    keep_scripts(session, site.id, version.number, scripts, now=now)
    append_admin_event(
        session,
        site,
        Action.PUBLISH,
        actor=author,
        details={
            "version": version.number,
            "config_hash": version.config_hash,
            "script_hash": scripts[0].script_hash,
            "asks_again": publication.asks_again,
        },
        now=now,
    )


def _current(session: Session, site: Site | None) -> SiteVersion | None:
    return find_version(session, site, site.current_version) if site else None


def _settled(config: Config) -> Config:
    """Return the snapshot as it reads back from the database: the script's bytes depend on it."""
    settled: Config = json.loads(canonical_json(config))
    return settled


def _make_version(site: Site, config: Config) -> SiteVersion:
    return SiteVersion(
        site_id=site.id,
        config=canonical_json(config).decode(),
        config_hash=hash_config(config),
        material_hash=hash_material(config),
    )


def _with_history(config: Config, number: int, current: SiteVersion | None) -> Config:
    """Add what follows from the versions before: it is no difference, and hashed all the same."""
    if current is None:
        return config
    since = new_since(config, number, read_config(current), current.material_since)
    return {**config, "new_since": since} if since else config


def _compare(config: Config, current: SiteVersion | None) -> Publication:
    if current is None:
        return Publication(config["site"], 1, True, True, ())
    old = read_config(current)
    changes = tuple(compare_configs(old, config))
    return Publication(
        site=config["site"],
        number=current.number + bool(changes),
        published=bool(changes),
        asks_again=bool(material_facts(config) - material_facts(old)),
        changes=changes,
    )


def _noted(publication: Publication, form: Mapping[str, Any]) -> Publication:
    found = tuple(ratios(form["theme"]))
    return replace(publication, notes=note_site(form), contrasts=found)


def compare_configs(old: Any, new: Any, path: str = "") -> list[Change]:
    """Return the differences of two snapshots by field path.

    What only follows from other differences (`new_since`) is none.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        names = [*new, *(name for name in old if name not in new)]
        names = [name for name in names if path or name != "new_since"]
        return [
            change
            for name in names
            for change in compare_configs(
                old.get(name), new.get(name), f"{path}.{name}".lstrip(".")
            )
        ]
    if _keyed(old) and _keyed(new):
        found = compare_configs(_by_key(old), _by_key(new), path)
        if not found and old != new:
            found = [Change(f"{path} (order)", list(_by_key(old)), list(_by_key(new)))]
        return found
    return [] if old == new else [Change(path, old, new)]


def _keyed(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, dict) and "key" in v for v in value)


def _by_key(value: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {item["key"]: item for item in value}
