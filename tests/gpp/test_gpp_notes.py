"""Notes on GPP: what can be published, but its owner hardly means."""

from __future__ import annotations

from typing import Any

import pytest

from consent_server.rules.regimes import US_OPT_OUT
from consent_server.site_form import load_site_form
from consent_server.site_notes import note_site
from tests.conftest import ReadSite


def _notes(site: dict[str, Any], **said: Any) -> list[str]:
    form = load_site_form(site | {"gpp": True, "regime": "by_region", **said})
    return [note.message for note in note_site(form) if note.path == "gpp"]


def test_nothing_is_said_where_a_visitor_may_opt_out_of_something(read_site: ReadSite) -> None:
    assert _notes(read_site("smilee")) == []
    assert _notes(read_site("smilee"), gpp=False, regime="opt_in") == []


@pytest.mark.parametrize(
    "said",
    [
        {"regime": "opt_in"},
        {"regime": "opt_out"},
        {"regions": dict.fromkeys(sorted(US_OPT_OUT), "opt_in")},
    ],
    ids=["asked first", "no region is looked at", "asked first in each state"],
)
def test_it_is_noted_where_no_visitor_is_known_to_opt_out(
    read_site: ReadSite, said: dict[str, Any]
) -> None:
    [message] = _notes(read_site("smilee"), **said)
    assert 'Say regime = "by_region"' in message


def test_it_is_noted_where_nothing_is_sold(read_site: ReadSite) -> None:
    [message] = _notes(read_site("smilee"), sold_or_shared=[])
    assert "there is nothing to opt out of" in message
