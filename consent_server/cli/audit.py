"""Audit commands: take the record out, for those who check it."""

from __future__ import annotations

import filecmp
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import click
from sqlalchemy.orm import Session

from consent_server.audit import (
    Record,
    count_records,
    export_records,
    hold_snapshot,
    versions_of,
    write_csv,
    write_jsonl,
)
from consent_server.cli.opening import open_database
from consent_server.cli.verify import verify, verify_evidence
from consent_server.errors import Conflict
from consent_server.rules.times import NotATime, parse_time
from consent_server.sites import find_site
from consent_server.store.models import Site

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Bound(click.ParamType[datetime]):
    """A date (its midnight in UTC) or an RFC 3339 time."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read the bound, or end with what was expected."""
        text = str(value)
        try:
            return parse_time(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)
        except NotATime as error:
            hint = "Write a date such as 2026-11-22, or a time such as 2026-11-22T16:47:00Z."
            self.fail(f"{error.detail} {hint}", param, ctx)


@click.group()
def audit() -> None:
    """Take the record out, for those who check it; check what others took out."""


audit.add_command(verify)
audit.add_command(verify_evidence)


@audit.command()
@click.option("--site", "site_key", required=True, help="Key of the site.")
@click.option("--from", "since", type=Bound(), help="Received at this time or later.")
@click.option("--to", "until", type=Bound(), help="Received before this time.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    help="Form of the records.  [default: as FILE ends, else jsonl]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    required=True,
    help="File to write; the versions go beside it as FILE's name with .versions.jsonl.",
)
@click.option("--force", is_flag=True, help="Replace files that exist.")
def export(
    site_key: str,
    since: datetime | None,
    until: datetime | None,
    form: str | None,
    output: Path,
    force: bool,
) -> None:
    """Write every record of a site, and the versions that they name.

    The files appear when they are complete, readable for you only: they hold personal
    data. In CSV, a cell that a spreadsheet would run begins with an apostrophe; to read
    it back, take off one leading apostrophe.
    """
    if since and until and since >= until:
        raise click.UsageError("--from must lie before --to.")
    form = form or ("csv" if output.suffix == ".csv" else "jsonl")
    beside = output.with_name(f"{output.stem}.versions.jsonl")
    if output.exists() and not force:
        raise refusal(output)
    with open_database() as database, database.read() as session:
        hold_snapshot(session)
        site = find_site(session, site_key)
        with (
            replacing(output, force=force) as file,
            replacing(beside, force=force) as versions_file,
        ):
            written = _write_records(session, site, since, until, form, file)
            versions = 0
            for line in write_jsonl(versions_of(session, site, since, until)):
                versions += line.count(b"\n")
                versions_file.write(line)
    click.echo(
        f"{written} {'record' if written == 1 else 'records'} in {output}, "
        f"{versions} {'version' if versions == 1 else 'versions'} in {beside}.",
        err=True,
    )


@contextmanager
def replacing(target: Path, *, force: bool) -> Iterator[BinaryIO]:
    """Open a file that becomes `target` once it is complete, or leaves no trace.

    Raises Conflict when there is a file of that name with something else in it.
    """
    descriptor, name = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.name}.", suffix=".part"
    )
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # The same period as CSV and as JSON lines has the same versions beside it.
        if not force and target.exists() and not filecmp.cmp(part, target, shallow=False):
            raise refusal(target)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def refusal(target: Path) -> Conflict:
    """Return the error that says that a file is in the way."""
    return Conflict(f"{target} exists. Choose another name, or replace it with --force.")


def _write_records(
    session: Session,
    site: Site,
    since: datetime | None,
    until: datetime | None,
    form: str,
    file: BinaryIO,
) -> int:
    total = count_records(session, site, since, until)
    written = 0
    write = write_csv if form == "csv" else write_jsonl
    with click.progressbar(
        length=total,
        label=f"Exporting {site.key}",
        file=sys.stderr,
        show_pos=True,
        update_min_steps=max(1, total // 200),
    ) as bar:

        def counted(records: Iterable[Record]) -> Iterator[Record]:
            nonlocal written
            for record in records:
                yield record
                written += 1
                bar.update(1)

        for chunk in write(counted(export_records(session, site, since, until))):
            file.write(chunk)
    return written
