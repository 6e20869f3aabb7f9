"""Readers for the site's own server: each language answers the one list of vectors alike."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from consent_server.rules.cookie import cookie_name, parse_cookie
from consent_server.rules.unasked import MARKS
from tests.browser.bundles import require_node

READERS = Path(__file__).parents[1] / "examples" / "readers"
VECTORS: dict[str, Any] = json.loads((READERS / "vectors.json").read_text("utf-8"))

#: Each prints what its reader answers to the vectors, as JSON: cookies, webhooks, references.
_PYTHON = """
import json, sys
from consent_reader import read, sign_ref, verify_webhook
with open("../vectors.json", encoding="utf-8") as file:
    told = json.load(file)
print(json.dumps([
    [read(one["header"], told["site"], now=one["now"], valid_days=one["valid_days"],
          since=one["since"]) for one in told["cookies"]],
    [verify_webhook(one["secret"], one["headers"], one["body"].encode(), now=one["now"])
     for one in told["webhooks"]],
    [sign_ref(one["secret"], told["site"], one["ref"], one["expires"]) for one in told["refs"]],
]))
"""
_NODE = """
import { readFileSync } from "node:fs";
import { read, signRef, verifyWebhook } from "./consent-reader.mjs";
const told = JSON.parse(readFileSync("../vectors.json", "utf8"));
console.log(JSON.stringify([
  told.cookies.map(({ header, now, valid_days, since }) =>
    read(header, told.site, { now, validDays: valid_days, since })),
  told.webhooks.map(({ secret, headers, body, now }) =>
    verifyWebhook(secret, headers, body, { now })),
  told.refs.map(({ secret, ref, expires }) => signRef(secret, told.site, ref, expires)),
]));
"""
_PHP = """
require "ConsentReader.php";
$told = json_decode(file_get_contents("../vectors.json"), true);
echo json_encode([
    array_map(fn ($one) => (object) ConsentReader::read($one["header"], $told["site"], $one["now"],
        $one["valid_days"], $one["since"]), $told["cookies"]),
    array_map(fn ($one) => ConsentReader::verifyWebhook($one["secret"], $one["headers"],
        $one["body"], $one["now"]), $told["webhooks"]),
    array_map(fn ($one) => ConsentReader::signRef($one["secret"], $told["site"], $one["ref"],
        $one["expires"]), $told["refs"]),
]);
"""
_PHP_STRICT = ("-d", "error_reporting=-1", "-d", "display_errors=stderr")


def _answers(language: str) -> list[Any]:
    commands: dict[str, list[str]] = {
        "python": [sys.executable, "-W", "error", "-c", _PYTHON],
        "node": ["node", "--input-type=module", "-e", _NODE],
        "php": ["php", *_PHP_STRICT, "-r", _PHP],
    }
    if language == "node":
        require_node()
    elif language == "php":
        assert shutil.which("php"), "install PHP: python -m tests.install php"
    done = subprocess.run(
        commands[language],
        check=False,
        cwd=READERS / language,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    answers: list[Any] = json.loads(done.stdout)
    return answers


@pytest.fixture(scope="module", params=["python", "node", "php"])
def answers(request: pytest.FixtureRequest) -> list[Any]:
    return _answers(request.param)


def test_every_cookie_is_read_as_told(answers: list[Any]) -> None:
    cases = VECTORS["cookies"]
    assert len(answers[0]) == len(cases) > 50
    for case, grants in zip(cases, answers[0], strict=True):
        assert grants == case["grants"], case["name"]


def test_only_a_signed_webhook_of_now_is_believed(answers: list[Any]) -> None:
    cases = VECTORS["webhooks"]
    assert len(answers[1]) == len(cases) > 10
    for case, good in zip(cases, answers[1], strict=True):
        assert good is case["good"], case["name"]


def test_who_is_signed_in_is_signed_alike(answers: list[Any]) -> None:
    assert answers[2] == [case["signature"] for case in VECTORS["refs"]]
    assert len(answers[2]) == 3


def test_the_server_reads_the_same_out_of_a_cookie() -> None:
    name = f"{cookie_name(VECTORS['site'])}="
    for case in VECTORS["cookies"]:
        values = [
            one.strip(" \t").removeprefix(name)
            for one in case["header"].split(";")
            if one.strip(" \t").startswith(name)
        ]
        found = [stored for value in values if (stored := parse_cookie(value))]
        newest = max(found, key=lambda stored: stored.decided_at) if found else None
        # Whether it still holds is told by the record, not by the cookie.
        if (case["since"], case["now"]) == (1, VECTORS["cookies"][0]["now"]):
            marks = dict.fromkeys(MARKS[: newest.unasked], False) if newest else {}
            whole = {**newest.grants, **marks} if newest else {}
            read = whole if newest and newest.decided_at.year < 2100 else {}
            assert read == case["grants"], case["name"]


def test_a_common_js_project_can_require_the_reader() -> None:
    require_node()
    program = 'console.log(typeof require("./consent-reader.mjs").read)'
    command = ["node", "--input-type=commonjs", "-e", program]
    done = subprocess.run(
        command, check=True, cwd=READERS / "node", capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "function\n"
