"""Rewriting: a page's trackers made inert on its way out, by what is known of the services."""

from consent_server.rewriting.asgi import AsgiConsentMiddleware
from consent_server.rewriting.plan import RewritePlan
from consent_server.rewriting.rewriter import Rewriter, rewrite
from consent_server.rewriting.sources import (
    DatabasePlans,
    PlanSource,
    plan_from_site_file,
    plan_from_version,
)
from consent_server.rewriting.wsgi import ConsentMiddleware

__all__ = [
    "AsgiConsentMiddleware",
    "ConsentMiddleware",
    "DatabasePlans",
    "PlanSource",
    "RewritePlan",
    "Rewriter",
    "plan_from_site_file",
    "plan_from_version",
    "rewrite",
]
