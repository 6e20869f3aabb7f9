"""Other consent managers: whose mark-up and decisions are understood, and what they call things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: As a site file names them.
PRODUCTS = (
    "cookiebot",
    "onetrust",
    "cookieyes",
    "vanilla-cookieconsent",
    "klaro",
    "orejime",
    "tarteaucitron",
)

#: Their name -> the usual category or catalogue service here. Names that mean the same
#: everywhere stand once; an own name (a klaro service) is mapped by the site file.
NAMES: Mapping[str, str] = {
    # Cookiebot
    "preferences": "functional",
    "statistics": "analytics",
    # OneTrust
    "C0001": "necessary",
    "C0002": "analytics",
    "C0003": "functional",
    "C0004": "marketing",
    "C0005": "marketing",
    # CookieYes
    "performance": "analytics",
    "advertisement": "marketing",
    # vanilla-cookieconsent, Klaro and Orejime, as their examples have it
    "functionality": "functional",
    "advertising": "marketing",
    "ads": "marketing",
    "targeting": "marketing",
    # tarteaucitron
    "gtag": "google-analytics",
    "googletagmanager": "google-tag-manager",
    "facebookpixel": "meta-pixel",
    "linkedininsighttag": "linkedin-insight",
    "clarity": "microsoft-clarity",
}


def names_of(config: Mapping[str, Any]) -> dict[str, str]:
    """Return every foreign name that a version understands, with the key that it has."""
    keys = {category["key"] for category in config["categories"]}
    keys |= {service["key"] for service in config["services"]}
    known = {name: key for name, key in NAMES.items() if key in keys and name not in keys}
    return {**known, **config["compatible_names"]}
