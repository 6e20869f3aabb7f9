"""Budgets: how often one address, and one site, may write, spent evenly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Final
from zlib import crc32

from consent_server.config import Settings
from consent_server.errors import TooManyRequests

#: Whole nanoseconds: no rounding lets one more through.
_SECOND: Final = 1_000_000_000
_MINUTE: Final = 60 * _SECOND
#: A visitor decides, and perhaps changes it at once.
_FEW: Final = 3
#: What a site may store at once is its budget of so many parts of a minute,
_BURST_PART: Final = 10
#: ... but not fewer than these, where its budget has them.
_HANDFUL: Final = 10
#: Without proofs come old scripts, which get fewer by the day, and what was made up.
_UNPROVEN_PART: Final = 10
#: What a network leaves to its hosts.
_HOST_BITS: Final = 64
#: About 30 MB.
_MAX_NAMES: Final = 100_000
#: In seconds: who was refused in the same moment does not come back in the same moment.
_SPREAD: Final = 5


class Budgets:
    """How often one address, and one site, may write. Addresses live in memory only.

    A budget is a bucket that fills evenly. The lower half of a site's is kept for addresses
    that have written little in the last minute: a flood of many from each of its addresses
    leaves room for visitors.
    """

    def __init__(self, settings: Settings, clock: Callable[[], int] = time.monotonic_ns) -> None:
        """`clock` tells nanoseconds, and never goes back."""
        address, site = settings.decisions_per_minute, settings.site_decisions_per_minute
        unproven = -(-site // _UNPROVEN_PART)
        self._clock = clock
        self._lock = threading.Lock()
        # An office or a class behind one address decides in one moment: all of a minute at once.
        self._addresses = _Buckets(address, address)
        self._few = _Buckets(_FEW, _FEW)
        self._sites = _Buckets(site, _burst(site))
        self._unproven = _Buckets(unproven, _burst(unproven))

    def spend(self, site_key: str, address: str, *, is_proven: bool = True) -> None:
        """Take one write from both budgets, or nothing from either; raises TooManyRequests."""
        place = _one_place(address)
        with self._lock:
            now = self._clock()
            is_light = not self._few.wait(place, now)
            # An attempt counts here even if it is refused: a flood is mostly that.
            self._few.take(place, now)
            kept = self._sites.burst // 2
            own = self._addresses.wait(place, now)
            if not is_proven:
                own = max(own, self._unproven.wait(site_key, now))
            if not own and not self._sites.wait(site_key, now, 0 if is_light else kept):
                self._addresses.take(place, now)
                self._sites.take(site_key, now)
                if not is_proven:
                    self._unproven.take(site_key, now)
                return
            # The next attempt finds room above the half, or below it once this one is forgotten.
            below = max(self._sites.wait(site_key, now), self._few.wait(place, now))
            wait = max(own, min(below, self._sites.wait(site_key, now, kept)))
        raise TooManyRequests(
            f"Too many decisions{'' if is_proven else ' without a proof'} in the last minute. "
            "Keep the decision and send it again later.",
            headers={"Retry-After": str(_seconds(wait, place))},
        )

    def is_pressed(self, site_key: str) -> bool:
        """Tell whether a site has written so much that only its lower half is left."""
        with self._lock:
            return self._sites.wait(site_key, self._clock(), self._sites.burst // 2) > 0

    def spend_unproven(self, site_key: str, address: str) -> None:
        """Take one write that no render proof speaks for: of a part of the site's budget only."""
        self.spend(site_key, address, is_proven=False)


def _burst(limit: int) -> int:
    return max(limit // _BURST_PART, min(limit, _HANDFUL))


def _seconds(wait: int, place: str) -> int:
    """Return when to come back: at the soonest when there is room, at the latest in a minute."""
    spread = crc32(place.encode("utf-8", "replace")) % _SPREAD
    return min(-(-wait // _SECOND) + spread, _MINUTE // _SECOND)


def _one_place(address: str) -> str:
    """Return the name under which an address is counted.

    Whoever has one IPv6 address has 2^64 of them (RFC 4291, 2.5.4): a network is one place.
    """
    if ":" not in address:
        return address
    try:
        found = IPv6Address(address)
    except ValueError:
        return address
    return str(found.ipv4_mapped or int(found) >> _HOST_BITS)


class _Buckets:
    """Buckets by name, each full at first; what is taken comes back evenly.

    From one, at most `burst` and `limit` x t are taken in any span of t minutes.
    """

    def __init__(self, limit: int, burst: int) -> None:
        """`limit` come back in a minute, up to `burst`."""
        self.burst = burst
        self._interval = -(-_MINUTE // limit)
        self._most = burst * self._interval
        #: When each is full again, of those taken from since the last turn, and since that before.
        self._full: dict[str, int] = {}
        self._before: dict[str, int] = {}
        self._turned = 0

    def wait(self, name: str, now: int, left: int = 0) -> int:
        """Return after how long one can be taken so that `left` are left; 0 is now."""
        return max(self._full_at(name, now) - now - self._most + (1 + left) * self._interval, 0)

    def take(self, name: str, now: int) -> None:
        """Take one; what is empty stays empty."""
        full = min(max(self._full_at(name, now), now) + self._interval, now + self._most)
        # By then a bucket is full, and need not be known. A flood of names has the oldest
        # forgotten sooner: memory is bounded, and what is stored is by the bucket of the site.
        if now - self._turned > self._most or len(self._full) >= _MAX_NAMES // 2:
            self._turned, self._before, self._full = now, self._full, {}
        self._full[name] = full

    def _full_at(self, name: str, now: int) -> int:
        return self._full.get(name) or self._before.get(name, now)
