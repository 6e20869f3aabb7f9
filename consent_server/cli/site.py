"""Site commands: publish descriptions, look at versions, retire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click
from sqlalchemy.orm import Session

from consent_server.cli.asking import author, confirm
from consent_server.cli.differences import print_changes
from consent_server.cli.identify import identify_secret
from consent_server.cli.opening import now, open_database, open_to_compare
from consent_server.cli.screenshots import screenshots
from consent_server.cli.site_files import SiteFile, naming, read_site_files
from consent_server.cli.tables import print_fields, print_table
from consent_server.config import load_settings
from consent_server.errors import Conflict
from consent_server.rules.times import spell_time
from consent_server.site_notes import Note, note_site
from consent_server.sites import (
    Publication,
    compare_configs,
    compare_site,
    find_site,
    find_version,
    list_sites,
    list_versions,
    publish_version,
    read_config,
    retire_site,
)
from consent_server.snapshot import build_snapshot
from consent_server.store.models import Site, SiteVersion
from consent_server.theme import ratios


@click.group()
def site() -> None:
    """Publish sites from their files, look at versions, retire."""


site.add_command(screenshots)
site.add_command(identify_secret)


@site.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--yes", is_flag=True, help="Publish without asking.")
@click.option("--dry-run", is_flag=True, help="Check and compare only; publish nothing.")
def apply(files: tuple[Path, ...], yes: bool, dry_run: bool) -> None:
    """Publish site files as the next versions of their sites: all, or none of them."""
    sites = read_site_files(files)
    with open_to_compare() if dry_run else open_database(create=True) as database:
        with database.read() as session:
            retired = {one.key for one in list_sites(session) if one.retired_at}
            planned = [_compare(session, file) for file in sites]
        for publication in planned:
            _tell_plan(publication, revived=publication.site in retired)
        if dry_run:
            click.echo("Nothing was published.")
            return
        if any((p.published and p.number > 1) or p.site in retired for p in planned):
            confirm("Publish?", yes=yes)
        with database.write() as session:
            _publish(session, sites, planned)
    for publication in planned:
        if publication.published:
            click.echo(f"Published version {publication.number} of {publication.site}.")
        elif publication.site in retired:
            click.echo(f"{publication.site} is served again.")
    _tell_tags(
        {
            plan.site: file.form["blocking"]
            for file, plan in zip(sites, planned, strict=True)
            if plan.published and plan.number == 1
        }
    )


@site.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
def check(files: tuple[Path, ...]) -> None:
    """Check site files, their words and colours, without a database; publish nothing."""
    for file in read_site_files(files):
        with naming(file.path):
            build_snapshot(file.form)
        found = ratios(file.form["theme"])
        print_table(
            ("SCHEME", "COLOUR", "ON", "CONTRAST", "NEEDED", "WCAG 2.2"),
            [
                (
                    *(one.scheme, one.field, one.behind),
                    *(f"{one.ratio:.1f}:1", f"{one.needed:g}:1", one.criterion),
                )
                for one in found
            ],
        )
        _tell_notes(note_site(file.form))
        click.echo(f"{file.path}: {file.form['key']} can be published.")


@site.command("list")
def list_command() -> None:
    """List every site."""
    with open_database() as database, database.read() as session:
        sites = list_sites(session)
        if not sites:
            click.echo("There is no site yet. Publish one: consent-server site apply FILE")
            return
        print_table(
            ("KEY", "VERSION", "STATE", "NAME"),
            [(s.key, str(s.current_version), _state(s), s.name) for s in sites],
        )


@site.command()
@click.argument("key")
@click.option("--source", is_flag=True, help="Print the file as it was applied.")
def show(key: str, source: bool) -> None:
    """Show what is published of a site."""
    with open_database() as database, database.read() as session:
        found = find_site(session, key)
        version = find_version(session, found, found.current_version)
        if source:
            click.echo(version.source, nl=not version.source.endswith("\n"))
            return
        print_fields(_describe(found, version))
    if found.retired_at is None:
        _tell_tags({key: read_config(version).get("blocking", "declared")})


@site.command()
@click.argument("key")
def versions(key: str) -> None:
    """List the versions of a site, newest first."""
    with open_database() as database, database.read() as session:
        found = list_versions(session, find_site(session, key))
        print_table(
            ("VERSION", "PUBLISHED", "BY", "ASKED AGAIN", "HASH"),
            [
                (
                    str(version.number),
                    spell_time(version.published_at),
                    version.published_by,
                    "yes" if version.material_since == version.number else "no",
                    version.config_hash,
                )
                for version in found
            ],
        )


@site.command()
@click.argument("key")
@click.argument("old", type=int, required=False)
@click.argument("new", type=int, required=False)
def diff(key: str, old: int | None, new: int | None) -> None:
    """Show what differs between two versions; without numbers, the last two."""
    if old is not None and new is None:
        raise click.UsageError("Give both versions, or none for the last two.")
    with open_database() as database, database.read() as session:
        found = find_site(session, key)
        if old is None or new is None:
            if found.current_version < 2:
                click.echo(f"{key} has one version only; there is nothing to compare.")
                return
            old, new = found.current_version - 1, found.current_version
        before, after = (read_config(find_version(session, found, n)) for n in (old, new))
    changes = compare_configs(before, after)
    click.echo(f"{key}, version {old} -> {new}:" if changes else "The versions are equal.")
    print_changes(changes)


@site.command()
@click.argument("key")
@click.option("--yes", is_flag=True, help="Retire without asking.")
def retire(key: str, yes: bool) -> None:
    """Stop serving a site; its versions and its record stay."""
    with open_database() as database:
        with database.read() as session:
            if find_site(session, key).retired_at is not None:
                click.echo(f"{key} is retired already.")
                return
        click.echo(f"{key} will not be served any more; pages that load its script ask nobody.")
        confirm("Retire?", yes=yes)
        with database.write() as session:
            retire_site(session, key, author=author(), now=now())
    click.echo(f"Retired {key}. Its versions and its record stay; applying its file revives it.")


def _compare(session: Session, file: SiteFile) -> Publication:
    with naming(file.path):
        return compare_site(session, file.form)


def _publish(session: Session, sites: Sequence[SiteFile], planned: Sequence[Publication]) -> None:
    """Publish what was shown, and nothing else."""
    for file, plan in zip(sites, planned, strict=True):
        done = publish_version(session, file.form, source=file.source, author=author(), now=now())
        if done != plan:
            raise Conflict(f"Somebody else published {plan.site!r} meanwhile. Apply again.")


def _tell_plan(plan: Publication, *, revived: bool) -> None:
    again = " It is retired now and will be served again." if revived else ""
    if not plan.published:
        click.echo(f"{plan.site}: nothing changed; version {plan.number} stays.{again}")
        return
    if plan.number == 1:
        click.echo(f"{plan.site}: new site, version 1.")
        _tell_notes(plan.notes)
        return
    print_changes(plan.changes)
    _tell_notes(plan.notes)
    asked = "Visitors will be asked again." if plan.asks_again else "Visitors keep their choice."
    click.echo(f"{plan.site}: version {plan.number}. {asked}{again}")


def _tell_notes(notes: Iterable[Note]) -> None:
    for note in notes:
        click.echo(f"  note: {note.path}: {note.message}")


def _tell_tags(blocking: Mapping[str, str]) -> None:
    """Print the tag of each site; one with a gate must run before anything else does."""
    if not blocking:
        return
    settings = load_settings()
    origin = settings.public_url or f"http://{settings.host}:{settings.port}"
    click.echo("The tag, for the <head> of every page of the site:")
    for key, how in blocking.items():
        tag = "script async" if how == "declared" else "script"
        click.echo(f'  <{tag} src="{origin}{settings.widget_path}/{key}.js"></script>')
    if not settings.public_url:
        click.echo("Set CONSENT_PUBLIC_URL to have your server's own address in it.")


def _state(found: Site) -> str:
    return "retired" if found.retired_at else "published"


def _describe(found: Site, version: SiteVersion) -> list[tuple[str, str]]:
    config = read_config(version)
    retired = f"since {spell_time(found.retired_at)}" if found.retired_at else "no"
    return [
        ("key", found.key),
        ("name", config["name"]),
        ("controller", f"{config['controller']['name']}, {config['controller']['address']}"),
        ("version", str(version.number)),
        ("published", f"{spell_time(version.published_at)} by {version.published_by}"),
        ("asks since", f"version {version.material_since}"),
        ("retired", retired),
        ("hash", version.config_hash),
        ("origins", "\n".join(config["origins"])),
        ("languages", ", ".join(config["languages"])),
        *(
            (f"{category['key']}", ", ".join(category["services"]) or "(no service)")
            for category in config["categories"]
        ),
    ]
