"""Examples: each framework's site is started as its readme says, and its page goes out held."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from consent_server.demo import site_files

EXAMPLES = Path(__file__).parents[2] / "examples"
_HELD = '<img data-consent="service:meta-pixel" data-consent-src="https://www.facebook.com/tr?id=1"'

#: Runs inside the example's process and prints the answer to "/".
_WSGI = """
from wsgiref.util import setup_testing_defaults
environ = {}
setup_testing_defaults(environ)
print(b"".join(application(environ, lambda status, headers, *_: print(status, headers))).decode())
"""
_ASGI = """
import asyncio

async def ask(path):
    events = asyncio.Queue()
    await events.put({"type": "http.request", "body": b""})
    async def send(message):
        print(message.get("status", ""), (message.get("body") or b"").decode(), end="")
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": path, "scheme": "http"}
    scope |= {"raw_path": path.encode(), "query_string": b"", "root_path": "", "asgi": {}}
    scope |= {"headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1)}
    await application(scope | {"server": ("localhost", 80)}, events.get, send)

for path in PATHS:
    asyncio.run(ask(path))
"""


@pytest.mark.parametrize(
    "code",
    [
        "from flask_site import app as application\n" + _WSGI,
        "from django_site import application\n" + _WSGI,
        "from django_site import asgi_application as application\nPATHS = ['/']\n" + _ASGI,
        "from fastapi_site import app as application\nPATHS = ['/', '/streamed']\n" + _ASGI,
    ],
    ids=["flask", "django", "django-asgi", "fastapi"],
)
def test_the_page_goes_out_held(code: str) -> None:
    [file] = [file for file in site_files() if file.stem == "smilee"]
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        cwd=EXAMPLES,
        env={**os.environ, "CONSENT_SITE_FILE": str(file)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    pages = 1 + code.count("'/streamed'")
    assert done.stdout.count(_HELD) == pages
    assert done.stdout.count('<head><script async src="/w/example.js"></script><title>') == pages
