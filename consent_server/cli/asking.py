"""Asking: who runs a command, and whether they mean it."""

from __future__ import annotations

import getpass
import os
import sys

import click

from consent_server.errors import Conflict


def confirm(question: str, *, yes: bool) -> None:
    """Ask on the terminal; raises Conflict where there is none to ask on."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Conflict("Nothing was changed: there is no terminal to confirm on. Add --yes.")
    click.confirm(question, abort=True)


def author() -> str:
    """Return the name of the operating system's user, who answers for a version."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # Containers often run under a number that has no name.
        return f"uid {os.getuid()}"
