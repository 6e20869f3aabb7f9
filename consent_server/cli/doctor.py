"""Doctor command: green or red for each thing, and what to do."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict

import click

from consent_server.cli.opening import now, open_database
from consent_server.config import load_settings
from consent_server.doctor import Finding, examine_server, looking
from consent_server.doctor_sites import examine_sites
from consent_server.store.database import Database


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(as_json: bool) -> None:
    """Look whether everything is right; code 1 where something is not."""
    found = []
    for finding in _examine():
        found.append(finding)
        if not as_json:
            _tell(finding)
    good = all(finding.good for finding in found)
    if as_json:
        findings = [asdict(finding) for finding in found]
        click.echo(json.dumps({"good": good, "findings": findings}, indent=1))
    elif good:
        click.echo("Everything is right.")
    else:
        wrong = sum(not finding.good for finding in found)
        click.echo(f"{wrong} of {len(found)} {'is' if wrong == 1 else 'are'} not right.")
    if not good:
        sys.exit(1)


def _examine() -> Iterator[Finding]:
    """Give every finding; where the database cannot be opened, that one alone."""
    settings = load_settings()
    opened: list[Database] = []
    with ExitStack() as stack:

        def open_it() -> Finding:
            database = stack.enter_context(open_database())
            opened.append(database)
            kind = "SQLite" if database.is_sqlite else "PostgreSQL"
            return Finding("database", True, f"{kind} answers, with this release's schema.")

        yield from looking("database", open_it)
        for database in opened:
            yield from examine_server(settings, database, now=now())
            yield from examine_sites(settings, database, now=now())


def _tell(finding: Finding) -> None:
    # The words say it too: colours are for terminals only, and not for everybody.
    mark = click.style("good", fg="green") if finding.good else click.style("bad ", fg="red")
    click.echo(f"{mark}  {finding.name}: {finding.said}")
    if finding.todo:
        click.echo(f"      -> {finding.todo}")
