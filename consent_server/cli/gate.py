"""Gate: the trackers in a static site's pages made inert, with a report."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click

from consent_server.cli.rewriting import read_plan, script_option, site_option, strict_option
from consent_server.cli.static_pages import (
    Report,
    StaticFile,
    check_output,
    copy_file,
    find_files,
    rewrite_file,
)
from consent_server.cli.tables import print_table
from consent_server.rewriting import RewritePlan

#: Fewer files are done before a bar would be drawn.
_MANY_FILES = 100


@click.command()
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    metavar="FILES_OR_FOLDERS...",
    type=click.Path(exists=True, path_type=Path),
)
@site_option
@script_option
@strict_option
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the whole site to this folder, pages rewritten, other files copied.",
)
@click.option("--in-place", is_flag=True, help="Rewrite the pages where they are.")
def gate(
    paths: tuple[Path, ...],
    site: str,
    script_url: str | None,
    strict: bool,
    output: Path | None,
    in_place: bool,
) -> None:
    """Hold the trackers in HTML files; without --output or --in-place, only say which."""
    if output and in_place:
        raise click.UsageError("Give --output or --in-place, not both.")
    plan = read_plan(site, script_url, strict=strict)
    files = find_files(paths)
    if output:
        check_output(files, output, paths)
    reports = list(_rewrite_all(files, plan, output, in_place=in_place))
    for report in reports:
        for line in _describe(report):
            click.echo(line)
    _sum_up(reports)
    if not (output or in_place):
        click.echo("Nothing was written. Write with --output FOLDER or --in-place.")


def _rewrite_all(
    files: list[StaticFile], plan: RewritePlan, output: Path | None, *, in_place: bool
) -> Iterable[Report]:
    hidden = len(files) < _MANY_FILES or not sys.stderr.isatty()
    with click.progressbar(files, label="Rewriting", file=sys.stderr, hidden=hidden) as shown:
        for file in shown:
            target = output / file.place if output else file.path if in_place else None
            left = file.why_left(in_place=in_place)
            if left:
                yield Report(file, Counter(), False, False, left, is_read=False)
            elif file.is_page or file.is_script:
                yield rewrite_file(file, plan, target)
            elif output:
                copy_file(file, output / file.place)


def _describe(report: Report) -> list[str]:
    name = str(report.file.path)
    if report.left:
        return [f"{name}: left as it is, {report.left}"]
    if not report.is_changed:
        return []
    lines = [f"{name}:{' tag put in' if report.tag_put_in else ''}"]
    for key in sorted({key for _, key in report.changes}):
        elements = [
            f"{count} {element}"
            for (element, found), count in sorted(report.changes.items())
            if found == key
        ]
        lines.append(f"  {key.removeprefix('service:')}: {', '.join(elements)}")
    return lines


def _sum_up(reports: list[Report]) -> None:
    changed = [report for report in reports if report.is_changed]
    found: Counter[str] = Counter()
    pages: Counter[str] = Counter()
    for report in reports:
        for (_, key), count in report.changes.items():
            found[key.removeprefix("service:")] += count
        pages.update({key.removeprefix("service:") for _, key in report.changes})
    if found:
        click.echo()
        rows = [(key, str(count), str(pages[key])) for key, count in sorted(found.items())]
        print_table(("SERVICE", "HELD", "PAGES"), rows)
        click.echo()
    copies = sum(one.file.is_packed for one in changed)
    plain = [one for one in reports if one.is_read and one.file.is_page and not one.file.is_packed]
    kept = sum(one.is_changed for one in plain)
    click.echo(f"{len(plain)} pages read, {kept} of them changed.")
    if len(changed) > kept + copies:
        click.echo(f"Modules changed: {len(changed) - kept - copies}.")
    if copies:
        click.echo(f"Compressed copies changed: {copies}.")
