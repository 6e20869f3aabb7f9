"""GPP strings: as IAB Tech Lab's library reads and writes them, and what they say of a visitor."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from consent_server.rules.regimes import US_OPT_OUT
from tests.browser.bundles import install_packages, require_node

FOLDER = Path(__file__).parent
#: Strings of each state, each with other values.
_ROUNDS = 200
#: Where the use of sensitive data may be opted out of, and the field that says that visitors know.
_LIMITS = {
    "US-CA": "SensitiveDataLimitUseNotice",
    "US-UT": "SensitiveDataProcessingOptOutNotice",
    "US-IA": "SensitiveDataOptOutNotice",
}
_YES, _NO = {"marketing": True, "health": True}, {"marketing": False, "health": False}


def _node(*arguments: str, told: str = "") -> Any:
    require_node()
    done = subprocess.run(
        ["node", *arguments], check=False, cwd=FOLDER, capture_output=True, text=True, input=told
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def _question(
    region: str,
    grants: dict[str, bool],
    *,
    sold: tuple[str, ...] = ("marketing",),
    sensitive: tuple[str, ...] = (),
    shown: dict[str, Any] | None = None,
    gpc: bool = False,
) -> dict[str, Any]:
    facts = {"region": region, "sold_or_shared": sold, "sensitive": sensitive}
    return {"facts": facts, "shown": shown or {}, "grants": grants, "gpc": gpc}


def _ask(*questions: dict[str, Any]) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = _node("ask.mjs", told=json.dumps(questions))
    return answers


def _fields(said: dict[str, Any]) -> dict[str, Any]:
    [parts] = said["parsedSections"].values()
    return {name: value for part in parts for name, value in part.items()}


def test_each_state_is_written_as_the_library_of_the_tech_lab_reads_and_writes_it() -> None:
    require_node()
    install_packages(FOLDER)
    found = _node("compare.mjs", str(_ROUNDS))
    assert found["differences"] == []
    assert found["compared"] == len(US_OPT_OUT) * _ROUNDS
    states = {f"US-{one.partition(':us')[2].upper()}" for one in found["sections"]}
    assert states == US_OPT_OUT, "where visitors may opt out, there is a section to say so"


def test_a_visitor_who_is_nowhere_known_is_in_no_section() -> None:
    regions = ("", "DE", "US", "US-NV", "CA")
    for said in _ask(*(_question(region, _YES) for region in regions)):
        assert said == {
            "sectionList": [],
            "applicableSections": [-1],
            "gppString": "DBAA",
            "parsedSections": {},
        }


@pytest.mark.parametrize(
    ("grants", "sold", "opted_out"),
    [
        (_YES, ("marketing",), 2),
        (_NO, ("marketing",), 1),
        ({}, ("marketing",), 1),
        ({"marketing": True}, ("marketing", "partners"), 1),
        (_NO, (), 0),
    ],
    ids=["granted", "refused", "not answered", "one of two", "nothing is sold"],
)
def test_an_opt_out_is_whatever_is_sold_and_not_granted(
    grants: dict[str, bool], sold: tuple[str, ...], opted_out: int
) -> None:
    said = _ask(*(_question(region, grants, sold=sold) for region in ("US-CA", "US-TX")))
    california, texas = map(_fields, said)
    assert california["SaleOptOut"] == california["SharingOptOut"] == opted_out
    assert california["SaleOptOutNotice"] == california["SharingOptOutNotice"] == +bool(opted_out)
    assert texas["SaleOptOut"] == texas["TargetedAdvertisingOptOut"] == opted_out
    assert texas["TargetedAdvertisingOptOutNotice"] == +bool(opted_out)
    assert texas["ProcessingNotice"] == 1


@pytest.mark.parametrize("regime", ["notice_only", "off"])
def test_where_nobody_is_told_of_an_opt_out_only_a_refusal_is_one(regime: str) -> None:
    shown = {"regime": {"name": regime}}
    said = _ask(*(_question("US-CO", grants, shown=shown) for grants in (_YES, _NO)))
    allowed, refused = map(_fields, said)
    assert allowed["SaleOptOutNotice"] == refused["SaleOptOutNotice"] == 2
    assert (allowed["SaleOptOut"], refused["SaleOptOut"]) == (0, 1)


def test_gpc_is_told_as_the_page_or_the_server_saw_it() -> None:
    said = _ask(
        _question("US-CA", _YES),
        _question("US-CA", _YES, shown={"signal": "dnt"}),
        _question("US-CA", _YES, gpc=True),
        _question("US-CA", _YES, shown={"signal": "gpc"}),
        _question("US-VA", _YES, gpc=True),
    )
    assert [_fields(one).get("Gpc") for one in said] == [False, False, True, True, None]


@pytest.mark.parametrize("grants", [_YES, _NO], ids=["granted", "refused"])
def test_no_agreement_and_no_consent_is_ever_claimed(grants: dict[str, bool]) -> None:
    states = sorted(US_OPT_OUT)
    asked = (_question(one, grants, sensitive=("health",)) for one in states)
    for region, said in zip(states, map(_fields, _ask(*asked)), strict=True):
        assert said["MspaCoveredTransaction"] == 2
        assert {value for name, value in said.items() if name.endswith("Mode")} == {0}
        consents = [_flat(value) for name, value in said.items() if "Consent" in name]
        assert not any(map(any, consents)), region
        if region not in _LIMITS:
            assert set(_flat(said.get("SensitiveDataProcessing", 1))) == {1}, "no consent"


@pytest.mark.parametrize(("region", "notice"), _LIMITS.items())
def test_the_use_of_sensitive_data_is_limited_where_the_visitor_said_so(
    region: str, notice: str
) -> None:
    limited, free, without = map(
        _fields,
        _ask(
            _question(region, _NO, sensitive=("health",)),
            _question(region, _YES, sensitive=("health",)),
            _question(region, _NO),
        ),
    )
    assert limited[notice] == free[notice] == 1
    assert set(limited["SensitiveDataProcessing"]) == {1}
    assert set(free["SensitiveDataProcessing"]) == {2}
    assert (without[notice], set(without["SensitiveDataProcessing"])) == (0, {0})


def _flat(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
