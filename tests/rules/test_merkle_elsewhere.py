"""Merkle roots and proofs: the same as somebody else's code computes (tamperlog, MIT)."""

from __future__ import annotations

import pytest
from tamperlog import merkle as elsewhere

from consent_server.rules.merkle import Frontier, consistency_proof, inclusion_proof
from tests.rules.trees import Tree, mth, numbered

LARGEST = 2000
TREE = Tree(numbered(LARGEST))


def test_every_root_up_to_two_thousand_leaves_is_the_one_computed_elsewhere() -> None:
    frontier = Frontier()
    for size, leaf in enumerate(TREE.leaves, start=1):
        frontier.append(leaf)
        assert frontier.root() == elsewhere.merkle_root(TREE.leaves[:size]), size


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 65, 1023, 1024, 1025, LARGEST])
def test_a_root_is_the_one_that_the_rfc_defines(size: int) -> None:
    assert TREE.roots[size] == mth(TREE.leaves[:size])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 33, 100])
def test_every_proof_is_the_one_made_elsewhere(size: int) -> None:
    leaves = TREE.leaves[:size]
    for at in range(size):
        assert inclusion_proof(at, size, TREE.node) == elsewhere.inclusion_proof(at, leaves)
        assert consistency_proof(at, size, TREE.node) == elsewhere.consistency_proof(at, leaves)
