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

from consent_server.errors import InvalidForm
from consent_server.rewriting.plan import RewritePlan
from consent_server.site_form import load_site_form
from consent_server.sites import find_site, find_version, read_config
from consent_server.snapshot import build_snapshot
from consent_server.store.database import Database

#: Gives the plan that holds now; asked for each page.
PlanSource = Callable[[], RewritePlan]

_FRESH_SECONDS: Final = 5.0

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
    """Gives the plan of the version that is published, at most a few seconds behind."""

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

    def __call__(self) -> RewritePlan:
        """Return the plan; raises NotFound while the site is not published."""
        with self._lock:
            if self._plan is None or time.monotonic() - self._checked > _FRESH_SECONDS:
                self._refresh()
                self._checked = time.monotonic()
            if self._plan is None:  # pragma: no cover (refreshing raised)
                raise AssertionError
            return self._plan

    def _refresh(self) -> None:
        try:
            with self._database.read() as session:
                site = find_site(session, self._site_key)
                if self._plan is not None and site.current_version == self._number:
                    return
                config = read_config(find_version(session, site, site.current_version))
                self._number = site.current_version
        except (DBAPIError, PoolTimeout) as error:
            if self._plan is None:
                raise
            # What was published holds until we hear otherwise: pages go on being held.
            log.warning("rewriting %s from memory: %s", self._site_key, type(error).__name__)
            return
        self._plan = RewritePlan.from_snapshot(config, self._script_url, strict=self._strict)
