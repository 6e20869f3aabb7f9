"""Visitor: says yes and no to the server as the widget does."""

from __future__ import annotations

import json
import re
import secrets
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from consent_server.rules.times import spell_time

Body = dict[str, Any]


def read_proof(headers: Headers | Message) -> str:
    """Return the render proof that came with a script; empty without one."""
    found = re.search(r'consent;desc="proof=([^"]+)"', headers.get("Server-Timing") or "")
    return found[1] if found else ""


def fetch_proof(base: str) -> str:
    """Return the render proof of a running server for the site at that address (`.../w/smilee`)."""
    with urllib.request.urlopen(f"{base}.js", timeout=30) as answer:
        return read_proof(answer.headers)


@dataclass
class Visitor:
    """One person on one site; `site_key` may be changed to visit another."""

    client: FlaskClient
    site_key: str = "smilee"
    #: 16 random bytes in hex, as the browser makes them.
    subject_id: str = field(default_factory=lambda: secrets.token_hex(16))
    widget_path: str = "/w"
    #: What came with the script, or with the last refusal.
    proof: str = ""

    @property
    def address(self) -> str:
        """Where this site's script and decisions are, without an ending."""
        return f"{self.widget_path}/{self.site_key}"

    def read_script(self) -> Body:
        """Fetch the script and return the configuration inside it."""
        answer = self.client.get(f"{self.address}.js")
        assert answer.status_code == 200, answer.text
        self.proof = read_proof(answer.headers)
        config: Body = json.loads(answer.text.rpartition("})(")[2].removesuffix(");"))
        return config

    def read_version(self) -> Body:
        """Fetch the snapshot of the version that the script shows."""
        number = self.read_script()["version"]
        answer = self.client.get(f"{self.address}/versions/{number}")
        assert answer.status_code == 200, answer.text
        config: Body = json.loads(answer.text)["config"]
        return config

    def services(self) -> list[str]:
        """Return the services that the visitor may refuse."""
        return [key for members in self._optional().values() for key in members]

    def grants(self, *services: str) -> dict[str, bool]:
        """Return the grants that allow exactly these services."""
        optional = self._optional()
        grants = {key: key in services for members in optional.values() for key in members}
        for category, members in optional.items():
            grants[category] = bool(members) and all(grants[key] for key in members)
        return grants

    def decision(self, *services: str, **changes: Any) -> Body:
        """Return a valid decision that allows exactly these services, with `changes` made to it."""
        script = self.read_script()
        grants = self.grants(*services)
        method, layer = "save", "preferences"
        if len(set(grants.values())) == 1:
            method, layer = ("accept_all" if services else "reject_all"), "notice"
        return {
            "decision_id": str(uuid4()),
            "subject_id": self.subject_id,
            "method": method,
            "layer": layer,
            "version": script["version"],
            "script": script["script"],
            "language": self.read_version()["languages"][0],
            "grants": grants,
            "decided_at": spell_time(datetime.now(UTC)),
            **changes,
        }

    def send(self, decision: Body, **options: Any) -> TestResponse:
        """Post a decision; `options` are those of the test client.

        Where its proof is not good it is sent again with the one of the answer, once.
        """
        answer = self.post(decision, **options)
        if answer.is_json and answer.status_code == 403 and "proof" in (answer.json or {}):
            self.proof = answer.json["proof"]
            answer = self.post(decision, **options)
        return answer

    def post(self, decision: Body, **options: Any) -> TestResponse:
        """Post a decision with the proof at hand."""
        return self.client.post(
            f"{self.address}/decisions",
            json=decision,
            query_string={"proof": self.proof} if self.proof else None,
            **options,
        )

    def decide(self, *services: str, **changes: Any) -> TestResponse:
        """Allow exactly these services: none refuses, all of them accepts."""
        return self.send(self.decision(*services, **changes))

    def accept_all(self) -> TestResponse:
        """Click Accept all."""
        return self.decide(*self.services())

    def reject_all(self) -> TestResponse:
        """Click Reject all."""
        return self.decide()

    def withdraw(self) -> TestResponse:
        """Click Withdraw consent."""
        return self.decide(method="withdraw", layer="preferences")

    def read_decisions(self) -> TestResponse:
        """Ask for the own record by the secret subject id."""
        own = {"Authorization": f"Bearer {self.subject_id}"}
        return self.client.get(f"{self.address}/decisions", headers=own)

    def _optional(self) -> dict[str, list[str]]:
        categories = self.read_version()["categories"]
        return {c["key"]: c["services"] for c in categories if c["key"] != "necessary"}
