"""Ledger commands: seal, look, prove, check, push to others, and change the key."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import click
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consent_server.audit import hold_snapshot
from consent_server.cli.asking import author, confirm
from consent_server.cli.ledger_checking import check_with_keys, describe_announced
from consent_server.cli.opening import now, open_database
from consent_server.cli.pushes import push
from consent_server.cli.tables import print_fields, print_table
from consent_server.config import key_folder, load_settings
from consent_server.continuity import check_published, list_published
from consent_server.errors import ConfigError, Conflict, ConsentError
from consent_server.ledger_contents import check_contents
from consent_server.proofs import newest_checkpoint, note_of, prove_consistency, prove_inclusion
from consent_server.pushing import find_waiting
from consent_server.reasons import read_reason
from consent_server.rules.times import spell_time
from consent_server.sealing import (
    WHAT_WAS_LOST,
    begin_anew,
    count_waiting,
    last_checkpoint,
    origin_of,
    origins_of,
    seal_site,
    seal_waiting,
)
from consent_server.signing import (
    LEDGER_KEYS,
    Published,
    Signer,
    find_signer,
    open_signer,
    rotate_key,
)
from consent_server.sites import find_site, list_sites
from consent_server.store.database import Database
from consent_server.store.models import LedgerLeaf, Site
from consent_server.targets import parse_targets

_site = click.option("--site", "site_key", required=True, help="Key of the site.")


@click.group()
def ledger() -> None:
    """Seal the record, prove what is in it, check it."""


@ledger.command()
def seal() -> None:
    """Seal what waits now; a running server does so by itself every second."""
    with open_database() as database:
        done = seal_waiting(database, _signer(), now=now())
        for sealed in done:
            click.echo(f"{sealed.site}: {sealed.added} sealed, {sealed.published.size} in all.")
        with database.read() as session:
            left = [site for site in list_sites(session) if count_waiting(session, site)[0]]
    if left:
        names = ", ".join(site.key for site in left)
        raise Conflict(f"Not everything could be sealed: {names}. The reason stands above.")
    if not done:
        click.echo("Nothing waits to be sealed.")


@ledger.command()
def status() -> None:
    """Show how far each site is sealed, and under which name."""
    with open_database() as database, database.read() as session:
        rows = [_describe(session, site) for site in list_sites(session)]
    if not rows:
        click.echo("There is no site yet. Publish one: consent-server site apply FILE")
        return
    print_table(("KEY", "SEALED", "WAITING", "LAST", "NAME OF THE LEDGER"), rows)


@ledger.command()
@_site
def keys(site_key: str) -> None:
    """Print the public keys that sign a site's ledger, for those who check it."""
    signer = _signer()
    with open_database() as database, database.read() as session:
        origin = origin_of(newest_checkpoint(session, find_site(session, site_key)))
    for key in signer.verifiers(origin):
        click.echo(key.to_text())


@ledger.command("rotate-key")
@click.option(
    "--overlap-days",
    type=click.IntRange(0, 390),
    default=30,
    show_default=True,
    help="How long the old key signs beside the new one.",
)
@click.option("--yes", is_flag=True, help="Do it without asking.")
def rotate(overlap_days: int, yes: bool) -> None:
    """Make a new signing key; ledgers announce it, signed by the old key too."""
    folder = key_folder(load_settings())
    open_signer(folder, now=now())
    click.echo(f"A new key in {folder / LEDGER_KEYS} will sign every ledger of this server.")
    confirm("Make it?", yes=yes)
    with open_database() as database:
        with database.read() as session:
            sites = [site.id for site in list_sites(session) if last_checkpoint(session, site)]
        signer = rotate_key(folder, now=now(), until=now() + timedelta(days=overlap_days))
        for site_id in sites:
            with database.write() as session:
                sealed = seal_site(session, session.get_one(Site, site_id), signer, now=now())
            if sealed is not None:
                signer.remember(sealed.published)
                click.echo(signer.current(sealed.published.origin).to_text())
    click.echo("Give the new keys to those who check your ledgers. Keep a copy of the folder.")


@ledger.command()
@_site
@click.argument("event_id", type=click.UUID)
def proof(site_key: str, event_id: UUID) -> None:
    """Prove that a record is in the ledger."""
    with open_database() as database, database.read() as session:
        found = prove_inclusion(session, find_site(session, site_key), event_id)
    print_fields(
        [
            ("leaf", str(found.leaf_index)),
            ("leaf hash", found.leaf_hash.hex()),
            ("size", str(found.size)),
            ("path", "\n".join(one.hex() for one in found.path)),
        ]
    )
    click.echo(f"\n{found.checkpoint}", nl=False)


@ledger.command()
@_site
@click.argument("old", type=click.IntRange(0))
@click.argument("new", type=click.IntRange(0), required=False)
def consistency(site_key: str, old: int, new: int | None) -> None:
    """Prove that a ledger only grew from OLD leaves to NEW (without it, to now)."""
    with open_database() as database, database.read() as session:
        found = prove_consistency(session, find_site(session, site_key), old, new)
    path = "\n".join(one.hex() for one in found.path)
    print_fields([("old", str(found.old)), ("new", str(found.new)), ("path", path)])


@ledger.command()
@_site
def checkpoint(site_key: str) -> None:
    """Print the newest checkpoint: keep it somewhere else, it is evidence."""
    with open_database() as database, database.read() as session:
        site = find_site(session, site_key)
        click.echo(note_of(session, newest_checkpoint(session, site)), nl=False)


@ledger.command()
@click.option("--site", "site_key", help="Key of the site.  [default: every site]")
def verify(site_key: str | None) -> None:
    """Recompute every leaf, root and signature from the database."""
    folder, any_sealed = key_folder(load_settings()), False
    signer = find_signer(folder)
    with open_database() as database, _looking(database, signer) as (session, published):
        sites = [find_site(session, site_key)] if site_key else list_sites(session)
        for site in sites:
            total, last = _count_leaves(session, site), last_checkpoint(session, site)
            if last is None:
                check_contents(session, site)
                click.echo(f"{site.key}: nothing is sealed yet.")
                continue
            any_sealed = True
            with _progress(site.key, total) as tell:
                checked = check_with_keys(session, site, signer, tell=tell)
            click.echo(
                f"{site.key}: {checked.leaves} leaves and {checked.checkpoints} checkpoints "
                f"are as they were sealed.{describe_announced(checked, folder)}"
            )
            for name in origins_of(session, site)[-1:]:
                check_published(session, site, published.get(name), last)
    if any_sealed and signer is None:
        raise Conflict(
            f"There is no key in {folder}, so nothing but the database vouches for what was "
            "sealed. Bring the folder back from a backup, or set CONSENT_KEY_FOLDER."
        )


@ledger.command("begin-anew")
@_site
@click.option("--reason", required=True, help="What was lost and how; it stands in the ledger.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
def begin(site_key: str, reason: str, yes: bool) -> None:
    """Go on under a new name after records or keys were lost."""
    read_reason(reason, WHAT_WAS_LOST)
    with open_database() as database:
        with database.read() as session:
            find_site(session, site_key)
        click.echo(
            f"The ledger of {site_key} will be signed under a new name from now on. Who checks it "
            "will see that the old one ended, and the reason."
        )
        confirm("Begin anew?", yes=yes)
        signer = _signer()
        with database.write() as session:
            site = find_site(session, site_key)
            new = begin_anew(session, site, actor=author(), reason=reason, now=now())
            sealed = seal_site(session, site, signer, now=now())
            name = new.origin
        if sealed is not None:
            signer.remember(sealed.published)
    click.echo(f"The ledger of {site_key} is now called {name}.")


@ledger.command("push")
def push_command() -> None:
    """Bring the newest checkpoints to CONSENT_CHECKPOINT_TARGETS now."""
    targets = parse_targets(load_settings().checkpoint_targets)
    if not targets:
        raise ConfigError(
            "CONSENT_CHECKPOINT_TARGETS names no place. Without one nobody can prove that the "
            "whole ledger was not written anew: see docs/witnesses.md."
        )
    failed = 0
    with open_database() as database:
        for target in targets:
            with database.read() as session:
                waiting = find_waiting(session, target)
            if not waiting:
                click.echo(f"{target.address}: has everything.")
            for one in waiting:
                try:
                    push(database, one)
                except ConsentError as error:
                    failed += 1
                    click.echo(f"{one.site}: {error.detail}", err=True)
                else:
                    click.echo(f"{target.address}: {one.site} at {one.size} leaves.")
    if failed:
        raise Conflict("Not everything arrived. The reasons stand above.")


@contextmanager
def _looking(
    database: Database, signer: Signer | None
) -> Iterator[tuple[Session, Mapping[str, Published]]]:
    """Read the database as of one moment, and what was published before it."""
    published = list_published(database, signer) if signer is not None else {}
    with database.read() as session:
        hold_snapshot(session)
        yield session, published


def _signer() -> Signer:
    return open_signer(key_folder(load_settings()), now=now())


def _describe(session: Session, site: Site) -> tuple[str, str, str, str, str]:
    found = last_checkpoint(session, site)
    waiting, _ = count_waiting(session, site)
    if found is None:
        return (site.key, "0", str(waiting), "never", "")
    last = spell_time(found.sealed_at)
    return (site.key, str(found.size), str(waiting), last, origin_of(found))


def _count_leaves(session: Session, site: Site) -> int:
    query = select(func.count()).select_from(LedgerLeaf).where(LedgerLeaf.site_id == site.id)
    return session.scalar(query) or 0


@contextmanager
def _progress(name: str, total: int) -> Iterator[Callable[[int], None]]:
    with click.progressbar(
        length=total, label=f"Checking {name}", file=sys.stderr, show_pos=True
    ) as bar:
        yield lambda checked: bar.update(checked - bar.pos)
