"""Context: the parts that views share, put together once in create_app."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy.orm import Session

from consent_server.api.budgets import Budgets
from consent_server.config import Settings
from consent_server.ledger import Recorded
from consent_server.metrics import Metrics
from consent_server.published import PublishedSites
from consent_server.readiness import Readiness
from consent_server.regions import Regions
from consent_server.render_proofs import RenderProofs
from consent_server.store.database import Database
from consent_server.store.writer import GroupWriter
from consent_server.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Context:
    """What `app.extensions["consent"]` holds."""

    settings: Settings
    database: Database
    published: PublishedSites
    budgets: Budgets
    writer: GroupWriter[Wanted, Recorded]
    readiness: Readiness
    metrics: Metrics
    now: Callable[[], datetime]
    regions: Regions
    render_proofs: RenderProofs

    def read_session(self) -> AbstractContextManager[Session]:
        """Open a session that only looks."""
        return self.database.read()


def context() -> Context:
    """Return the parts of the running application."""
    found: Context = current_app.extensions["consent"]
    return found


def published_sites() -> PublishedSites:
    """Return the published sites of the running application."""
    return context().published
