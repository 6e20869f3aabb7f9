"""Retention commands: what records outlived their time, for the operator to see and do."""

from __future__ import annotations

from collections.abc import Iterable

import click

from consent_server.cli.erasing import tell_scrubbed
from consent_server.cli.opening import now, open_database
from consent_server.cli.tables import print_table
from consent_server.cli.upkeep import run_retention
from consent_server.errors import Conflict
from consent_server.retention import Outlived, find_outlived
from consent_server.rules.times import spell_time

_NO_RULES = (
    "No site has a rule: each record says whose it is until somebody erases that. Make one:\n"
    'keep_records = "2y" at the top of a site file, then consent-server site apply FILE.'
)


@click.group()
def retention() -> None:
    """Erase by age what links records to visitors."""


@retention.command("run")
@click.option("--dry-run", is_flag=True, help="Count only; erase nothing.")
def run_command(dry_run: bool) -> None:
    """Erase the links that sites keep no longer, as a server does each hour."""
    with open_database() as database:
        if dry_run:
            with database.read() as session:
                found = find_outlived(session, now=now())
            _tell(found)
            if found:
                click.echo("Nothing was erased.")
            return
        done = run_retention(database)
        if done is None:
            raise Conflict("Another server is erasing by age just now. Nothing is left to do here.")
        if not done:
            with database.read() as session:
                has_rules = bool(find_outlived(session, now=now()))
            click.echo("No record has outlived its time." if has_rules else _NO_RULES)
            return
        _tell(done)
        tell_scrubbed(database)


def _tell(found: Iterable[Outlived]) -> None:
    rows = [(one.site, one.kept, spell_time(one.before), str(one.records)) for one in found]
    if not rows:
        click.echo(_NO_RULES)
        return
    print_table(("SITE", "KEPT", "RECEIVED BEFORE", "RECORDS"), rows)
