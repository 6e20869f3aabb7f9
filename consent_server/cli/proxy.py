"""Proxy: the pages of a site in any language, held on their way through."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from consent_server.cli.rewriting import (
    read_plan,
    script_option,
    script_path,
    site_option,
    strict_option,
)
from consent_server.cli.serving import end_with_parent, find_address, serve_asgi
from consent_server.config import Settings, is_address, load_settings
from consent_server.errors import ConfigError
from consent_server.rewriting import AsgiConsentMiddleware, DatabasePlans, PlanSource
from consent_server.store.database import Database


@click.command()
@click.option("--upstream", required=True, metavar="URL", help="The site's own server.")
@site_option
@script_option
@strict_option
@click.option("--policy", is_flag=True, help="Send a content security policy before a decision.")
@click.option("--host", help="Address to listen on.  [default: CONSENT_HOST or 127.0.0.1]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one.  [default: CONSENT_PORT or 8000]",
)
def proxy(
    upstream: str,
    site: str,
    script_url: str | None,
    strict: bool,
    policy: bool,
    host: str | None,
    port: int | None,
) -> None:
    """Pass a site on with the trackers in its pages held."""
    if not is_address(upstream):
        raise click.UsageError("--upstream is an address such as http://127.0.0.1:3000.")
    if not (find_spec("httpx") and find_spec("wsproto")):
        raise ConfigError("The proxy needs more packages: pip install 'consent-server[proxy]'")
    # Read here already: what is wrong with it stops the start.
    read_plan(site, script_url, strict=strict)
    settings = find_address(load_settings(host=host, port=port))
    load = partial(_load, settings, upstream, site, script_url, strict=strict, policy=policy)
    click.echo(f"Passing {upstream} on at http://{settings.host}:{settings.port}")
    serve_asgi(settings, load)
    click.echo("Stopped.")


def _load(
    settings: Settings,
    upstream: str,
    site: str,
    script_url: str | None,
    *,
    strict: bool,
    policy: bool,
) -> Any:
    """Build the application inside the worker process."""
    # Only this command needs httpx and wsproto.
    from consent_server.cli.forwarding import Forwarder  # noqa: PLC0415

    end_with_parent()
    source = _plan_source(settings, site, script_url, strict=strict)
    return AsgiConsentMiddleware(Forwarder(upstream), source, policy=policy)


def _plan_source(
    settings: Settings, site: str, script_url: str | None, *, strict: bool
) -> PlanSource:
    if Path(site).suffix in {".toml", ".json"} or Path(site).is_file():
        plan = read_plan(site, script_url, strict=strict)
        return lambda: plan
    url = script_url or script_path(site)
    return DatabasePlans(Database(settings.database_url), site, url, strict=strict or None)
