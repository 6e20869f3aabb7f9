"""Site secrets: what a site's own server shares with this one, made from one file of the keys.

None of them lies in the database: whoever reads that can neither sign for this server nor
guess who signed in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from pathlib import Path

from consent_server.signing import open_signer

#: Lies beside the keys of the ledger, and is kept and backed up with them.
SECRETS_FILE = "site-secrets.json"


class SiteSecrets:
    """Secrets of every site of this server, each for one purpose."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed

    def derive(self, purpose: str, site: str, generation: int = 1) -> bytes:
        """Return 32 bytes that nobody gets from those of another purpose, site or generation."""
        name = f"consent_server\n{purpose}\n{site}\n{generation}".encode()
        return hmac.new(self._seed, name, hashlib.sha256).digest()

    def webhook_secret(self, site: str, generation: int) -> str:
        """Return the secret of a webhook as Standard Webhooks spells it: `whsec_` and base64."""
        secret = self.derive("webhook", site, generation)
        return f"whsec_{base64.b64encode(secret).decode('ascii')}"

    def identify_secret(self, site: str) -> str:
        """Return what a site's server signs with who is signed in."""
        secret = self.derive("identify", site)
        return f"idsec_{base64.urlsafe_b64encode(secret).decode('ascii')}"

    def hash_ref(self, site: str, ref: str) -> bytes:
        """Return what is kept of a reference: nobody without the key can try names against it."""
        return hmac.new(self.derive("ref", site), ref.encode(), hashlib.sha256).digest()


def open_site_secrets(folder: Path, *, now: datetime) -> SiteSecrets:
    """Return the secrets of a key folder; makes their file where there is none.

    Raises KeyProblem when others may read it or it is damaged.
    """
    return SiteSecrets(open_signer(folder, now=now, name=SECRETS_FILE).keys[0].seed)
