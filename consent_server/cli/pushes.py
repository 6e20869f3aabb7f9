"""Pushes: each target is served by a thread of its own, so that a slow one delays no other."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from consent_server.cli.opening import now
from consent_server.cli.upkeep import holding
from consent_server.errors import ConsentError
from consent_server.pushing import Waiting, deliver, find_waiting, remember_push
from consent_server.store.database import Database
from consent_server.targets import Target

_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(minutes=30)

log = logging.getLogger(__name__)


class Pusher:
    """Brings the newest checkpoint of every site to one target, patiently."""

    def __init__(self, database: Database, target: Target) -> None:
        self._database = database
        self.target = target
        digest = hashlib.sha256(target.name.encode()).hexdigest()
        self.lease = f"push {digest[:32]}"
        #: Sites whose last push failed: when to try again, after which pause, what was said.
        self._failed: dict[str, tuple[datetime, timedelta, str]] = {}

    @property
    def failing(self) -> frozenset[str]:
        """Return the sites whose checkpoints were not taken when last offered."""
        return frozenset(self._failed)

    @property
    def label(self) -> str:
        """Return kind and host: paths of addresses may hold secrets."""
        return f"{self.target.kind} {urlsplit(self.target.address).hostname or 'here'}"

    def run(self) -> list[Waiting]:
        """Push what waits and may be tried now; return what arrived."""
        with self._database.read() as session:
            behind = find_waiting(session, self.target)
        # Another server, or the command, may have brought the others there meanwhile.
        sites = {one.site for one in behind}
        self._failed = {site: said for site, said in self._failed.items() if site in sites}
        waiting = [one for one in behind if self._may_try(one)]
        if not waiting:
            return []
        with holding(self._database, self.lease) as renew:
            if renew is None:
                return []
            arrived = []
            for one in waiting:
                if not renew():
                    break
                if self._push(one):
                    arrived.append(one)
            return arrived

    def _may_try(self, waiting: Waiting) -> bool:
        failed = self._failed.get(waiting.site)
        return failed is None or failed[0] <= now()

    def _push(self, waiting: Waiting) -> bool:
        try:
            push(self._database, waiting)
        except ConsentError as error:
            _, pause, said = self._failed.get(waiting.site, (None, _FIRST_PAUSE / 2, ""))
            pause = min(pause * 2, _LONGEST_PAUSE)
            self._failed[waiting.site] = (now() + pause, pause, error.detail)
            if error.detail != said:
                log.error("checkpoint not pushed, tried again later: %s", error.detail)
            return False
        self._failed.pop(waiting.site, None)
        return True


def push(database: Database, waiting: Waiting) -> None:
    """Hand one checkpoint over and remember it; raises NotDelivered."""
    cosignatures = deliver(database, waiting)
    with database.write() as session:
        remember_push(session, waiting, cosignatures, now=now())
