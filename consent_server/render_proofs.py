"""Render proofs: what comes with a site's script, and goes back with each decision made on it.

One is the same for every visitor of a version on a day, so that it tells nobody apart. It
shows that whoever writes has asked this server for the question lately, on this site and in
this version. It does not show that a person was there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from consent_server.errors import ConfigError
from consent_server.site_secrets import SiteSecrets, open_site_secrets

#: 16 bytes in base64url, without padding.
PROOF_PATTERN: Final = r"[A-Za-z0-9_-]{22}"
_BYTES: Final = 16
_DAY: Final = timedelta(days=1)
#: Of servers on one database one may be in the next day already.
_CLOCKS_DIFFER: Final = timedelta(minutes=10)
_MAX_SITES: Final = 10_000
_MAX_PROOFS: Final = 10_000


class RenderProofs:
    """Makes and checks proofs with a key of the key folder, so that servers that share it agree."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        """Nothing is read or made in `folder` before the first proof."""
        self._folder = folder
        self._now = now
        self._secrets: SiteSecrets | None = None
        self._keys: dict[str, bytes] = {}
        self._made: dict[tuple[str, int, date], str] = {}

    def make(self, site: str, version: int) -> str:
        """Return today's proof, good for at least 24 and at most 48 hours; raises KeyProblem."""
        return self._spell(site, version, self._now())

    def offer(self, site: str, version: int) -> list[tuple[str, str]]:
        """Return the fields that carry a proof with a script to the page, on any origin.

        None where the key cannot be used: scripts are served all the same.
        """
        try:
            proof = self.make(site, version)
        except ConfigError:
            return []
        return [("Server-Timing", f'consent;desc="proof={proof}"'), ("Timing-Allow-Origin", "*")]

    def holds(self, site: str, version: int, proof: str) -> bool:
        """Tell whether a proof is one of this site and version, of today or the day before."""
        if len(proof) != -(-_BYTES * 4 // 3) or not proof.isascii():
            return False
        now = self._now()
        return any(
            hmac.compare_digest(self._spell(site, version, now + shift), proof)
            for shift in (timedelta(), -_DAY, _CLOCKS_DIFFER)
        )

    def _spell(self, site: str, version: int, when: datetime) -> str:
        """Return the proof of a day; few are asked for, and often."""
        place = (site, version, when.date())
        proof = self._made.get(place)
        if proof is None:
            text = f"{version}\n{place[2].isoformat()}".encode()
            digest = hmac.digest(self._key(site), text, hashlib.sha256)
            proof = base64.urlsafe_b64encode(digest[:_BYTES]).rstrip(b"=").decode("ascii")
            if len(self._made) >= _MAX_PROOFS:
                self._made.clear()
            self._made[place] = proof
        return proof

    def _key(self, site: str) -> bytes:
        key = self._keys.get(site)
        if key is None:
            if self._secrets is None:
                self._secrets = open_site_secrets(self._folder, now=self._now())
            if len(self._keys) >= _MAX_SITES:
                self._keys.clear()
            key = self._keys[site] = self._secrets.derive("render", site)
        return key
