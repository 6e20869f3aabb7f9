"""The decision cookie: compact, documented, readable by the site's own server.

`1.<version>.<decided at, Unix seconds in base 36>.<subject id>.<keys>` where keys
are joined by `~` and a refused one starts with `!`. Behind another dot stands the signal
(`gpc` or `dnt`) that the browser sent when the visitor decided, where it sent one. Only
characters of RFC 6265's cookie-octet are used, so it never needs quoting.

Where something that is granted ran without a question, the last keys say so: `!asked`, where
only the exempt categories ran, `!asked~!asked-any` where all did. A decision counts where at
least as much runs unasked; elsewhere the visitor is asked. No category and no service may have
these keys, so that whoever knows nothing of it reads two more refusals.
`examples/readers/vectors.json` says what every reader of it must answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from consent_server.rules.decision import SUBJECT_ID, Grants, Signal
from consent_server.rules.unasked import MARKS, Unasked

_FORMAT = "1"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_KEY = re.compile(r"!?[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
#: A decision answers no more.
_MAX_KEYS = 400


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """What the browser remembers of a decision."""

    version: int
    decided_at: datetime
    subject_id: str
    grants: Grants
    #: What the browser asked for then: later it counts anew only once it has changed.
    signal: str = ""
    #: How much of the grants nobody was asked for; its marks are not in them.
    unasked: Unasked = Unasked.NOTHING


def cookie_name(site_key: str) -> str:
    """Return the name of the decision cookie of a site."""
    return f"consent_{site_key}"


def spell_cookie(stored: StoredDecision) -> str:
    """Return the cookie's value."""
    seconds = _to_base36(int(stored.decided_at.timestamp()))
    marked = {**stored.grants, **dict.fromkeys(MARKS[: stored.unasked], False)}
    keys = "~".join(key if granted else f"!{key}" for key, granted in marked.items())
    signal = f".{stored.signal}" if stored.signal else ""
    return f"{_FORMAT}.{stored.version}.{seconds}.{stored.subject_id}.{keys}{signal}"


def parse_cookie(value: str) -> StoredDecision | None:
    """Return the decision, or None for anything that is not one (ask again)."""
    parts = value.split(".")
    signal = parts.pop() if len(parts) == 6 and parts[5] in set(Signal) else ""
    if len(parts) != 5 or parts[0] != _FORMAT:
        return None
    _, version, seconds, subject_id, keys = parts
    names = keys.split("~")
    if not re.fullmatch(r"[1-9]\d{0,8}", version, re.ASCII):
        return None
    if not re.fullmatch(r"[0-9a-z]{1,8}", seconds, re.ASCII):
        return None
    if not SUBJECT_ID.fullmatch(subject_id) or not all(_KEY.fullmatch(n) for n in names):
        return None
    grants = {name.lstrip("!"): not name.startswith("!") for name in names}
    # One key that says two things says nothing.
    if len(names) > _MAX_KEYS or len(grants) != len(names):
        return None
    # A mark that stands alone, or is granted, is nobody's: it counts as the most that it may mean.
    found = [number for number, mark in enumerate(MARKS, 1) if grants.pop(mark, None) is not None]
    return StoredDecision(
        version=int(version),
        decided_at=datetime.fromtimestamp(min(int(seconds, 36), 253_402_300_799), UTC),
        subject_id=subject_id,
        grants=grants,
        signal=signal,
        unasked=Unasked(max(found, default=0)),
    )


def _to_base36(number: int) -> str:
    digits = ""
    number = max(number, 0)
    while True:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
        if not number:
            return digits
