"""Plan: what a page of one site is rewritten by."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from consent_server import __version__
from consent_server.rewriting.addresses import split_address
from consent_server.rewriting.matching import Matcher
from consent_server.rules.cookie import cookie_name


@dataclass(frozen=True)
class RewritePlan:
    """One published version of a site, and the address of its script."""

    site: str
    script_url: str
    services: Sequence[Mapping[str, Any]]
    #: Hosts beside the services' own that a strict site may ask.
    allowed_hosts: Sequence[str] = ()
    strict: bool = False
    #: The gate must run before anything else; without it the script need not be waited for.
    sync: bool = False

    @classmethod
    def from_snapshot(
        cls, config: Mapping[str, Any], script_url: str, *, strict: bool | None = None
    ) -> RewritePlan:
        """Make the plan of a version; `strict` overrides what the site says."""
        blocking = config.get("blocking", "declared")
        own = [found[0] for origin in config["origins"] if (found := split_address(origin))]
        return cls(
            site=config["site"],
            script_url=script_url,
            services=config["services"],
            allowed_hosts=(*own, *config.get("allowed_hosts", ())),
            strict=blocking == "strict" if strict is None else strict,
            sync=blocking in {"gate", "strict"},
        )

    @property
    def cookie_name(self) -> str:
        """Return the name of the site's decision cookie."""
        return cookie_name(self.site)

    @cached_property
    def mark(self) -> str:
        """Return what stands for all that a page is rewritten by; it is the same everywhere."""
        all_of_it = (__version__, *(getattr(self, field.name) for field in fields(self)))
        written = json.dumps(all_of_it, sort_keys=True, default=str)
        return hashlib.sha256(written.encode()).hexdigest()[:12]

    @cached_property
    def matcher(self) -> Matcher:
        """Return the lookup of services, made once."""
        return Matcher(self.services, strict=self.strict, allowed=self.own_hosts)

    @property
    def own_hosts(self) -> tuple[str, ...]:
        """Return the hosts that are never held: the site's own, the allowed, the script's."""
        script = split_address(self.script_url)
        return (*self.allowed_hosts, *((script[0],) if script else ()))

    def tag(self, nonce: str = "") -> bytes:
        """Return our own tag; `nonce` is the page's, where its policy asks for one."""
        attributes = "" if self.sync else " async"
        if nonce:
            attributes += f' nonce="{html.escape(nonce)}"'
        return f'<script{attributes} src="{html.escape(self.script_url)}"></script>'.encode()
