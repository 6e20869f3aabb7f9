"""Pictures of a bundle: how each version looked, and what nobody photographed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.rules.times import spell_time
from consent_server.sites import find_version, read_config
from consent_server.store.models import Site, VersionPicture

PARTS = ("notice", "preferences")
VIEWPORTS = ("mobile", "desktop")


class View(NamedTuple):
    """One face of a version."""

    version: int
    language: str
    part: str
    viewport: str

    @property
    def file(self) -> str:
        """Where the picture lies in a bundle."""
        return f"screenshots/{self.version}/{self.language}-{self.part}-{self.viewport}.png"


def views_of(session: Session, site: Site, versions: Iterable[int]) -> Iterator[View]:
    """Give every face that the versions have, in every language."""
    for number in sorted(versions):
        config = read_config(find_version(session, site, number))
        for language in config["texts"]:
            for part in PARTS:
                yield from (View(number, language, part, view) for view in VIEWPORTS)


def missing_views(session: Session, site: Site, versions: Iterable[int]) -> list[View]:
    """Return the faces that were never photographed."""
    columns = (
        VersionPicture.version,
        VersionPicture.language,
        VersionPicture.part,
        VersionPicture.viewport,
    )
    query = select(*columns).where(VersionPicture.site_id == site.id)
    taken = {View(*row) for row in session.execute(query)}
    return [view for view in views_of(session, site, versions) if view not in taken]


def read_pictures(
    session: Session, site: Site, views: Iterable[View]
) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Give each picture with its entry of screenshots/index.json."""
    for view in views:
        picture = session.get_one(VersionPicture, (site.id, *view))
        entry = {
            "file": view.file,
            **view._asdict(),
            "sha256": picture.sha256,
            "taken_at": spell_time(picture.taken_at),
        }
        yield entry, picture.body
        session.expunge(picture)
