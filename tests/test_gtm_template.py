"""The template for Tag Manager's gallery: its parts are whole, and it denies every consent type."""

from __future__ import annotations

import json
import re
from pathlib import Path

from consent_server.rules.connector import CONSENT_TYPES

FILE = Path(__file__).parents[1] / "examples" / "gtm" / "template.tpl"
SECTIONS = dict(
    re.findall(r"^___(\w+)___\n\n(.*?)(?=\n\n\n___|\Z)", FILE.read_text("utf-8"), re.M | re.S)
)


def test_it_has_the_sections_that_tag_manager_reads() -> None:
    assert list(SECTIONS) == [
        "TERMS_OF_SERVICE",
        "INFO",
        "TEMPLATE_PARAMETERS",
        "SANDBOXED_JS_FOR_WEB_TEMPLATE",
        "WEB_PERMISSIONS",
        "TESTS",
        "NOTES",
    ]
    assert json.loads(SECTIONS["INFO"])["containerContexts"] == ["WEB"]


def test_every_parameter_is_used_and_no_other() -> None:
    names = {one["name"] for one in json.loads(SECTIONS["TEMPLATE_PARAMETERS"])}
    used = set(re.findall(r"\bdata\.(\w+)", SECTIONS["SANDBOXED_JS_FOR_WEB_TEMPLATE"]))
    assert used - {"gtmOnSuccess", "gtmOnFailure"} == names


def test_all_seven_types_are_set_and_may_be_written() -> None:
    code = SECTIONS["SANDBOXED_JS_FOR_WEB_TEMPLATE"]
    states = dict(re.findall(r"(\w+_\w+): '(granted|denied)'", code))
    assert states == {
        name: "granted" if key == "necessary" else "denied" for name, key in CONSENT_TYPES.items()
    }
    permissions = {
        one["instance"]["key"]["publicId"]: one["instance"]["param"]
        for one in json.loads(SECTIONS["WEB_PERMISSIONS"])
    }
    listed = permissions["access_consent"][0]["value"]["listItem"]
    assert [one["mapValue"][0]["string"] for one in listed] == list(CONSENT_TYPES)
    required = set(re.findall(r"require\('(\w+)'\)", code))
    assert required == {"gtagSet", "injectScript", "makeNumber", "setDefaultConsentState"}
    assert set(permissions) == {"access_consent", "inject_script", "write_data_layer"}
