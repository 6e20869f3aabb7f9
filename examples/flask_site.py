"""A Flask site whose pages go out with their trackers held."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask

from consent_server.rewriting import ConsentMiddleware, plan_from_site_file

app = Flask(__name__)

PLAN = plan_from_site_file(
    Path(os.environ["CONSENT_SITE_FILE"]),
    os.environ.get("CONSENT_SCRIPT_URL", "/w/example.js"),
)
app.wsgi_app = ConsentMiddleware(app.wsgi_app, lambda: PLAN)  # type: ignore[method-assign]


@app.get("/")
def home() -> str:
    """Show a page with a tracker that nobody marked."""
    return """<!doctype html>
<html lang="en"><head><title>A shop</title></head>
<body><h1>A shop</h1><img src="https://www.facebook.com/tr?id=1" alt=""></body></html>
"""
