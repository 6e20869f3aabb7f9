"""Webhook commands: where a site's own server is told, with which secret, and what waits."""

from __future__ import annotations

import click

from consent_server.cli.asking import confirm
from consent_server.cli.erasing import tell_scrubbed
from consent_server.cli.opening import now, open_database
from consent_server.cli.tables import print_table
from consent_server.config import key_folder, load_settings
from consent_server.erasure import count_untold
from consent_server.rules.times import spell_time
from consent_server.site_secrets import open_site_secrets
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.webhooks import (
    find_webhook,
    list_webhooks,
    remove_webhook,
    retry_deliveries,
    rotate_secret,
    secrets_of,
    set_webhook,
)


@click.group()
def webhook() -> None:
    """Tell a site's own server what visitors changed or withdrew."""


@webhook.command("set")
@click.argument("site_key", metavar="SITE")
@click.argument("url")
@click.option(
    "--every-decision",
    is_flag=True,
    help="Tell first answers, too, which the server sees in the cookie anyway.",
)
def set_command(site_key: str, url: str, every_decision: bool) -> None:
    """Send what changes on SITE to URL, and print the secret that signs it."""
    with open_database() as database:
        with database.write() as session:
            site = find_site(session, site_key)
            set_webhook(session, site, url, every_decision=every_decision, now=now())
        click.echo(f"Decisions on {site_key} are told to {url}. The secret that signs them:")
        _print_secret(database, site_key)


@webhook.command()
@click.argument("site_key", metavar="SITE")
def secret(site_key: str) -> None:
    """Print the secret that signs what SITE's server is told."""
    with open_database() as database:
        _print_secret(database, site_key)


@webhook.command()
@click.argument("site_key", metavar="SITE")
def rotate(site_key: str) -> None:
    """Replace the secret of SITE; the old one signs beside the new one for a day."""
    with open_database() as database:
        with database.write() as session:
            rotate_secret(session, find_site(session, site_key), now=now())
        click.echo("For 24 hours both secrets sign. The new one:")
        _print_secret(database, site_key)


@webhook.command("list")
def list_command() -> None:
    """List every webhook with what waits for it and what was given up."""
    with open_database() as database, database.read() as session:
        states = list_webhooks(session)
    if not states:
        click.echo("No site has a webhook.")
        return
    print_table(
        ("SITE", "URL", "WAITING", "SINCE", "GIVEN UP", "SAID LAST"),
        [
            (
                one.site,
                one.url,
                str(one.waiting),
                spell_time(one.oldest) if one.oldest else "-",
                str(one.given_up),
                one.said or "-",
            )
            for one in states
        ],
    )


@webhook.command()
@click.argument("site_key", metavar="SITE")
def retry(site_key: str) -> None:
    """Try everything that waits for SITE's server, or was given up, once more."""
    with open_database() as database, database.write() as session:
        number = retry_deliveries(session, find_site(session, site_key), now=now())
    if not number:
        click.echo(
            f"Nothing waits for the server of {site_key}, and nothing was given up: "
            "there is nothing to try."
        )
        return
    click.echo(f"{number} {'is' if number == 1 else 'are'} tried by the running server now.")


@webhook.command()
@click.argument("site_key", metavar="SITE")
@click.option("--yes", is_flag=True, help="Remove without asking.")
def remove(site_key: str, yes: bool) -> None:
    """Tell SITE's server nothing any more; what waits for it is deleted."""
    with open_database() as database:
        with database.read() as session:
            url = find_webhook(session, find_site(session, site_key)).url
        confirm(f"Tell {url} nothing any more?", yes=yes)
        with database.write() as session:
            erasures = count_untold(session)
            remove_webhook(session, find_site(session, site_key))
        click.echo(f"{site_key} has no webhook any more.")
        if any(erasures):
            tell_scrubbed(database)


def _print_secret(database: Database, site_key: str) -> None:
    secrets = open_site_secrets(key_folder(load_settings()), now=now())
    with database.read() as session:
        hook = find_webhook(session, find_site(session, site_key))
        click.echo(secrets_of(hook, site_key, secrets, now=now())[0])
