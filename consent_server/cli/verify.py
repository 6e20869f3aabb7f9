"""Verify commands: check what others exported, without a database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from consent_server.cli.progress import telling
from consent_server.rules.times import spell_time
from consent_server.verification.bundle import Outside, Verified, verify_bundle
from consent_server.verification.evidence import check_evidence, read_evidence
from consent_server.verification.findings import Broken, Misbehaved
from consent_server.verification.signatures import parse_key

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option(
    "--key",
    "keys",
    metavar="VKEY",
    multiple=True,
    help="Verifier key of the log or of a witness, from elsewhere. May be given again.",
)
@click.option(
    "--checkpoint",
    "checkpoints",
    type=_FILE,
    multiple=True,
    help="Older checkpoint of the same log, from elsewhere. May be given again.",
)
@click.option(
    "--receipt",
    "receipts",
    type=_FILE,
    multiple=True,
    help="Receipt that a visitor kept. May be given again.",
)
@click.option(
    "--evidence",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write where the log's own signatures contradict each other.",
)
def verify(
    file: Path,
    keys: tuple[str, ...],
    checkpoints: tuple[Path, ...],
    receipts: tuple[Path, ...],
    evidence: Path | None,
) -> None:
    """Check an audit bundle, offline: files, signatures, tree, every record.

    Ends with 0 when all is right, with 1 at the first thing that is not.
    """
    with _reporting(evidence):
        outside = Outside(
            [parse_key(key) for key in keys],
            [(str(path), path.read_bytes()) for path in checkpoints],
            [(str(path), path.read_bytes()) for path in receipts],
        )
        with telling("Checking") as step:
            found = verify_bundle(file, outside, _say, step)
        _conclude(found, outside)


@click.command("verify-evidence")
@click.argument("file", type=_FILE)
@click.option(
    "--key", "keys", metavar="VKEY", multiple=True, help="Verifier key of the log, from elsewhere."
)
def verify_evidence(file: Path, keys: tuple[str, ...]) -> None:
    """Check a file that shows that a log signed two contradicting checkpoints.

    Ends with 0 when the file shows it, with 1 when it does not.
    """
    with _reporting(None):
        claim = check_evidence(read_evidence(file.read_bytes()), [parse_key(key) for key in keys])
        click.echo(_printable(f"Proved: {claim}"))
        if not keys:
            click.echo("Make sure that this is the log's key: give the one you know with --key.")


def _say(line: str) -> None:
    click.echo(_printable(f"ok  {line}"))


def _printable(text: str) -> str:
    """Return a line in which nothing that others wrote begins one of ours, or hides or turns it."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _conclude(found: Verified, outside: Outside) -> None:
    newest = found.newest
    click.echo(
        f"\nThis is what {_printable(newest.origin)} signed on {spell_time(newest.sealed_at)}: "
        f"{newest.size} leaves, root {newest.root.hex()}."
    )
    if not outside.keys:
        click.echo("The key is the bundle's own word. Compare it with one from elsewhere (--key):")
        for key in found.keys.log:
            click.echo(f"  {_printable(key.to_text())}")
    if not outside.checkpoints and not outside.receipts:
        click.echo(
            "Nothing from before was given: if the whole log was rewritten and signed anew, "
            "only an older checkpoint (--checkpoint) or a visitor's receipt (--receipt) shows it."
        )


@contextmanager
def _reporting(evidence: Path | None) -> Iterator[None]:
    """Tell the first failure, keep the evidence that there may be, and end with 1."""
    try:
        yield
    except Broken as error:
        click.echo(_printable(f"FAILED  {error}"), err=True)
        if isinstance(error, Misbehaved):
            _keep(error, evidence)
        raise click.exceptions.Exit(1) from error


def _keep(found: Misbehaved, evidence: Path | None) -> None:
    if evidence is None:
        click.echo("With --evidence FILE this is written down for others to check.", err=True)
        return
    with evidence.open("x", encoding="utf-8") as file:
        json.dump(found.evidence, file, ensure_ascii=False, indent=1)
        file.write("\n")
    click.echo(f"{evidence} shows it to anyone: consent-server audit verify-evidence", err=True)
