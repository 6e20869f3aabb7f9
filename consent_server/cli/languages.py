"""Languages command: what a site may be shown in."""

from __future__ import annotations

import click

from consent_server.cli.tables import print_table
from consent_server.languages import list_languages


@click.command()
def languages() -> None:
    """List the languages: how complete their texts are, and who has read them."""
    print_table(
        ("CODE", "NAME", "COMPLETE", "REVIEW"),
        [(one.code, one.name, f"{one.complete} %", one.review) for one in list_languages()],
    )
