"""Bench: what this machine and this database can do, by the real server under load."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from sqlalchemy import text

from consent_server import __version__
from consent_server.cli.bench_server import SITE, BenchServer, bench_server
from consent_server.config import check_database_url

_JSON = "Content-Type: application/json\r\n"
_BROTLI = "Accept-Encoding: br\r\n"
#: Long enough for the threads and the journal to be there.
_WARM_UP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Asked:
    """One line of the report."""

    name: str
    connections: int
    head: str
    status: int
    decision: dict[str, Any] | None = None


@click.command()
@click.option(
    "--database",
    metavar="URL",
    help="An empty database to try.  [default: a SQLite file beside CONSENT_DATABASE_URL's]",
)
@click.option(
    "--seconds",
    type=click.IntRange(1, 10),
    default=5,
    show_default=True,
    help="How long each of the four parts takes.",
)
@click.option(
    "--connections",
    type=click.IntRange(1, 256),
    default=64,
    show_default=True,
    help="Browsers that ask at the same time.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def bench(database: str | None, seconds: int, connections: int, as_json: bool) -> None:
    """Measure this machine with a server and a database that are gone afterwards."""
    if database is not None:
        check_database_url(database, "--database")
    with bench_server(database) as server:
        report = _measure(server, seconds, connections)
    if as_json:
        click.echo(json.dumps(report, indent=1))
        return
    click.echo("\n".join(_spell(report)))


def _measure(server: BenchServer, seconds: int, connections: int) -> dict[str, Any]:
    parts = _parts(server.port, connections)
    _ask(server.port, parts[1], _WARM_UP_SECONDS)
    idle, before, size = server.memory_bytes(), server.stored(), server.disk_bytes()
    lines, recorded = [], 0
    for part in parts:
        found = _ask(server.port, part, seconds)
        lines.append({"what": part.name, "connections": part.connections, **found})
        recorded += found.pop("answers") if part.decision else 0
    loaded, stored = server.memory_bytes(), server.stored() - before
    if stored != recorded:
        raise click.ClickException(
            f"{recorded} decisions were acknowledged, but {stored} are stored."
        )
    return {
        "lines": [{k: v for k, v in line.items() if k != "answers"} for line in lines],
        "stored": stored,
        "bytes_per_decision": round((server.disk_bytes() - size) / max(stored, 1)),
        "memory_before_bytes": idle,
        "memory_after_bytes": loaded,
        "machine": _machine(server),
    }


def _parts(port: int, connections: int) -> list[_Asked]:
    address = f"/w/{SITE}"
    script, proof = _fetch_script(port, address)
    shown = json.loads(script.rpartition("})(")[2].removesuffix(");"))
    version = json.loads(_fetch(port, f"{address}/versions/{shown['version']}"))["config"]
    optional = [one for one in version["categories"] if one["key"] != "necessary"]
    grants = {key: False for one in optional for key in (one["key"], *one["services"])}
    decision = {
        "method": "reject_all",
        "layer": "notice",
        "version": shown["version"],
        "script": shown["script"],
        "language": version["languages"][0],
        "grants": grants,
    }
    request = urllib.request.Request(f"http://127.0.0.1:{port}{address}.js")
    request.add_header("Accept-Encoding", "br")
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (our own server)
        known = f"{_BROTLI}If-None-Match: {answer.headers['ETag']}\r\n"
    path = f"{address}/decisions?proof={proof}"
    post = _head("POST", path, f"{_JSON}Content-Length: LENGTH\r\n")
    script_get = _head("GET", f"{address}.js", _BROTLI)
    return [
        _Asked("decisions", 1, post, 201, decision),
        _Asked("decisions", connections, post, 201, decision),
        _Asked("script", connections, script_get, 200),
        _Asked(
            "script, known already (304)", connections, _head("GET", f"{address}.js", known), 304
        ),
    ]


def _head(method: str, path: str, headers: str) -> str:
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"


def _fetch_script(port: int, address: str) -> tuple[str, str]:
    """Return the script, and the render proof that comes with it."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{address}.js", timeout=10) as answer:
        body: bytes = answer.read()
        told: str = answer.headers["Server-Timing"]
    return body.decode(), told.partition("proof=")[2].rstrip('"')


def _fetch(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        body: bytes = answer.read()
    return body.decode()


def _ask(port: int, part: _Asked, seconds: float) -> dict[str, Any]:
    """Let the load run; raises ClickException where it met another answer."""
    asked = {
        "port": port,
        "connections": part.connections,
        "seconds": seconds,
        "head": part.head,
        "decision": part.decision,
    }
    program = Path(__file__).with_name("bench_load.py")
    done = subprocess.run(  # noqa: S603 (this program itself)
        [sys.executable, "-I", str(program)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    statuses = found.pop("statuses")
    if set(statuses) != {str(part.status)} or found.pop("cut_off"):
        raise click.ClickException(f"{part.name}: expected {part.status} only, but met {statuses}.")
    return {
        **{name: round(value, 1) for name, value in found.items()},
        "answers": statuses[str(part.status)],
    }


def _machine(server: BenchServer) -> dict[str, Any]:
    asked = "SELECT sqlite_version()" if server.database.is_sqlite else "SHOW server_version"
    with server.database.engine.connect() as connection:
        version = connection.scalar(text(asked))
    return {
        "consent_server": __version__,
        "python": platform.python_version(),
        "database": f"{'SQLite' if server.database.is_sqlite else 'PostgreSQL'} {version}",
        "system": platform.platform(),
        "processor": _processor(),
        "cpus": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _spell(report: dict[str, Any]) -> list[str]:
    machine = report["machine"]
    rows = [
        f"{line['what']:<28} {line['connections']:>11} {line['per_second']:>10,.0f} "
        f"{line['p50_ms']:>8.1f} {line['p99_ms']:>8.1f}"
        for line in report["lines"]
    ]
    used = [report[name] / 1024**2 for name in ("memory_before_bytes", "memory_after_bytes")]
    return [
        f"consent-server {machine['consent_server']}, Python {machine['python']}, "
        f"{machine['database']}",
        f"{machine['cpus']} CPUs ({machine['processor']}), {machine['system']}",
        "",
        f"{'':<28} {'connections':>11} {'per second':>10} {'p50 ms':>8} {'p99 ms':>8}",
        *rows,
        "",
        f"Memory: {used[0]:.0f} MiB before, {used[1]:.0f} MiB after the load.",
        f"Disk: {report['bytes_per_decision']} bytes a decision, with its place in the ledger.",
        f"All {report['stored']:,} acknowledged decisions are stored.",
        "Server and load shared the CPUs of this machine; a network was not between them.",
    ]
