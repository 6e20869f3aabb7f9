"""Operation commands: the database's schema and files, and tokens."""

from __future__ import annotations

import secrets

import click

from consent_server.cli.backup import backup, restore
from consent_server.cli.erasing import tell_scrubbed
from consent_server.cli.keeping import Keeper
from consent_server.cli.opening import open_database, prepare_database
from consent_server.config import load_settings


@click.group("database")
def database() -> None:
    """Look after the database."""


database.add_command(backup)
database.add_command(restore)


@database.command()
def upgrade() -> None:
    """Bring the database up to date with this release."""
    prepare_database(load_settings())
    with open_database() as opened:
        Keeper(opened, rest=0).run()
    click.echo("The database is up to date.")


@database.command("scrub")
def scrub_command() -> None:
    """Take erased rows out of the database's files."""
    with open_database() as opened:
        tell_scrubbed(opened)


@click.command()
def token() -> None:
    """Print a new token for CONSENT_API_TOKEN."""
    click.echo(secrets.token_urlsafe(32))
