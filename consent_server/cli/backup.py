"""Backup commands: take a verified copy while the server runs, and bring one back."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consent_server.cli.asking import confirm
from consent_server.cli.ledger_checking import check_with_keys, describe_announced
from consent_server.cli.opening import bring_up_to_date, now, open_database
from consent_server.cli.replacing import check_apart, check_free, tidying, uninterrupted
from consent_server.config import Settings, key_folder, load_settings, sqlite_path
from consent_server.continuity import list_published
from consent_server.errors import ConfigError, Conflict
from consent_server.rules.times import spell_time
from consent_server.sealing import last_checkpoint, origin_of, origins_of
from consent_server.signing import Published, Signer, find_signer
from consent_server.sites import list_sites
from consent_server.store.backup import (
    check_file,
    copy_database,
    is_in_use,
    put_in_place,
    settle,
)
from consent_server.store.database import Database
from consent_server.store.models import ConsentEvent, Site
from consent_server.store.schema import schema_is_current, schema_is_ours

_STAMP = "%Y%m%dT%H%M%SZ"


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE where it exists.")
def backup(file: Path, force: bool) -> None:
    """Copy the database to FILE while the server runs, and verify the copy."""
    settings = load_settings()
    source = _sqlite_file(settings, "pg_dump --format=custom --file=FILE DATABASE")
    check_apart(file)
    check_free(file, force=force)
    signer = find_signer(key_folder(settings))
    # A database that is missing, or of another release, is told before it is copied. A server
    # that runs publishes more while this is at work: no copy lacks that.
    with open_database() as database:
        published = list_published(database, signer) if signer is not None else {}
    with _part(file) as part:
        _copy(source, part, file.parent)
        lines = _verify(part, settings, published)
        put_in_place(part, file)
    for line in lines:
        click.echo(line)
    click.echo(
        f"{file} is whole and readable for you only: it holds personal data. Keep it apart from "
        f"copies of {key_folder(settings)}."
    )


def _copy(source: Path, part: Path, folder: Path) -> None:
    try:
        copy_database(source, part)
    except sqlite3.Error as error:
        raise Conflict(
            f"{source} could not be copied ({error}). Look whether {folder.absolute()} has room "
            "for as much again."
        ) from error


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Restore without asking.")
def restore(file: Path, yes: bool) -> None:
    """Put the copy FILE in the database's place; what is there now is kept beside it."""
    settings = load_settings()
    target = _sqlite_file(settings, "pg_restore --clean --if-exists --dbname=DATABASE FILE")
    check_apart(file)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and is_in_use(target):
        raise Conflict(f"{target} is in use. Stop the server, then restore again.")
    with _part(target) as part:
        shutil.copyfile(file, part)
        part.chmod(0o600)
        check_file(part, told=file)
        if _bring_up(part, file):
            click.echo(f"{file} is of an earlier release; what is restored is of this one.")
        for line in _verify(part, settings):
            click.echo(line)
        aside = target.with_name(f"{target.name}.before-{now().strftime(_STAMP)}")
        confirm(f"Put it in the place of {target}?", yes=yes)
        with uninterrupted():
            put_in_place(part, target, aside)
    click.echo(f"{target} is restored.")
    if aside.exists():
        click.echo(f"What was there before is {aside}; remove it when it is no longer needed.")


def _sqlite_file(settings: Settings, elsewhere: str) -> Path:
    path = sqlite_path(settings.database_url)
    if path is None:
        raise ConfigError(f"This command is for SQLite. PostgreSQL has its own: {elsewhere}")
    return path


@contextmanager
def _part(target: Path) -> Iterator[Path]:
    """Give the name of a file in the target's folder that is gone afterwards."""
    parent, prefix = target.parent, f".{target.name}."
    with tidying(), tempfile.TemporaryDirectory(dir=parent, prefix=prefix) as folder:
        yield Path(folder) / target.name


def _bring_up(copy: Path, file: Path) -> bool:
    """Give a copy this release's schema, as a start would; tell whether it had an earlier one.

    Raises Conflict for a database that is not ours, and ConfigError for a later release's.
    """
    database = Database(copy)
    try:
        if not schema_is_ours(database):
            raise Conflict(f"{file} is a database, but none of this server's.")
        if schema_is_current(database):
            return False
        bring_up_to_date(database)
        return True
    finally:
        database.close()


def _verify(
    copy: Path, settings: Settings, known: Mapping[str, Published] | None = None
) -> list[str]:
    """Read the whole copy, recompute its ledgers, and tell what it holds; raises Conflict.

    `known` is what it must have of what was published; None for all of it.
    """
    check_file(copy)
    folder = key_folder(settings)
    signer = find_signer(folder)
    database = Database(copy)
    try:
        if known is None:
            known = list_published(database, signer) if signer is not None else {}
        with database.read() as session:
            told = [_describe(session, site, signer, folder, known) for site in list_sites(session)]
    finally:
        database.close()
    settle(copy)
    return told


def _describe(
    session: Session,
    site: Site,
    signer: Signer | None,
    folder: Path,
    known: Mapping[str, Published],
) -> str:
    query = select(func.count()).select_from(ConsentEvent).where(ConsentEvent.site_id == site.id)
    told = f"{site.key}: {session.scalar(query)} records"
    last = last_checkpoint(session, site)
    if last is None:
        return f"{told}, nothing sealed."
    # A copy is wanted most when the key is lost; the server seals on none whose key it lacks.
    checked = check_with_keys(session, site, signer, lost=True)
    told = (
        f"{told}, {checked.leaves} leaves as they were sealed up to {spell_time(last.sealed_at)}."
        f"{describe_announced(checked, folder)}"
    )
    if signer is None:
        return (
            f"{told}\n  There is no key in {folder}, which would know what was published: whether "
            "something is missing cannot be told. Bring it back, or set CONSENT_KEY_FOLDER."
        )
    published = known.get((origins_of(session, site) or [origin_of(last)])[-1])
    if published is None or published.size <= last.size:
        return told
    return (
        f"{told}\n  {published.size} leaves were published on {spell_time(published.sealed_at)}: "
        f"{published.size - last.size} are missing here. If no newer copy has them, say so: "
        f"consent-server ledger begin-anew --site {site.key} --reason TEXT"
    )
