"""Audit commands: take the record out, for those who check it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Final

import click
from sqlalchemy.orm import Session

from consent_server.audit import (
    Record,
    count_records,
    export_records,
    hold_snapshot,
    versions_of,
    write_jsonl,
)
from consent_server.bundle.selection import Selection, note_export
from consent_server.cli.asking import author
from consent_server.cli.opening import now, open_database, open_follower, reading_records
from consent_server.cli.parquet import load_parquet, write_parquet
from consent_server.cli.progress import telling
from consent_server.cli.replacing import check_apart, check_free, replacing
from consent_server.config import key_folder, load_settings
from consent_server.errors import ConfigError
from consent_server.following import await_event
from consent_server.record_lines import export_lines
from consent_server.rules.decision import SUBJECT_ID
from consent_server.rules.receipt import subject_key
from consent_server.rules.times import NotATime, parse_time
from consent_server.signing import open_signer
from consent_server.sites import find_site, find_version
from consent_server.store.database import Database
from consent_server.store.models import Site
from consent_server.targets import witness_keys

_FORMS = ["bundle", "csv", "jsonl", "parquet"]
_ENDINGS = {".csv": "csv", ".parquet": "parquet", ".zip": "bundle"}
_VERIFY: Final = "consent_server.cli.verify"
_CHECKS: Final = {"verify": "verify", "verify-evidence": "verify_evidence"}
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


class Subject(click.ParamType[bytes]):
    """A subject id, or its SHA-256: what the database keeps of it."""

    name = "hex"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """Return the SHA-256, or end with what was expected."""
        text = str(value).lower()
        if not re.fullmatch(r"([0-9a-f]{32}){1,2}", text, re.ASCII):
            self.fail("Expected a subject id (32 hex digits) or its SHA-256 (64).", param, ctx)
        return subject_key(text) if SUBJECT_ID.fullmatch(text) else bytes.fromhex(text)


class _Commands(click.Group):
    """Those that check are loaded when they are asked for: an export has no use for them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_CHECKS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _CHECKS:
            return super().get_command(ctx, cmd_name)
        found: click.Command = getattr(import_module(_VERIFY), _CHECKS[cmd_name])
        return found


@click.group(cls=_Commands)
def audit() -> None:
    """Take the record out, for those who check it; check what others took out."""


@audit.command()
@click.option("--site", "site_key", required=True, help="Key of the site.")
@click.option("--from", "since", type=Bound(), help="Received at this time or later.")
@click.option("--to", "until", type=Bound(), help="Received before this time.")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMS),
    help="Form of the export.  [default: as FILE ends, else jsonl]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    required=True,
    help="File to write; unless it is a bundle, the versions go beside it (.versions.jsonl).",
)
@click.option(
    "--version",
    "versions",
    type=click.IntRange(1),
    multiple=True,
    help="Only records of this version; may be given again. Bundles only.",
)
@click.option("--subject", type=Subject(), help="Only records of this subject id. Bundles only.")
@click.option(
    "--no-screenshots",
    is_flag=True,
    help="Do not take the screenshots that are missing. Bundles only.",
)
@click.option(
    "--read-from",
    "follower",
    metavar="ADDRESS",
    help="Read from this standby; only the note of the export goes to CONSENT_DATABASE_URL.",
)
@click.option("--force", is_flag=True, help="Replace files that exist.")
def export(
    site_key: str,
    since: datetime | None,
    until: datetime | None,
    form: str | None,
    output: Path,
    versions: tuple[int, ...],
    subject: bytes | None,
    no_screenshots: bool,
    follower: str | None,
    force: bool,
) -> None:
    """Write every record of a site, and the versions that they name.

    A bundle is one zip with all that an auditor needs, and checked with: consent-server
    audit verify FILE. The ledger notes each export.

    Files appear when they are complete, readable for you only: they hold personal data.
    In CSV, a cell that a spreadsheet would run begins with an apostrophe; to read it back,
    take off one leading apostrophe.
    """
    if str(output) == "-":
        raise click.UsageError("Name a file: there may be two, and they hold personal data.")
    if since and until and since >= until:
        raise click.UsageError("--from must lie before --to.")
    form = form or _ENDINGS.get(output.suffix, "jsonl")
    selection = Selection(since, until, versions, subject)
    check_apart(output, _beside(output))
    check_free(output, force=force)
    if form == "bundle":
        take = not no_screenshots
        _export_bundle(site_key, selection, output, follower, force=force, take=take)
        return
    if versions or subject:
        raise click.UsageError("--version and --subject are for --format bundle.")
    if form == "parquet":
        load_parquet()
    _export_records(site_key, selection, form, output, follower, force=force)


def _export_bundle(
    site_key: str,
    selection: Selection,
    output: Path,
    follower: str | None,
    *,
    force: bool,
    take: bool,
) -> None:
    # What only a bundle needs; records alone are exported with less.
    from consent_server.bundle.export import export_bundle  # noqa: PLC0415

    settings = load_settings()
    signer = open_signer(key_folder(settings), now=now())
    witnesses = witness_keys(settings.checkpoint_targets)
    with (
        open_database() as database,
        open_follower(follower) as opened,
        replacing(output, force=force) as file,
        telling("Exporting") as tell,
        reading_records(site_key),
    ):
        with database.read() as session:
            site = find_site(session, site_key)
            for number in selection.versions:
                find_version(session, site, number)
        if take:
            _photograph(database, site_key, selection)
        done = export_bundle(
            database,
            signer,
            site_key,
            selection,
            file,
            actor=author(),
            clock=now,
            witnesses=witnesses,
            tell=tell,
            follower=opened,
        )
    click.echo(f"{_count(done.records, 'record')} of {done.leaves} leaves in {output}.", err=True)
    if done.missing_pictures:
        click.echo(
            f"{_count(done.missing_pictures, 'screenshot')} missing: make them with "
            f"consent-server site screenshots {site_key}, and export again.",
            err=True,
        )


def _photograph(database: Database, site_key: str, selection: Selection) -> None:
    """Take the screenshots that are missing, where that can be done."""
    from consent_server.cli.photographs import take_pictures  # noqa: PLC0415
    from consent_server.cli.screenshots import find_missing  # noqa: PLC0415

    missing = find_missing(database, site_key, selection.versions)
    if not missing:
        return
    try:
        taken = take_pictures(database, site_key, missing)
        click.echo(f"{_count(taken, 'screenshot')} taken.", err=True)
    except ConfigError as error:
        click.echo(error.detail, err=True)


def _beside(output: Path) -> Path:
    """Return the file of the versions that the records of `output` name."""
    return output.with_name(f"{output.stem}.versions.jsonl")


def _export_records(
    site_key: str,
    selection: Selection,
    form: str,
    output: Path,
    follower: str | None,
    *,
    force: bool,
) -> None:
    beside = _beside(output)
    since, until = selection.since, selection.until
    with open_database() as database, open_follower(follower) as opened:
        with database.write() as session:
            site = find_site(session, site_key)
            noted = note_export(session, site, form, selection, actor=author(), now=now())
        if opened is not None:
            await_event(opened, site_key, noted)
        with (
            (opened or database).read() as session,
            replacing(output, force=force) as file,
            replacing(beside, force=force) as versions_file,
            reading_records(site_key),
        ):
            hold_snapshot(session)
            site = find_site(session, site_key)
            written = _write_records(session, site, since, until, form, file)
            versions = 0
            for line in write_jsonl(versions_of(session, site, since, until)):
                versions += line.count(b"\n")
                versions_file.write(line)
    click.echo(
        f"{_count(written, 'record')} in {output}, {_count(versions, 'version')} in {beside}.",
        err=True,
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


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

        if form == "parquet":
            write_parquet(counted(export_records(session, site, since, until)), file)
        else:
            for number, lines in export_lines(session, site, form, since, until):
                file.write(lines)
                written += number
                bar.update(number)
    return written
