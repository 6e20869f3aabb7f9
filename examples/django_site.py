"""A Django site in one file whose pages go out with their trackers held."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

from consent_server.rewriting import (
    AsgiConsentMiddleware,
    ConsentMiddleware,
    plan_from_site_file,
)

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ.get("SECRET_KEY", "for-this-example-only"),
    WSGI_APPLICATION=f"{__name__}.application",
    MIDDLEWARE=["django.middleware.http.ConditionalGetMiddleware"],
)
django.setup()


def home(_request: HttpRequest) -> HttpResponse:
    """Show a page with a tracker that nobody marked."""
    return HttpResponse(
        """<!doctype html>
<html lang="en"><head><title>A shop</title></head>
<body><h1>A shop</h1><img src="https://www.facebook.com/tr?id=1" alt=""></body></html>
"""
    )


urlpatterns = [path("", home)]

PLAN = plan_from_site_file(
    Path(os.environ["CONSENT_SITE_FILE"]),
    os.environ.get("CONSENT_SCRIPT_URL", "/w/example.js"),
)
# What a Django project has in wsgi.py, and in asgi.py.
application = ConsentMiddleware(get_wsgi_application(), lambda: PLAN)
asgi_application = AsgiConsentMiddleware(get_asgi_application(), lambda: PLAN)

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
