"""Ledger checking: a site's ledger is recomputed, and whose keys vouch for it is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import Session

from consent_server.ledger_check import Checked, check_ledger
from consent_server.ledger_contents import check_contents
from consent_server.ledger_keys import trusted_keys
from consent_server.signing import Signer
from consent_server.store.models import Site


def check_with_keys(
    session: Session,
    site: Site,
    signer: Signer | None,
    *,
    lost: bool = False,
    tell: Callable[[int], None] = lambda _checked: None,
) -> Checked:
    """Recompute a ledger with the keys of the folder, and else those that it announces itself.

    With `lost` also for the name that it has now; then what its records name. All must be of
    one moment. Raises BrokenLedger.
    """
    trusted = trusted_keys(session, site, signer, lost=lost)
    checked = check_ledger(session, site, trusted.own, announced=trusted.announced, tell=tell)
    check_contents(session, site)
    return checked


def describe_announced(checked: Checked, folder: Path) -> str:
    """Return what is to be said where the database alone vouches for keys; begins a line."""
    if not checked.announced:
        return ""
    keys = "".join(f"\n    {key.to_text()}" for key in checked.announced)
    return (
        f"\n  Signed by no key in {folder}, only by keys that the database itself announces, "
        f"which whoever can write there could make: {checked.by_announced} of its checkpoints. "
        f"Compare with keys that you or others kept from before:{keys}"
    )
