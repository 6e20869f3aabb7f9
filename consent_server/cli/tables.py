"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import click


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their header, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for line in (header, *rows):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def print_fields(fields: Sequence[tuple[str, str]]) -> None:
    """Print names and values below each other; a value may have several lines."""
    width = max(len(name) for name, _ in fields)
    for name, value in fields:
        first, *others = value.splitlines() or [""]
        click.echo(f"{name.ljust(width)}  {first}".rstrip())
        for other in others:
            click.echo(f"{' ' * width}  {other}")
