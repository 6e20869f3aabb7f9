"""Erase: what links records to one visitor, for the operator whom they asked."""

from __future__ import annotations

import click

from consent_server.cli.asking import author, confirm
from consent_server.cli.opening import now, open_database
from consent_server.erasure import check_reason, count_subject, count_untold, erase_subject
from consent_server.rules.decision import SUBJECT_ID
from consent_server.sites import find_site
from consent_server.store.database import Database
from consent_server.store.scrubbing import scrub


class Subject(click.ParamType[str]):
    """A subject id, as the decision cookie has it."""

    name = "hex"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Read the id, or end with what was expected."""
        text = str(value).strip().lower()
        if not SUBJECT_ID.fullmatch(text):
            self.fail("Expected 32 hex digits, from the visitor's decision cookie.", param, ctx)
        return text


@click.command()
@click.option("--site", "site_key", required=True, help="Key of the site.")
@click.option(
    "--subject", type=Subject(), required=True, help="The visitor's subject id: 32 hex digits."
)
@click.option(
    "--reason",
    required=True,
    help="Why; it stays in the ledger for ever, so it must name nobody.",
)
@click.option("--yes", is_flag=True, help="Erase without asking.")
def erase(site_key: str, subject: str, reason: str, yes: bool) -> None:
    """Erase what links records to one visitor; the records and their hashes stay."""
    check_reason(reason, subject)
    with open_database() as database:
        with database.read() as session:
            linked = count_subject(session, find_site(session, site_key), subject)
        if not linked:
            click.echo(f"No record of {site_key} is linked to this subject id. Nothing to erase.")
            return
        click.echo(
            f"{_records(linked)} of {site_key} will no longer be linked to this visitor. "
            "Nobody can undo that."
        )
        confirm("Erase?", yes=yes)
        with database.write() as session:
            site = find_site(session, site_key)
            erased = erase_subject(session, site, subject, actor=author(), reason=reason, now=now())
        click.echo(f"Erased what linked {_records(erased)} to the visitor.")
        tell_scrubbed(database)
    click.echo(
        "What stays: the records and their hashes, which no longer say whose they are, and an\n"
        "entry in the ledger with the reason.\n"
        "What this cannot reach: backups and exports that were taken before. Delete them when\n"
        "their time is over, and erase again after restoring one."
    )


def tell_scrubbed(database: Database) -> None:
    """Take what was erased out of the files, and say what could not be reached."""
    missed = scrub(database)
    for one in missed:
        click.echo(f"Not reached: {one}.", err=True)
    with database.read() as session:
        waiting, given_up = count_untold(session)
    where = "table" if missed else "file"
    but = _untold(waiting, given_up) if waiting or given_up else "."
    click.echo(f"No {where} of the database holds what was erased any more{but}")
    if not database.is_sqlite:
        click.echo("An archive of the write-ahead log and standbys keep what they are set to keep.")


def _untold(waiting: int, given_up: int) -> str:
    return (
        ", but for the\nhashed subject id in webhooks that tell sites' own servers of erasures: "
        f"{waiting} of them {'waits' if waiting == 1 else 'wait'},\n"
        f"{given_up} {'was' if given_up == 1 else 'were'} given up. A running server delivers them "
        "and takes each out of the files within an\nhour after it arrived; one that was given up "
        "stays for a month, unless you have it tried\nagain (consent-server webhook retry)."
    )


def _records(number: int) -> str:
    return f"{number} {'record' if number == 1 else 'records'}"
