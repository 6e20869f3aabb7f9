"""Command line: a command speaks and owns the transaction, plain functions do the work."""

from __future__ import annotations

import click

from consent_server import __version__
from consent_server.cli.audit import audit
from consent_server.cli.backup import backup, restore
from consent_server.cli.bench import bench
from consent_server.cli.catalogue import catalogue
from consent_server.cli.doctor import doctor
from consent_server.cli.erasing import erase
from consent_server.cli.gate import gate
from consent_server.cli.identify import identify_secret
from consent_server.cli.languages import languages
from consent_server.cli.ledger import ledger
from consent_server.cli.operation import database, token
from consent_server.cli.problems import ReportingGroup
from consent_server.cli.proxy import proxy
from consent_server.cli.retention import retention
from consent_server.cli.run import demo, run
from consent_server.cli.screenshots import screenshots
from consent_server.cli.site import site
from consent_server.cli.webhook import webhook
from consent_server.cli.witness import witness

__all__ = ["main"]


@click.group(cls=ReportingGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="consent-server")
def main() -> None:
    """Hold every tag until consent, record each decision, prove it later.

    Settings come from CONSENT_* variables; the database is CONSENT_DATABASE_URL.
    """


for command in (
    *(run, demo, site, audit, erase, retention, ledger, witness, webhook),
    *(catalogue, languages, gate, proxy, token, database, doctor, bench),
):
    main.add_command(command)
for command in (backup, restore):
    database.add_command(command)
site.add_command(screenshots)
site.add_command(identify_secret)
