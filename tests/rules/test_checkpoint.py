"""Checkpoints: the specification's example, and one spelling of each."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.rules.checkpoint import Checkpoint, NotACheckpoint, parse_checkpoint
from consent_server.rules.note import parse_note

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "notes.json").read_text("utf-8"))
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="

lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
checkpoints = st.builds(
    Checkpoint,
    origin=lines,
    size=st.integers(0, 2**63 - 1),
    root=st.binary(min_size=32, max_size=32),
    extensions=st.lists(lines, max_size=3).map(tuple),
)


def test_the_example_of_the_specification_is_read() -> None:
    text = parse_note(VECTORS["c2sp"]["checkpoint"].encode()).text
    expected = Checkpoint("example.com/behind-the-sofa", 20852163, base64.b64decode(ROOT))
    assert parse_checkpoint(text) == expected
    assert expected.to_text() == text


@pytest.mark.parametrize(
    ("project", "origin", "size"),
    [
        ("sumdb", "go.sum database tree", 30055305),
        (
            "sigsum",
            "sigsum.org/v1/tree/e796172b92befd62d9dc67e41c2f5bc9d3100a3023b20b1ca40288dd1c679e69",
            10,
        ),
    ],
)
def test_a_checkpoint_of_another_log_is_read(project: str, origin: str, size: int) -> None:
    text = parse_note(VECTORS[project]["note"].encode()).text
    checkpoint = parse_checkpoint(text)
    assert (checkpoint.origin, checkpoint.size) == (origin, size)
    assert checkpoint.to_text() == text


@given(checkpoints)
def test_what_is_written_reads_back_as_it_was(checkpoint: Checkpoint) -> None:
    assert parse_checkpoint(checkpoint.to_text()) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "log\n",
        "log\n1\n",
        f"log\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"log\n\n{ROOT}\n",
        f"log\n01\n{ROOT}\n",
        f"log\n00\n{ROOT}\n",
        f"log\n+1\n{ROOT}\n",
        f"log\n-1\n{ROOT}\n",
        f"log\n 1\n{ROOT}\n",
        f"log\n1 \n{ROOT}\n",
        f"log\n1_0\n{ROOT}\n",
        f"log\n0x1\n{ROOT}\n",
        f"log\n\u0661\n{ROOT}\n",
        f"log\n{2**63}\n{ROOT}\n",
        f"log\n{10**20}\n{ROOT}\n",
        f"log\n1\n{ROOT[:-1]}\n",
        f"log\n1\n{ROOT}=\n",
        f"log\n1\n {ROOT}\n",
        f"log\n1\n{ROOT[:-2]}J=\n",
        f"log\n1\n{ROOT.replace('/', '_')}\n",
        "log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jx\n",
        f"log\n1\n{ROOT}\n\n",
        f"log\n1\n{ROOT}\n\nmore\n",
        f"log\n1\n{ROOT}\nmore",
        f"log\r\n1\r\n{ROOT}\r\n",
        f"l\tog\n1\n{ROOT}\n",
        f"1\n{ROOT}\nlog\n",
    ],
)
def test_what_the_specification_forbids_is_no_checkpoint(text: str) -> None:
    with pytest.raises(NotACheckpoint):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": ""},
        {"origin": "two\nlines"},
        {"size": -1},
        {"size": 2**63},
        {"root": bytes(31)},
        {"root": b""},
        {"extensions": ("",)},
        {"extensions": ("one", "two\nthree")},
    ],
)
def test_what_has_no_text_form_is_no_checkpoint(changed: dict[str, Any]) -> None:
    with pytest.raises(NotACheckpoint):
        Checkpoint(**{"origin": "log", "size": 1, "root": bytes(32), **changed})


def test_the_empty_tree_is_spelled_with_a_zero() -> None:
    assert parse_checkpoint(f"log\n0\n{ROOT}\n").size == 0


def test_extensions_are_kept_in_order() -> None:
    checkpoint = parse_checkpoint(f"log\n1\n{ROOT}\none\ntwo\n")
    assert checkpoint.extensions == ("one", "two")
