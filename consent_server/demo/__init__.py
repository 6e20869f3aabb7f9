"""The demo: five small websites built from published privacy policies."""

from __future__ import annotations

from pathlib import Path

_SITES = Path(__file__).resolve().parent / "sites"


def site_files() -> list[Path]:
    """Return the site files of the demo, for whoever publishes them."""
    return sorted(_SITES.glob("*.toml"))
