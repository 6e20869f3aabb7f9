"""Witness commands: this server's own key as a witness, and what it cosigned."""

from __future__ import annotations

import click

from consent_server.cli.opening import now, open_database
from consent_server.cli.tables import print_table
from consent_server.config import key_folder, load_settings
from consent_server.errors import ConfigError
from consent_server.rules.times import spell_time
from consent_server.witness import list_witnessed, open_cosigner


@click.group()
def witness() -> None:
    """Watch the logs of others: see that they only ever grow."""


@witness.command()
def key() -> None:
    """Print the key of this witness, for the logs that ask it."""
    settings = load_settings()
    if not settings.witness_name:
        raise ConfigError(
            "Set CONSENT_WITNESS_NAME to a name of this witness, such as witness.example.com."
        )
    cosigner = open_cosigner(key_folder(settings), settings.witness_name, now=now())
    click.echo(cosigner.verifier.to_text())


@witness.command()
def logs() -> None:
    """List what this witness cosigned last of each log."""
    with open_database() as database, database.read() as session:
        rows = [
            (one.origin, str(one.size), spell_time(one.cosigned_at), one.root.hex())
            for one in list_witnessed(session)
        ]
    if not rows:
        click.echo("Nothing was cosigned yet.")
        return
    print_table(("LOG", "SIZE", "COSIGNED", "ROOT"), rows)
