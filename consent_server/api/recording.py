"""Recording: one decision through the writer, and the cookie that repeats it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import request
from werkzeug.wrappers import Request

from consent_server.api.context import context
from consent_server.api.sight import see
from consent_server.ledger import Recorded, ShownVersion
from consent_server.rules.cookie import StoredDecision, cookie_name, parse_cookie, spell_cookie
from consent_server.rules.decision import Decision, Layer, Method
from consent_server.rules.regimes import valid_days
from consent_server.rules.sight import signal_in
from consent_server.rules.times import parse_time
from consent_server.rules.unasked import unasked
from consent_server.wanted import Wanted

#: Decision cookies know seconds.
_TICK = timedelta(seconds=1)
#: The last that a cookie can tell.
_LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
#: What a decision met that was read the short way; it is answered the long way.
MET = "consent_server.met"


def raise_met(environ: Mapping[str, Any]) -> None:
    """Raise what the decision at hand has met already: it must not spend or wait twice."""
    met = environ.get(MET)
    if met is not None:
        raise met


def record_decision(shown: ShownVersion, decision: Decision) -> Recorded:
    """Append a decision together with others that wait; returns after the commit."""
    return context().writer.write(Wanted(shown, decision, see(shown.config)))


def held_decisions(site_key: str, request: Request = request) -> list[StoredDecision]:
    """Return what the browser that asks remembers of the site, newest first.

    A changed cookie domain can leave two cookies of one name.
    """
    found = map(parse_cookie, request.cookies.getlist(cookie_name(site_key)))
    return sorted(filter(None, found), key=lambda stored: stored.decided_at, reverse=True)


def decided_here(site_key: str) -> datetime:
    """Return the time of a decision made on a page of ours: now, and after what the browser holds.

    Its clock may be ahead of ours. Where two decisions meet the later one holds, so that what is
    withdrawn here would go on holding there.
    """
    now, held = context().now(), held_decisions(site_key)
    return max(now, min(held[0].decided_at, _LAST - _TICK) + _TICK) if held else now


def spell_decision_cookie(
    site_key: str,
    config: Mapping[str, Any],
    decision: Decision,
    regime: str,
    request: Request = request,
    now: datetime | None = None,
) -> str:
    """Spell the Set-Cookie line; the value is the one that the widget wrote.

    Empty where the browser already says something newer, and where the decision has run
    out. Whether the cookie would land on a host that the site's pages read is the
    caller's to know.
    """
    age = max((now or context().now()) - decision.decided_at, timedelta())
    left = timedelta(days=valid_days(config, regime)) - age
    newer = "Cookie" in request.headers and any(
        one.decided_at > decision.decided_at for one in held_decisions(site_key, request)
    )
    if left <= timedelta() or newer:
        return ""
    stored = StoredDecision(
        decision.version,
        decision.decided_at,
        decision.subject_id,
        decision.grants,
        decision.signal,
        unasked(regime, decision.method, decision.layer, decision.grants),
    )
    age_left = left // timedelta(seconds=1)
    return _spell(site_key, config, spell_cookie(stored), age_left, request)


def spell_receipt_cookie(
    config: Mapping[str, Any], receipt: Mapping[str, Any], subject_id: str
) -> str:
    """Spell the Set-Cookie line of what a page of ours recorded."""
    return spell_decision_cookie(
        config["site"],
        config,
        Decision(
            decision_id=UUID(receipt["event_id"]),
            subject_id=subject_id,
            method=Method(receipt["method"]),
            layer=Layer(receipt["layer"]),
            version=receipt["version"],
            script="",
            language=receipt["language"],
            grants=receipt["grants"],
            decided_at=parse_time(receipt["decided_at"]),
            signal=signal_in(receipt["signals"]),
        ),
        receipt["regime"],
    )


def spell_removal(site_key: str, config: Mapping[str, Any]) -> str:
    """Spell the Set-Cookie line that makes the browser forget the decision."""
    return _spell(site_key, config, "", 0, request)


def shares_domain(config: Mapping[str, Any], request: Request = request) -> bool:
    """Tell whether this host is inside the site's cookie domain."""
    host, domain = request.host.partition(":")[0], config["cookie_domain"]
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def reaches_pages(config: Mapping[str, Any]) -> bool:
    """Tell whether a cookie set from this host is one that the site's pages read."""
    if config["cookie_domain"]:
        return shares_domain(config)
    # Cookies know hosts, not ports.
    hosts = {urlsplit(origin).hostname for origin in config["origins"]}
    return urlsplit(request.host_url).hostname in hosts


def _spell(site_key: str, config: Mapping[str, Any], value: str, age: int, request: Request) -> str:
    parts = [f"{cookie_name(site_key)}={value}", "Path=/", f"Max-Age={age}", "SameSite=Lax"]
    if config["cookie_domain"]:
        parts.append(f"Domain={config['cookie_domain']}")
    if request.is_secure:
        parts.append("Secure")
    return "; ".join(parts)
