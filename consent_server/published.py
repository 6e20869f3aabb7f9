"""Published sites in memory: scripts and versions are served without the database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from consent_server.errors import Conflict, NotFound, Unavailable
from consent_server.ledger import ShownVersion
from consent_server.packing import PackedScript, PackedScripts
from consent_server.rules.times import to_utc
from consent_server.sites import (
    find_script,
    find_site,
    find_version,
    keep_scripts,
    read_config,
    scripts_of,
    unkept_of,
)
from consent_server.store.database import Database
from consent_server.store.models import Site, SiteScript

#: Another process may publish: how old an answer may get, in seconds.
_FRESH_SECONDS = 1.0
#: A page waits no longer for it where an older answer is at hand.
_PATIENCE_SECONDS = 0.25
#: Whoever asks for a site of which nothing is known does not wait for another that hangs.
_HANGING_SECONDS = 2.0
#: Misses are remembered too, or made-up keys would reach the database each time.
_MAX_ENTRIES = 10_000
#: Some 100 kB each, and asked for by owners only.
_MAX_DIAGNOSES = 50
#: Stands in every script that brings a render proof back.
_PROVES = b"?proof="

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PublishedSite:
    """The current version of a site, ready to serve."""

    site_id: int
    key: str
    number: int
    config: Mapping[str, Any]
    scripts: PackedScripts

    @property
    def script(self) -> PackedScript:
        """Return the strictest script, for a browser that sends no signal."""
        return self.scripts.first

    @property
    def origins(self) -> Collection[str]:
        """Return the origins of the site's own pages."""
        found: list[str] = self.config["origins"]
        return found


@dataclass(frozen=True, slots=True)
class _Looking:
    """A look into the database that is under way, and when it began (monotonic seconds)."""

    thread: threading.Thread
    began: float


class PublishedSites:
    """What visitors are served, at most a second behind the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._sites: dict[str, tuple[float, PublishedSite | None]] = {}
        self._shown: dict[tuple[int, int, str], ShownVersion] = {}
        self._diagnoses: dict[str, PackedScript] = {}
        #: When who holds the lock began to look (monotonic seconds).
        self._began = 0.0
        #: Until then nobody else tries what somebody has waited for in vain (monotonic seconds).
        self._hangs_until = 0.0
        #: A lock of its own: the other is held while the database is asked.
        self._look_lock = threading.Lock()
        self._looking: dict[str, _Looking] = {}
        #: Raised by each `forget`: what was asked for before is not kept after it.
        self._generation = 0

    def find(self, key: str) -> PublishedSite:
        """Return the published site; raises NotFound for unknown and retired ones."""
        checked, site = self._sites.get(key, (0.0, None))
        if time.monotonic() - checked > _FRESH_SECONDS:
            site = self._look_first(key) if site is None else self._look_again(key, site)
        if site is None:
            raise NotFound(
                f"No site {key!r} is published here. Check the key in the script's address."
            )
        return site

    def forget(self) -> None:
        """Read every site anew on its next request."""
        with self._lock:
            self._generation += 1
            self._sites.clear()

    def shown(self, site: PublishedSite, number: int, script_id: str) -> ShownVersion:
        """Return the version and script that a decision names; raises NotFound, Conflict."""
        place = (site.site_id, number, script_id)
        shown = self._shown.get(place)
        if shown is None:
            with self._database.read() as session:
                shown = _read_shown(session, site, number, script_id)
            if len(self._shown) >= _MAX_ENTRIES:
                self._shown.clear()
            self._shown[place] = shown
        return shown

    def known(self, site: PublishedSite, number: int, script_id: str) -> ShownVersion | None:
        """Return what `shown` does where it was asked for before: nothing is looked up."""
        return self._shown.get((site.site_id, number, script_id))

    def script_bytes(self, site: PublishedSite, script_hash: str) -> tuple[bytes, int]:
        """Return a script that was once served, by its SHA-256, and its version.

        Raises NotFound.
        """
        with self._database.read() as session:
            found = session.get(SiteScript, (site.site_id, script_hash))
        if found is None:
            raise NotFound("No script with this hash was ever served for the site.")
        return found.body, found.version

    def diagnosis(self, site: PublishedSite, shown: PackedScript) -> PackedScript:
        """Return the module that tells the site's owner what the script holds and what leaks."""
        place = f"{site.key} {shown.script.script_hash}"
        found = self._diagnoses.get(place)
        if found is None:
            # Asked for by owners only, and by few.
            from consent_server.diagnosis import compose_diagnosis  # noqa: PLC0415

            found = compose_diagnosis(site.config, site.number, shown.script)
            if len(self._diagnoses) >= _MAX_DIAGNOSES:
                self._diagnoses.clear()
            self._diagnoses[place] = found
        return found

    def _look_first(self, key: str) -> PublishedSite | None:
        """Return what the database says of a key of which nothing is known, one at a time.

        Where it hangs, one waits for it: pages of retired sites must not take every thread from
        those whose script is at hand.
        """
        while not self._lock.acquire(timeout=_HANGING_SECONDS / 4):
            if time.monotonic() - self._began > _HANGING_SECONDS:
                raise _hanging()
        try:
            self._began = time.monotonic()
            if self._began < self._hangs_until:
                raise _hanging()
            checked, site = self._sites.get(key, (0.0, None))
            if self._began - checked > _FRESH_SECONDS:
                site = self._refresh(key, site)
            return site
        except DBAPIError:
            ended = time.monotonic()
            if ended - self._began > _HANGING_SECONDS:
                self._hangs_until = ended + _FRESH_SECONDS
            raise
        finally:
            self._lock.release()

    def _look_again(self, key: str, known: PublishedSite) -> PublishedSite | None:
        """Return what the database says now, or what is known where it takes its time.

        A page must not wait for a database that hangs, or for the next one to be chosen.
        """
        with self._look_lock:
            looking = self._looking.get(key)
            if looking is None:
                thread = threading.Thread(
                    target=self._look, args=(key, known), name="published", daemon=True
                )
                try:
                    thread.start()
                except RuntimeError:  # the system has no thread to give now
                    log.warning("serving %s from memory: no thread to look with", key)
                    return known
                looking = self._looking[key] = _Looking(thread, time.monotonic())
        looking.thread.join(max(0.0, looking.began + _PATIENCE_SECONDS - time.monotonic()))
        return self._sites.get(key, (0.0, known))[1]

    def _look(self, key: str, known: PublishedSite) -> None:
        try:
            self._refresh(key, known)
        finally:
            with self._look_lock:
                del self._looking[key]

    def _refresh(self, key: str, known: PublishedSite | None) -> PublishedSite | None:
        generation = self._generation
        try:
            site = read_published(self._database, key, known)
        except (DBAPIError, PoolTimeout, Unavailable) as error:
            if known is None:
                raise
            # What was published holds until we hear otherwise: pages go on asking.
            log.warning("serving %s from memory: %s", key, type(error).__name__)
            site = known
        self._make_room()
        if generation == self._generation:
            self._sites[key] = (time.monotonic(), site)
        return site

    def _make_room(self) -> None:
        """Forget made-up keys before sites: these may not be had again while a database is away."""
        if len(self._sites) < _MAX_ENTRIES:
            return
        for key, (_, site) in list(self._sites.items()):
            if site is None:
                self._sites.pop(key, None)
        if len(self._sites) >= _MAX_ENTRIES:
            self._sites.clear()


def read_published(
    database: Database, key: str, known: PublishedSite | None = None
) -> PublishedSite | None:
    """Read what is published of a site, and keep its scripts before any of them is served.

    None where nothing is; `known` is returned where it still holds.
    """
    with database.read() as session:
        site = _find_published(session, key, known)
        if site is None or site is known:
            return site
        scripts = site.scripts.composed
        if not unkept_of(session, site.site_id, scripts):
            return site
    # A new build of the core: decisions will name this script.
    with database.write() as session:
        now = to_utc(datetime.now(UTC))
        keep_scripts(session, site.site_id, site.number, scripts, now=now)
    return site


def _hanging() -> Unavailable:
    return Unavailable(
        "The database does not answer, and nothing is known of this site yet.",
        headers={"Retry-After": "5"},
    )


def _find_published(
    session: Session, key: str, known: PublishedSite | None
) -> PublishedSite | None:
    try:
        site = find_site(session, key)
    except NotFound:
        return None
    if site.retired_at is not None:
        return None
    if known is not None and known.number == site.current_version:
        return known
    return _build_published(session, site)


def _build_published(session: Session, site: Site) -> PublishedSite:
    version = find_version(session, site, site.current_version)
    config = read_config(version)
    scripts = PackedScripts(scripts_of(version))
    return PublishedSite(site.id, site.key, version.number, config, scripts)


def _read_shown(session: Session, site: PublishedSite, number: int, script_id: str) -> ShownVersion:
    row = find_site(session, site.key)
    version = find_version(session, row, number)
    script = find_script(session, row, script_id)
    if script.version != number:
        raise Conflict(f"The script {script_id!r} showed version {script.version}, not {number}.")
    return ShownVersion(
        site_id=row.id,
        site=row.key,
        number=number,
        # Of a version there are several scripts; one that is read is some 60 kB.
        config=site.config if number == site.number else read_config(version),
        config_hash=version.config_hash,
        script_hash=script.script_hash,
        regime=script.regime,
        proves=_PROVES in script.body,
    )
