"""Rewriting options: the site whose pages are rewritten, for `gate` and `proxy`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from consent_server.cli.opening import open_database
from consent_server.cli.site_files import naming, read_site_file
from consent_server.rewriting import RewritePlan, plan_from_version
from consent_server.sites import find_site, find_version, read_config
from consent_server.snapshot import build_snapshot

Command = Callable[..., Any]

site_option = click.option(
    "--site",
    "site",
    required=True,
    metavar="FILE|KEY",
    help="Site file, version file (JSON), or the key of a site that is published here.",
)
script_option = click.option(
    "--script-url",
    help="Address of the site's script, as pages name it.  [default: /w/KEY.js]",
)
strict_option = click.option(
    "--strict",
    is_flag=True,
    help="Hold every host but the site's own and the allowed, also where the site does not say so.",
)


def read_plan(site: str, script_url: str | None, *, strict: bool) -> RewritePlan:
    """Return the plan of a file, or of what is published under a key."""
    file = Path(site)
    wanted = True if strict else None
    if file.suffix == ".json":
        key = plan_from_version(file, "").site
        return plan_from_version(file, script_url or script_path(key), strict=wanted)
    if file.suffix == ".toml" or file.is_file():
        with naming(file):
            config = build_snapshot(read_site_file(file).form)
    else:
        with open_database() as database, database.read() as session:
            found = find_site(session, site)
            config = read_config(find_version(session, found, found.current_version))
    url = script_url or script_path(config["site"])
    return RewritePlan.from_snapshot(config, url, strict=wanted)


def script_path(key: str) -> str:
    """Return where the script lies when the site itself passes it on, as is recommended."""
    return f"/w/{key}.js"
