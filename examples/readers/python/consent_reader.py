"""What a visitor allowed, read by the site's own server from the `Cookie` header.

One file without dependencies (Python 3.9 or newer): copy it into your project. It
fails closed: what is missing, odd, too old or about an earlier question allows nothing.

    grants = read(request.headers.get("Cookie", ""), "example")
    if grants.get("google-analytics"):
        ...
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_VALUE = re.compile(
    r"1\.([1-9][0-9]{0,8})\.([0-9a-z]{1,8})\.([0-9a-f]{32})\.([a-z0-9!~-]+)(?:\.(?:gpc|dnt))?",
    re.ASCII,
)
_KEY = re.compile(r"!?[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_MAX_KEYS = 400
_DAY = 86_400
#: A webhook older or newer than this was kept back by somebody.
_TOLERANCE = 300


@dataclass(frozen=True)
class Decision:
    """What the cookie says; `decided_at` is in Unix seconds."""

    version: int
    decided_at: int
    subject_id: str
    grants: dict[str, bool]

    @property
    def subject(self) -> str:
        """The visitor as webhooks name them: SHA-256 of the subject id, in hex."""
        return hashlib.sha256(self.subject_id.encode("ascii")).hexdigest()


def read(
    cookie_header: str,
    site: str,
    *,
    now: float | None = None,
    valid_days: int = 180,
    since: int = 1,
) -> dict[str, bool]:
    """Return category or service -> whether it is allowed; empty where nothing is.

    `valid_days` is that of the site file, `since` the version since which visitors
    must have been asked (`material_since` of the newest version).
    """
    found = read_decision(cookie_header, site, now=now, valid_days=valid_days, since=since)
    return found.grants if found else {}


def read_decision(
    cookie_header: str,
    site: str,
    *,
    now: float | None = None,
    valid_days: int = 180,
    since: int = 1,
) -> Decision | None:
    """Return the decision that holds, or None."""
    newest: Decision | None = None
    for value in _values(cookie_header, f"consent_{site}"):
        decision = _parse(value)
        if decision and (newest is None or decision.decided_at > newest.decided_at):
            newest = decision
    moment = time.time() if now is None else now
    if newest is None or newest.version < since:
        return None
    # A clock may be wrong, but not by a day.
    if not newest.decided_at - _DAY <= moment < newest.decided_at + valid_days * _DAY:
        return None
    return newest


def verify_webhook(
    secret: str, headers: Mapping[str, str], body: bytes, *, now: float | None = None
) -> bool:
    """Tell whether a webhook comes from your consent server, and now.

    `secret` is what `consent-server webhook set` printed; `body` is the bytes as they came.
    """
    given = {name.lower(): value for name, value in headers.items()}
    sent_at = given.get("webhook-timestamp", "")
    if not re.fullmatch(r"[0-9]{1,12}", sent_at, re.ASCII):
        return False
    if abs((time.time() if now is None else now) - int(sent_at)) > _TOLERANCE:
        return False
    key = base64.b64decode(secret[len("whsec_") :] if secret.startswith("whsec_") else secret)
    if not key:
        return False
    signed = f"{given.get('webhook-id', '')}.{sent_at}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    signatures = given.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(one.encode(), expected) for one in signatures)


def sign_ref(secret: str, site: str, ref: str, expires: int) -> str:
    """Return the signature for `consent.identify()`: that `ref` is signed in, until `expires`.

    `secret` is what `consent-server site identify-secret` printed, `expires` in Unix seconds and
    at most an hour ahead.
    """
    message = f"{site}\n{expires}\n{ref}".encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _values(cookie_header: str, name: str) -> Iterator[str]:
    for pair in cookie_header.split(";"):
        key, _, value = pair.strip(" \t").partition("=")
        if key == name:
            yield value


def _parse(value: str) -> Decision | None:
    found = _VALUE.fullmatch(value)
    if found is None:
        return None
    version, seconds, subject_id, words = found.groups()
    keys = words.split("~")
    if len(keys) > _MAX_KEYS or not all(_KEY.fullmatch(key) for key in keys):
        return None
    grants = {key.lstrip("!"): not key.startswith("!") for key in keys}
    if len(grants) != len(keys):  # one key that says two things
        return None
    return Decision(int(version), int(seconds, 36), subject_id, grants)
