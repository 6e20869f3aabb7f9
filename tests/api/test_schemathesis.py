"""The OpenAPI document against the running server, with right and wrong requests made from it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from consent_server.app import create_app
from consent_server.config import Settings
from tests.browser.running_server import RunningServer
from tests.conftest import API_TOKEN
from tests.visitor import Visitor

_SEED = 20261122
_EXAMPLES = 25
#: The checks are about the documented answers, so the budgets must not cut them short.
_SETTINGS = {
    "CONSENT_API_TOKEN": API_TOKEN,
    "CONSENT_DECISIONS_PER_MINUTE": "1000000",
    "CONSENT_SITE_DECISIONS_PER_MINUTE": "1000000",
}


@pytest.fixture
def config_file(tmp_path: Path, published_file: Path) -> Path:
    """What the generator must know to get past the doors: tokens and names that exist."""
    data = tmp_path / "data"
    data.mkdir()
    database = shutil.copyfile(published_file, data / "consent.sqlite")
    app = create_app(Settings(database_url=f"sqlite:///{database}"))
    visitor = Visitor(app.test_client(use_cookies=False))
    visitor.accept_all()
    receipt = visitor.withdraw().json
    app.extensions["consent"].database.close()
    assert receipt is not None
    file = tmp_path / "schemathesis.toml"
    config = {
        "auth": {
            "openapi": {"token": {"bearer": API_TOKEN}, "subject": {"bearer": visitor.subject_id}}
        },
        "parameters": {
            "path.site_key": visitor.site_key,
            "path.number": receipt["version"],
            "path.script_hash": receipt["script_hash"],
        },
        # Retired, a site is served no more: the others must stay to be asked for.
        "operations": [
            {
                "include-path": "/api/v1/sites/{site_key}/retire",
                "parameters": {"path.site_key": "ujet"},
            }
        ],
    }
    file.write_text(tomli_w.dumps(config))
    return file


@pytest.fixture
def server(config_file: Path) -> Iterator[RunningServer]:
    """The product in a process of its own, on the data prepared above."""
    running = RunningServer(config_file.parent / "data", settings=_SETTINGS)
    running.start()
    yield running
    running.stop()


def test_no_request_made_from_the_document_is_answered_otherwise(
    server: RunningServer, config_file: Path
) -> None:
    schemathesis = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [
            str(schemathesis),
            f"--config-file={config_file}",
            "run",
            f"{server.url}/openapi.json",
            "--checks=all",
            "--mode=all",
            f"--seed={_SEED}",
            f"--max-examples={_EXAMPLES}",
            "--continue-on-failure",
            "--no-color",
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=config_file.parent,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
