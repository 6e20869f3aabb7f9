"""Merkle trees: the published vectors, and what appending needs to know."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.rules.merkle import (
    EMPTY_ROOT,
    BrokenFrontier,
    Frontier,
    hash_leaf,
    hash_node,
    root_of,
)
from tests.rules.trees import Tree, mth, numbered

# The vectors of transparency-dev, which Certificate Transparency implementations share.
VECTORS = json.loads((Path(__file__).parents[1] / "data" / "merkle.json").read_text("utf-8"))
ENTRIES = [bytes.fromhex(entry) for entry in VECTORS["leaves"]]
ROOTS = [bytes.fromhex(root) for root in VECTORS["roots"]]
LEAVES = {
    "": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "00": "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "10": "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
    "2021": "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
}
LARGEST = 200
TREE = Tree(numbered(LARGEST))


# Hashes and roots


@pytest.mark.parametrize(("entry", "expected"), LEAVES.items())
def test_a_leaf_hashes_to_the_published_vector(entry: str, expected: str) -> None:
    assert hash_leaf(bytes.fromhex(entry)).hex() == expected


def test_a_node_hashes_to_the_published_vector() -> None:
    assert hash_node(hash_leaf(b""), hash_leaf(b"\x00")) == ROOTS[1]


def test_no_leaf_can_pass_for_a_node() -> None:
    left, right = hash_leaf(b"a"), hash_leaf(b"b")
    assert hash_leaf(left + right) != hash_node(left, right)


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert root_of([]) == Frontier().root() == EMPTY_ROOT == hashlib.sha256().digest()


@pytest.mark.parametrize("size", range(1, len(ROOTS) + 1))
def test_a_tree_has_the_published_root(size: int) -> None:
    assert root_of(map(hash_leaf, ENTRIES[:size])) == ROOTS[size - 1]


# The frontier


@given(st.integers(1, LARGEST))
def test_a_frontier_is_told_each_complete_subtree_once(size: int) -> None:
    frontier = Frontier()
    for leaf in TREE.leaves[:size]:
        for level, index, subtree in frontier.append(leaf):
            assert subtree == mth(TREE.leaves[index << level : (index + 1) << level])
    assert frontier.size == size


def test_the_leaf_itself_comes_first() -> None:
    frontier = Frontier()
    told = [[(level, at) for level, at, _ in frontier.append(leaf)] for leaf in TREE.leaves[:4]]
    assert told == [[(0, 0)], [(0, 1), (1, 0)], [(0, 2)], [(0, 3), (1, 1), (2, 0)]]


@given(st.integers(0, LARGEST), st.integers(0, 20))
def test_a_stored_frontier_goes_on_as_if_it_had_never_stopped(size: int, more: int) -> None:
    kept = Frontier()
    for leaf in TREE.leaves[:size]:
        kept.append(leaf)
    read = Frontier.from_bytes(kept.size, kept.to_bytes())
    for leaf in TREE.leaves[:more]:
        kept.append(leaf)
        read.append(leaf)
    assert (read.size, read.root(), read.to_bytes()) == (kept.size, kept.root(), kept.to_bytes())


def test_a_frontier_holds_its_largest_subtree_first() -> None:
    frontier = Frontier()
    for leaf in TREE.leaves[:3]:
        frontier.append(leaf)
    assert frontier.to_bytes() == TREE.node(1, 0) + TREE.leaves[2]


@pytest.mark.parametrize(
    ("size", "length"), [(0, 32), (1, 0), (1, 31), (1, 64), (3, 32), (4, 64), (-1, 32), (2**63, 32)]
)
def test_a_frontier_of_the_wrong_length_is_refused(size: int, length: int) -> None:
    with pytest.raises(BrokenFrontier):
        Frontier.from_bytes(size, bytes(length))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_what_is_no_hash_is_not_appended(length: int) -> None:
    frontier = Frontier()
    with pytest.raises(BrokenFrontier):
        frontier.append(bytes(length))
    assert frontier.size == 0
