"""A FastAPI (Starlette) site whose pages go out with their trackers held."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, StreamingResponse

from consent_server.rewriting import AsgiConsentMiddleware, plan_from_site_file

PLAN = plan_from_site_file(
    Path(os.environ["CONSENT_SITE_FILE"]),
    os.environ.get("CONSENT_SCRIPT_URL", "/w/example.js"),
)
app = FastAPI()
app.add_middleware(AsgiConsentMiddleware, plan_source=lambda: PLAN)

PAGE = """<!doctype html>
<html lang="en"><head><title>A shop</title></head>
<body><h1>A shop</h1><img src="https://www.facebook.com/tr?id=1" alt=""></body></html>
"""


@app.get("/", response_class=HTMLResponse)
def home() -> str:
    """Show a page with a tracker that nobody marked."""
    return PAGE


@app.get("/streamed")
def streamed() -> StreamingResponse:
    """Show the same page line by line."""

    def lines() -> Iterator[str]:
        yield from PAGE.splitlines(keepends=True)

    return StreamingResponse(lines(), media_type="text/html")
