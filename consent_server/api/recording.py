"""Recording: one decision through the writer, and the cookie that repeats it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import request

from consent_server.api.context import context
from consent_server.appending import Wanted
from consent_server.ledger import Recorded, ShownVersion
from consent_server.rules.cookie import StoredDecision, cookie_name, parse_cookie, spell_cookie
from consent_server.rules.decision import Decision


def record_decision(shown: ShownVersion, decision: Decision) -> Recorded:
    """Append a decision together with others that wait; returns after the commit."""
    return context().writer.write(Wanted(shown, decision))


def held_decisions(site_key: str) -> list[StoredDecision]:
    """Return what the browser that asks remembers of the site, newest first.

    A changed cookie domain can leave two cookies of one name.
    """
    found = map(parse_cookie, request.cookies.getlist(cookie_name(site_key)))
    return sorted(filter(None, found), key=lambda stored: stored.decided_at, reverse=True)


def spell_decision_cookie(site_key: str, config: Mapping[str, Any], decision: Decision) -> str:
    """Spell the Set-Cookie line; the value is the one that the widget wrote.

    Empty where the browser already says something newer, and where the decision has run
    out. Whether the cookie would land on a host that the site's pages read is the
    caller's to know.
    """
    age = max(context().now() - decision.decided_at, timedelta())
    left = timedelta(days=config["valid_days"]) - age
    newer = any(one.decided_at > decision.decided_at for one in held_decisions(site_key))
    if left <= timedelta() or newer:
        return ""
    stored = StoredDecision(
        decision.version, decision.decided_at, decision.subject_id, decision.grants
    )
    return _spell(site_key, config, spell_cookie(stored), left // timedelta(seconds=1))


def spell_removal(site_key: str, config: Mapping[str, Any]) -> str:
    """Spell the Set-Cookie line that makes the browser forget the decision."""
    return _spell(site_key, config, "", 0)


def shares_domain(config: Mapping[str, Any]) -> bool:
    """Tell whether this host is inside the site's cookie domain."""
    host, domain = request.host.partition(":")[0], config["cookie_domain"]
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _spell(site_key: str, config: Mapping[str, Any], value: str, age: int) -> str:
    parts = [f"{cookie_name(site_key)}={value}", "Path=/", f"Max-Age={age}", "SameSite=Lax"]
    if config["cookie_domain"]:
        parts.append(f"Domain={config['cookie_domain']}")
    if request.is_secure:
        parts.append("Secure")
    return "; ".join(parts)
