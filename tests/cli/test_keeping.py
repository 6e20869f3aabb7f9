"""Keeping: what a release serves is written down, site by site, whatever one of them meets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from consent_server import widget
from consent_server.cli.keeping import Keeper
from consent_server.errors import ConfigError
from consent_server.sites import read_config
from consent_server.store.database import Database
from consent_server.store.models import Site, SiteScript, SiteVersion
from tests.cli.conftest import Consent

NEXT = "/* the next release */"
_SITES = {"getjenny", "jackbot", "jiminny", "smilee", "ujet"}


@pytest.fixture(autouse=True)
def next_release(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release with another core: of each site it serves a script that nobody has kept."""
    monkeypatch.setattr(widget, "read_core", lambda *_, **__: NEXT)


def kept(database: Database) -> set[str]:
    """Return the sites of which a script of the next release is kept."""
    query = select(Site.key, SiteScript.body).where(Site.id == SiteScript.site_id)
    with database.read() as session:
        return {key for key, body in session.execute(query) if NEXT.encode() in body}


def failing(monkeypatch: pytest.MonkeyPatch, key: str, error: Callable[[], Exception]) -> list[str]:
    """Let reading one site's version fail; returns the sites that were read, in their order."""
    seen: list[str] = []

    def read(version: SiteVersion) -> dict[str, Any]:
        config = read_config(version)
        seen.append(config["site"])
        if config["site"] == key:
            raise error()
        return config

    monkeypatch.setattr("consent_server.published.read_config", read)
    return seen


def test_the_scripts_of_every_site_are_kept_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Keeper(database, rest=0)
    keeper.run()
    assert kept(database) == _SITES
    seen = failing(monkeypatch, "", RuntimeError)
    keeper.run()
    assert seen == []


def test_a_site_that_cannot_be_composed_keeps_no_other_and_is_named_once(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen = failing(monkeypatch, "jiminny", lambda: KeyError("categories"))
    keeper = Keeper(database, rest=0)
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"scripts of jiminny cannot"):
            keeper.run()
    assert kept(database) == _SITES - {"jiminny"}
    assert len(seen) == len(_SITES) + 1  # the others are not composed again
    assert [record.getMessage() for record in caplog.records] == [
        "the scripts of jiminny cannot be composed"
    ]


def test_what_the_database_says_of_one_site_leaves_the_others_their_turn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, "jiminny", lambda: OperationalError("", {}, Exception("no")))
    keeper = Keeper(database, rest=0)
    for _ in range(2):
        with pytest.raises(OperationalError):
            keeper.run()
    assert kept(database) == _SITES - {"jiminny"}
    monkeypatch.undo()
    monkeypatch.setattr(widget, "read_core", lambda *_, **__: NEXT)
    keeper.run()
    assert kept(database) == _SITES


def test_an_upgrade_by_command_keeps_the_scripts_of_every_site(
    database: Database, consent: Consent
) -> None:
    assert kept(database) == set()
    assert "up to date" in consent("database", "upgrade").output
    assert kept(database) == _SITES
