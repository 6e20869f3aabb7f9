"""Screenshots: the command that photographs what visitors were shown."""

from __future__ import annotations

import click

from consent_server.bundle.pictures import View, missing_views
from consent_server.cli.opening import open_database
from consent_server.cli.photographs import take_pictures
from consent_server.sites import find_site, list_versions
from consent_server.store.database import Database


@click.command()
@click.argument("key")
@click.option(
    "--version",
    "versions",
    type=click.IntRange(1),
    multiple=True,
    help="Only this version; may be given again.  [default: every version]",
)
def screenshots(key: str, versions: tuple[int, ...]) -> None:
    """Photograph notice and preferences of a site, for the audit bundle.

    In every language, on a telephone and a desktop; what was taken before stays as it is.
    """
    with open_database() as database:
        missing = find_missing(database, key, versions)
        with click.progressbar(length=len(missing), label=f"Photographing {key}") as bar:
            taken = take_pictures(database, key, missing, lambda _: bar.update(1))
    click.echo(f"{taken} screenshots taken." if taken else "Every screenshot is there already.")


def find_missing(database: Database, key: str, versions: tuple[int, ...] = ()) -> list[View]:
    """Return the views of a site that were never photographed."""
    with database.read() as session:
        site = find_site(session, key)
        numbers = versions or [version.number for version in list_versions(session, site)]
        return missing_views(session, site, numbers)
