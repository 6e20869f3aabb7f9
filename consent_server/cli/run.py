"""Run: the server, and the demo."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import click

from consent_server.cli.opening import prepare_server
from consent_server.cli.serving import find_address, serve
from consent_server.config import Settings, load_settings
from consent_server.targets import parse_targets
from consent_server.witness import check_witness

_host = click.option("--host", help="Address to listen on.  [default: CONSENT_HOST or 127.0.0.1]")
_port = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one.  [default: CONSENT_PORT or 8000]",
)


@click.command()
@_host
@_port
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    help="Requests answered at the same time.  [default: CONSENT_THREADS or 16]",
)
def run(host: str | None, port: int | None, threads: int | None) -> None:
    """Bring the database up to date, then serve."""
    settings = load_settings(host=host, port=port, threads=threads)
    _check_places(settings)
    settings = find_address(settings)
    prepare_server(settings)
    click.echo(f"Serving on {_origin(settings)}")
    if not settings.api_token:
        click.echo("The management API is off: CONSENT_API_TOKEN is not set.", err=True)
    serve(settings)
    click.echo("Stopped.")


@click.command()
@_host
@_port
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/demo"),
    show_default=True,
    help="Folder of the demo's database; made when it is not there.",
)
def demo(host: str | None, port: int | None, data: Path) -> None:
    """Serve five demo sites, to see and to click."""
    from consent_server.cli.demo_sites import publish_demo_sites  # noqa: PLC0415 (only the demo)

    data.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{data.absolute() / 'consent.sqlite'}"
    keys = str(data.absolute() / "keys")
    settings = find_address(
        load_settings(host=host, port=port, database_url=url, key_folder=keys, demo=True)
    )
    prepare_server(settings)
    published = publish_demo_sites(settings)
    if published:
        click.echo(f"Published {', '.join(published)}.")
    click.echo(
        f"Open {_origin(settings)}/ to see the demo sites and to click.\n"
        "What was recorded, as a file:\n"
        f"  CONSENT_DATABASE_URL={shlex.quote(url)} "
        f"{_program()} audit export --site smilee -o smilee.csv\n"
        "Ctrl-C stops."
    )
    serve(settings)
    click.echo("Stopped.")


def _check_places(settings: Settings) -> None:
    """Refuse a place outside that is spelled wrongly before anything is served."""
    parse_targets(settings.checkpoint_targets)
    check_witness(settings)


def _program() -> str:
    """Return how a shell calls this program: it may not be on the PATH."""
    found = "consent-server"
    return found if shutil.which(found) else str(Path(sys.executable).with_name(found))


def _origin(settings: Settings) -> str:
    """Return the address to open: the wildcard addresses are none."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"http://{host}:{settings.port}"
