"""Children: what is left of a version where nobody may be asked (GDPR article 8)."""

from __future__ import annotations

from typing import Any

from consent_server.rules.decision import NECESSARY

Config = dict[str, Any]

#: Where a site is used by children: on none of its pages, on those that say so, on all.
NONE, PAGES, ALWAYS = "none", "pages", "always"


def mode_of(config: Config) -> str:
    """Return the mode of a version; older ones have none."""
    found: str = config.get("children", NONE)
    return found


def for_children(config: Config) -> Config:
    """Return a version without anything optional, that says so where its preferences open."""
    kept = [one for one in config["services"] if one["category"] == NECESSARY]
    return {
        **config,
        "categories": [one for one in config["categories"] if one["key"] == NECESSARY],
        "services": kept,
        "compatible": [],
        "texts": {
            language: {
                **said,
                "regimes": {},
                "ui": {**said["ui"], "preferences_body": said["ui"]["children"]},
            }
            for language, said in config["texts"].items()
        },
    }
