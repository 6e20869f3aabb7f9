"""Witness commands: this server's own key as a witness, what it cosigned, and pushing to others."""

from __future__ import annotations

import click

from consent_server.cli.ledger import ledger
from consent_server.cli.opening import now, open_database
from consent_server.cli.pushes import push
from consent_server.cli.tables import print_table
from consent_server.config import key_folder, load_settings
from consent_server.errors import ConfigError, Conflict, ConsentError
from consent_server.pushing import find_waiting
from consent_server.rules.times import spell_time
from consent_server.targets import parse_targets
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
