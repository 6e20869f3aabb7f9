"""Identify command: the secret with which a site's own server says who is signed in."""

from __future__ import annotations

import click

from consent_server.cli.opening import now, open_database
from consent_server.config import key_folder, load_settings
from consent_server.site_secrets import open_site_secrets
from consent_server.sites import find_site


@click.command("identify-secret")
@click.argument("site_key", metavar="SITE")
def identify_secret(site_key: str) -> None:
    """Print the secret with which SITE's server signs who is signed in."""
    with open_database() as database, database.read() as session:
        found = find_site(session, site_key).key
    secrets = open_site_secrets(key_folder(load_settings()), now=now())
    click.echo(secrets.identify_secret(found))
