"""Policies: the nonce of a page's own, and one of ours where nothing else can hold a page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from consent_server.connectors import is_held
from consent_server.rewriting.plan import RewritePlan
from consent_server.rules.cookie import StoredDecision
from consent_server.rules.decision import NECESSARY

_NONCE: Final = re.compile(r"'nonce-([A-Za-z0-9+/_=-]+)'", re.IGNORECASE)
#: By which of its words a policy decides on our tag: the first of them that it has (CSP3, 6.8.4).
_FOR_SCRIPTS: Final = ("script-src-elem", "script-src", "default-src")


def find_nonce(policies: Iterable[str]) -> str:
    """Return the nonce that a page's policies want of a script, "" for none.

    A page may have several policies (CSP3, 4.2.1); one may say only who frames it, or want
    another nonce of style sheets.
    """
    for policy in ",".join(policies).split(","):
        directives: dict[str, str] = {}
        for directive in policy.split(";"):
            name, _, sources = directive.strip().partition(" ")
            directives.setdefault(name.lower(), sources)
        named = next((directives[name] for name in _FOR_SCRIPTS if name in directives), "")
        if found := _NONCE.search(named):
            return found[1]
    return ""


def first_policy(plan: RewritePlan) -> str:
    """Return the policy of a page without a decision: the site's own hosts and the allowed.

    A policy holds as long as its page: what is granted there runs on the next page only.
    """
    return _only(plan.own_hosts)


def policy_of_unread(plan: RewritePlan, decision: StoredDecision | None) -> str | None:
    """Return the policy of a page that cannot be rewritten; None once nothing need be held.

    It also lets through what is necessary or granted.
    """
    grants = {} if decision is None else decision.grants
    granted = [
        service
        for service in plan.services
        if service["category"] == NECESSARY
        or not is_held(service)
        or grants.get(service["key"]) is True
    ]
    if len(granted) == len(plan.services) and not plan.strict:
        return None
    hosts = [host for service in granted for host in service["hosts"]]
    places = [path.partition("/")[0] for service in granted for path in service["paths"]]
    return _only([*plan.own_hosts, *hosts, *places])


def _only(hosts: Iterable[str]) -> str:
    sources = f"'self' 'unsafe-inline' 'unsafe-eval' data: blob: {' '.join(dict.fromkeys(hosts))}"
    return f"default-src {sources.strip()}"
