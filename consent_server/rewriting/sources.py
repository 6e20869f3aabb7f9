"""Sources: where the plan of a site comes from."""

from __future__ import annotations

import json
import logging
import threading
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from consent_server.errors import ConsentError, InvalidForm
from consent_server.rewriting.plan import RewritePlan
from consent_server.site_form import load_site_form
from consent_server.sites import find_site, find_version, read_config
from consent_server.snapshot import build_snapshot
from consent_server.store.database import Database

#: Gives the plan that holds now; asked for each page.
PlanSource = Callable[[], RewritePlan]

_FRESH_SECONDS: Final = 5.0
#: A page waits no longer for it where an older plan is at hand.
_PATIENCE_SECONDS: Final = 0.25

log = logging.getLogger(__name__)


def plan_from_site_file(file: Path, script_url: str, *, strict: bool | None = None) -> RewritePlan:
    """Return the plan of a site file, without a database."""
    form = load_site_form(tomllib.loads(file.read_bytes().decode("utf-8-sig")))
    return RewritePlan.from_snapshot(build_snapshot(form), script_url, strict=strict)


def plan_from_version(file: Path, script_url: str, *, strict: bool | None = None) -> RewritePlan:
    """Return the plan of a version as `/w/<site key>/versions/<number>` answers it (JSON)."""
    try:
        config = json.loads(file.read_bytes())["config"]
        return RewritePlan.from_snapshot(config, script_url, strict=strict)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidForm(
            f"{file} is not a version of a site. Fetch it with: "
            "curl -H 'Accept: application/json' SERVER/w/KEY/versions/NUMBER"
        ) from error


class DatabasePlans:
    """Gives the plan of the version that is published, at most a few seconds behind.

    A page waits no longer than a moment for it where there is one already, and neither does a
    loop of asyncio: a database that hangs holds up no site.
    """

    def __init__(
        self, database: Database, site_key: str, script_url: str, *, strict: bool | None = None
    ) -> None:
        self._database = database
        self._site_key = site_key
        self._script_url = script_url
        self._strict = strict
        self._lock = threading.Lock()
        self._checked = 0.0
        self._number = 0
        self._plan: RewritePlan | None = None
        #: Who asks the database now, and since when (monotonic seconds).
        self._looking: tuple[threading.Thread, float] | None = None

    def __call__(self) -> RewritePlan:
        """Return the plan; raises NotFound while the site is not published."""
        if self._plan is None:
            with self._lock:
                return self._plan or self._read()
        if time.monotonic() - self._checked > _FRESH_SECONDS:
            self._look_again()
        return self._plan

    def _look_again(self) -> None:
        """Wait a moment for what the database says now; all pages wait for the same answer."""
        with self._lock:
            # A process that was forked meanwhile has the mark of a thread, and not the thread.
            if self._looking is None or not self._looking[0].is_alive():
                thread = threading.Thread(target=self._look, name="plan", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the system has no thread to give now
                    log.warning("rewriting %s from memory: no thread to look with", self._site_key)
                    return
                self._looking = thread, time.monotonic()
            thread, began = self._looking
        thread.join(max(0.0, began + _PATIENCE_SECONDS - time.monotonic()))

    def _look(self) -> None:
        try:
            self._read()
        except (DBAPIError, PoolTimeout, ConsentError) as error:
            # What was published holds until we hear otherwise: pages go on being held.
            log.warning("rewriting %s from memory: %s", self._site_key, type(error).__name__)
            self._checked = time.monotonic()

    def _read(self) -> RewritePlan:
        with self._database.read() as session:
            site = find_site(session, self._site_key)
            if self._plan is None or site.current_version != self._number:
                config = read_config(find_version(session, site, site.current_version))
                self._plan = RewritePlan.from_snapshot(
                    config, self._script_url, strict=self._strict
                )
                self._number = site.current_version
        self._checked = time.monotonic()
        return self._plan
