"""Demo sites: published with the origin that they are really served on."""

from __future__ import annotations

import tomllib

from consent_server.cli.opening import now
from consent_server.config import Settings
from consent_server.demo import site_files
from consent_server.site_form import load_site_form
from consent_server.sites import publish_version
from consent_server.store.database import Database

#: The port that the demo's site files are written for.
_WRITTEN_FOR = ":8000"


def publish_demo_sites(settings: Settings) -> list[str]:
    """Publish the five sites, in one transaction; return those that had changed."""
    database = Database(settings.database_url)
    try:
        with database.write() as session:
            publications = [
                publish_version(
                    session,
                    load_site_form(tomllib.loads(text)),
                    source=text,
                    author="demo",
                    now=now(),
                )
                for text in _site_texts(settings.port)
            ]
    finally:
        # No connection may be open when the server forks its worker.
        database.close()
    return [one.site for one in publications if one.published]


def _site_texts(port: int) -> list[str]:
    texts = [file.read_text(encoding="utf-8") for file in site_files()]
    for host in ("127.0.0.1", "localhost"):
        texts = [text.replace(f"//{host}{_WRITTEN_FOR}", f"//{host}:{port}") for text in texts]
    return texts
