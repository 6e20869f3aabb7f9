"""Command line: a command speaks and owns the transaction, plain functions do the work."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

from consent_server import __version__
from consent_server.cli.problems import ReportingGroup

__all__ = ["main"]

#: Each command and the module that has it: a server needs one of them in its memory.
_MODULES: Final = {
    "audit": "audit",
    "bench": "bench",
    "catalogue": "catalogue",
    "database": "operation",
    "demo": "run",
    "doctor": "doctor",
    "erase": "erasing",
    "gate": "gate",
    "languages": "languages",
    "ledger": "ledger",
    "proxy": "proxy",
    "retention": "retention",
    "run": "run",
    "site": "site",
    "token": "operation",
    "webhook": "webhook",
    "witness": "witness",
}


class Commands(ReportingGroup):
    """The commands, each loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names."""
        return sorted(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a name; None for a name that is none."""
        module = _MODULES.get(cmd_name)
        if module is None:
            return None
        found: click.Command = getattr(import_module(f"{__name__}.{module}"), cmd_name)
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="consent-server")
def main() -> None:
    """Hold every tag until consent, record each decision, prove it later.

    Settings come from CONSENT_* variables; the database is CONSENT_DATABASE_URL.
    """
