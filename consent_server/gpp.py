"""GPP: the module that tells advertising code what visitors in US states opted out of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from consent_server.packing import PackedScript, pack_script
from consent_server.paths import asset_dir
from consent_server.rules.regimes import US_OPT_OUT, sensitive, sold_or_shared
from consent_server.widget import Script

#: Regions with a section of their own, and one for everywhere else, of the sites that say so.
_MAX_MODULES = 500


def compose_gpp(config: Mapping[str, Any], region: str) -> PackedScript:
    """Return the module for a visitor in this region ("" for nobody knows)."""
    place = region if region in US_OPT_OUT else ""
    return _compose(place, tuple(sold_or_shared(config)), tuple(sensitive(config)))


@lru_cache(maxsize=_MAX_MODULES)
def _compose(region: str, sold: tuple[str, ...], limited: tuple[str, ...]) -> PackedScript:
    # As widget/src/gpp/facts.d.ts reads it.
    facts = {"region": region, "sold_or_shared": sold, "sensitive": limited}
    told = json.dumps(facts, separators=(",", ":"))
    body = f"const GPP_FACTS={told};{_read_code()}".encode()
    script_hash = hashlib.sha256(body).hexdigest()
    return pack_script(Script(script_hash[:16], script_hash, body))


@cache
def _read_code() -> str:
    return (asset_dir("static") / "widget" / "gpp.js").read_text(encoding="utf-8")
