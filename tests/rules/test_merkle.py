"""Merkle hashing: the vectors of RFC 6962 logs."""

from __future__ import annotations

import pytest

from consent_server.rules.merkle import hash_leaf, hash_node

# The leaves that Certificate Transparency implementations share as test vectors.
LEAVES = {
    "": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "00": "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "10": "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
    "2021": "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
}
ROOT_OF_TWO = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"


@pytest.mark.parametrize(("entry", "expected"), LEAVES.items())
def test_a_leaf_hashes_to_the_published_vector(entry: str, expected: str) -> None:
    assert hash_leaf(bytes.fromhex(entry)).hex() == expected


def test_a_node_hashes_to_the_published_vector() -> None:
    root = hash_node(hash_leaf(b""), hash_leaf(b"\x00"))
    assert root.hex() == ROOT_OF_TWO


def test_no_leaf_can_pass_for_a_node() -> None:
    left, right = hash_leaf(b"a"), hash_leaf(b"b")
    assert hash_leaf(left + right) != hash_node(left, right)
