"""Pictures of a bundle: how each version looked, and what nobody photographed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from consent_server.rules.regimes import Regime, regimes_shown
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
    regime: str = Regime.OPT_IN

    @property
    def file(self) -> str:
        """Where the picture lies in a bundle; what asks first lies where it always did."""
        folder = "" if self.regime == Regime.OPT_IN else f"{self.regime}/"
        name = f"{self.language}-{self.part}-{self.viewport}.png"
        return f"screenshots/{self.version}/{folder}{name}"


def views_of(session: Session, site: Site, versions: Iterable[int]) -> Iterator[View]:
    """Give every face that the versions have, in every regime that shows one and every language."""
    for number in sorted(versions):
        config = read_config(find_version(session, site, number))
        regimes = map(str, regimes_shown(config))
        for regime, language, part, view in product(regimes, config["texts"], PARTS, VIEWPORTS):
            yield View(number, language, part, view, regime)


def missing_views(session: Session, site: Site, versions: Iterable[int]) -> list[View]:
    """Return the faces that were never photographed."""
    columns = (
        VersionPicture.version,
        VersionPicture.language,
        VersionPicture.part,
        VersionPicture.viewport,
        VersionPicture.regime,
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
