"""Region of the demo: a switch on the start page stands in for the proxy that tells it."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Final

from consent_server.regions import Fields, Regions, spell_region

COOKIE: Final = "demo_region"
#: What the switch offers, in its order; empty is nowhere.
CHOICES: Final = {
    "DE": "Germany",
    "GB": "London",
    "US-CA": "California",
    "": "nowhere that we know",
}
#: What the ledger calls it: no header, no database.
SWITCH: Final = "demo"


class DemoRegions(Regions):
    """Believes the visitor: for a demo, and for nothing else."""

    @property
    def depends_on(self) -> tuple[str, ...]:
        """Return the fields of a request that the region follows from."""
        return (*super().depends_on, "Cookie")

    def locate(self, headers: Fields, address: str) -> tuple[str, str]:
        """Return what the switch says, else what there is to know."""
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(headers.get("Cookie", ""))
        except CookieError:
            return super().locate(headers, address)
        chosen = spell_region(cookies[COOKIE].value) if COOKIE in cookies else ""
        return (chosen, SWITCH) if chosen else super().locate(headers, address)
