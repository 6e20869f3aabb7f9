"""Keeping: every script that this release serves, written down without anybody who waits for it."""

from __future__ import annotations

import logging
import time

from sqlalchemy.exc import SQLAlchemyError

from consent_server.errors import ConfigError, ConsentError
from consent_server.published import read_published
from consent_server.sites import list_sites
from consent_server.store.database import Database

#: As a server keeps them: of each while so much is rest, since visitors want the interpreter too.
REST = 0.9
#: Of one site: a busy machine must not make it hours.
_MAX_REST_SECONDS = 0.25

log = logging.getLogger(__name__)


class Keeper:
    """Keeps the scripts of every site, once; what failed is tried again with the next run.

    A script is kept before it is first served anyhow. This is for the day on which the database
    takes no writes: then what is kept is served, and nothing else.
    """

    def __init__(self, database: Database, *, rest: float = REST) -> None:
        """`rest` is the part of the time in which nothing is done."""
        self._database = database
        self._rest_for_work = rest / (1 - rest)
        self._waiting: list[str] | None = None
        self._told: set[str] = set()

    def run(self) -> None:
        """Keep what waits. Raises what the database says, and ConfigError for sites that failed."""
        if self._waiting is None:
            with self._database.read() as session:
                self._waiting = [site.key for site in list_sites(session)]
        failed: list[str] = []
        while self._waiting:
            began = time.monotonic()
            key = self._waiting.pop()
            try:
                read_published(self._database, key)
            except (SQLAlchemyError, ConsentError):
                # It may be this site's alone: the others have their turn first.
                self._waiting[:0] = [key, *failed]
                raise
            except Exception:
                failed.append(key)
                self._tell(key)
            worked = time.monotonic() - began
            time.sleep(min(worked * self._rest_for_work, _MAX_REST_SECONDS))
        self._waiting = failed
        if failed:
            raise ConfigError(
                f"The scripts of {', '.join(sorted(failed))} cannot be composed: their pages get "
                "none. The log says why; publish these sites anew: consent-server site apply FILE"
            )

    def _tell(self, key: str) -> None:
        """Log what went wrong, which is called in its handler, once for each site."""
        if key not in self._told:
            log.exception("the scripts of %s cannot be composed", key)
            self._told.add(key)
