"""Merkle proofs: the published ones hold, and none bears a change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_server.rules.merkle import (
    EMPTY_ROOT,
    NoSuchProof,
    consistency_proof,
    hash_leaf,
    inclusion_proof,
    is_consistent,
    is_included,
)
from tests.rules.trees import Tree, numbered

# The vectors of transparency-dev, which Certificate Transparency implementations share.
VECTORS = json.loads((Path(__file__).parents[1] / "data" / "merkle.json").read_text("utf-8"))
ENTRIES = [bytes.fromhex(entry) for entry in VECTORS["leaves"]]
ROOTS = [bytes.fromhex(root) for root in VECTORS["roots"]]
SOME_HASH = bytes.fromhex(VECTORS["some_hash"])
LARGEST = 200
TREE = Tree(numbered(LARGEST))

sizes = st.integers(1, LARGEST)
Inclusion = tuple[bytes, int, int, list[bytes], bytes]
Consistency = tuple[int, bytes, int, bytes, list[bytes]]


@st.composite
def inclusions(draw: st.DrawFn, least: int = 1) -> Inclusion:
    """Draw a true statement that a leaf is in the tree: the arguments of `is_included`."""
    size = draw(st.integers(least, LARGEST))
    index = draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, TREE.node)
    return TREE.leaves[index], index, size, proof, TREE.roots[size]


@st.composite
def consistencies(draw: st.DrawFn, least: int = 0) -> Consistency:
    """Draw a true statement that one tree begins another: the arguments of `is_consistent`."""
    old, new = sorted(draw(st.lists(sizes, min_size=2, max_size=2, unique=bool(least))))
    old = max(old - 1, least)
    return old, TREE.roots[old], new, TREE.roots[new], consistency_proof(old, new, TREE.node)


def _flipped(one: bytes, draw: st.DataObject) -> bytes:
    at, bit = draw.draw(st.integers(0, len(one) - 1)), draw.draw(st.integers(0, 7))
    return one[:at] + bytes([one[at] ^ 1 << bit]) + one[at + 1 :]


def _spoiled(proof: list[bytes], draw: st.DataObject) -> list[bytes]:
    """Return a proof with one bit changed, or one hash left out, added or moved."""
    at = draw.draw(st.integers(0, len(proof) - 1))
    return draw.draw(
        st.sampled_from(
            [
                [*proof[:at], _flipped(proof[at], draw), *proof[at + 1 :]],
                [*proof[:at], *proof[at + 1 :]],
                [*proof[:at], SOME_HASH, *proof[at:]],
                [*proof, SOME_HASH],
            ]
            + ([proof[::-1]] if len(proof) > 1 else [])
        )
    )


# Inclusion


def _spoiled_inclusions(told: Inclusion) -> Iterator[tuple[str, Inclusion]]:
    """Yield what transparency-dev's testdata/inclusion holds for each proof."""
    leaf, index, size, proof, root = told
    yield "leafIndex - 1", (leaf, index - 1, size, proof, root)
    yield "leafIndex + 1", (leaf, index + 1, size, proof, root)
    yield "leafIndex ^ 2", (leaf, index ^ 2, size, proof, root)
    yield "treeSize * 2", (leaf, index, size * 2, proof, root)
    yield "treeSize / 2", (leaf, index, size // 2, proof, root)
    yield "wrong leaf", (b"WrongLeaf", index, size, proof, root)
    yield "empty root", (leaf, index, size, proof, EMPTY_ROOT)
    yield "random root", (leaf, index, size, proof, SOME_HASH)
    yield "trailing garbage", (leaf, index, size, [*proof, b""], root)
    yield "trailing root", (leaf, index, size, [*proof, root], root)
    yield "preceding garbage", (leaf, index, size, [b"", *proof], root)
    yield "preceding root", (leaf, index, size, [root, *proof], root)
    for at, one in enumerate(proof):
        changed = [*proof[:at], bytes([one[0] ^ 8]) + one[1:], *proof[at + 1 :]]
        yield f"modified proof[{at}] bit 3", (leaf, index, size, changed, root)
    if proof:
        yield "removed component", (leaf, index, size, proof[:-1], root)
    if len(proof) > 1:
        longer = [proof[0], SOME_HASH, *proof[1:]]
        yield "inserted component", (leaf, index, size, longer, root)


@pytest.mark.parametrize("vector", VECTORS["inclusion"])
def test_a_published_inclusion_proof_holds_and_its_spoiled_copies_do_not(
    vector: dict[str, Any],
) -> None:
    index, size = vector["index"], vector["size"]
    proof = [bytes.fromhex(one) for one in vector["proof"]]
    assert inclusion_proof(index, size, Tree(ENTRIES).node) == proof
    told = (hash_leaf(ENTRIES[index]), index, size, proof, ROOTS[size - 1])
    assert is_included(*told)
    assert [name for name, false in _spoiled_inclusions(told) if is_included(*false)] == []


@given(inclusions())
def test_the_proof_of_every_leaf_holds(told: Inclusion) -> None:
    assert is_included(*told)


@given(inclusions(), st.data())
def test_an_inclusion_proof_bears_no_changed_bit(told: Inclusion, data: st.DataObject) -> None:
    leaf, index, size, proof, root = told
    assert not is_included(_flipped(leaf, data), index, size, proof, root)
    assert not is_included(leaf, index, size, proof, _flipped(root, data))
    if proof:
        assert not is_included(leaf, index, size, _spoiled(proof, data), root)


@given(inclusions(), st.integers(-2, LARGEST + 2))
def test_an_inclusion_proof_speaks_of_one_index(told: Inclusion, other: int) -> None:
    leaf, index, size, proof, root = told
    assert is_included(leaf, other, size, proof, root) == (other == index)


def _turns(index: int, size: int) -> list[bool]:
    """Return on which side each sibling stands: all that a proof tells of the size."""
    if size <= 1:
        return []
    k = 1 << ((size - 1).bit_length() - 1)
    if index < k:
        return [*_turns(index, k), False]
    return [*_turns(index - k, size - k), True]


@given(inclusions(), st.integers(-2, 2 * LARGEST))
def test_an_inclusion_proof_speaks_of_sizes_of_one_shape(told: Inclusion, other: int) -> None:
    leaf, index, size, proof, root = told
    same_shape = index < other and _turns(index, other) == _turns(index, size)
    assert is_included(leaf, index, other, proof, root) == same_shape


def test_the_size_must_be_signed_with_the_root() -> None:
    # The first leaf has the same path in trees of three and of four: no proof tells them apart.
    proof = inclusion_proof(0, 3, TREE.node)
    assert is_included(TREE.leaves[0], 0, 4, proof, TREE.roots[3])


# Consistency


def _spoiled_consistencies(told: Consistency) -> Iterator[tuple[str, Consistency]]:
    """Yield what transparency-dev's testdata/consistency holds for each proof."""
    old, old_root, new, new_root, proof = told
    yield "size1 - 1", (old - 1, old_root, new, new_root, proof)
    yield "size1 + 1", (old + 1, old_root, new, new_root, proof)
    yield "size1 ^ 2", (old ^ 2, old_root, new, new_root, proof)
    yield "size2 * 2", (old, old_root, new * 2, new_root, proof)
    yield "size2 / 2", (old, old_root, new // 2, new_root, proof)
    yield "wrong root1", (old, b"WrongRoot", new, new_root, proof)
    yield "wrong root2", (old, old_root, new, b"WrongRoot", proof)
    yield "swapped roots", (old, new_root, new, old_root, proof)
    yield "empty proof", (old, old_root, new, new_root, [])
    for name, one in {"garbage": b"", "root1": old_root, "root2": new_root}.items():
        yield f"trailing {name}", (old, old_root, new, new_root, [*proof, one])
        yield f"preceding {name}", (old, old_root, new, new_root, [one, *proof])
    yield "preceding proof[0]", (old, old_root, new, new_root, [proof[0], *proof])
    yield "truncated proof", (old, old_root, new, new_root, proof[:-1])
    for at, one in enumerate(proof):
        changed = [*proof[:at], bytes([one[0] ^ 16]) + one[1:], *proof[at + 1 :]]
        yield f"modified proof[{at}] bit 4", (old, old_root, new, new_root, changed)


@pytest.mark.parametrize("vector", VECTORS["consistency"])
def test_a_published_consistency_proof_holds_and_its_spoiled_copies_do_not(
    vector: dict[str, Any],
) -> None:
    old, new = vector["old"], vector["new"]
    proof = [bytes.fromhex(one) for one in vector["proof"]]
    assert consistency_proof(old, new, Tree(ENTRIES).node) == proof
    told = (old, ROOTS[old - 1], new, ROOTS[new - 1], proof)
    assert is_consistent(*told)
    spoiled = _spoiled_consistencies(told) if proof else []
    assert [name for name, false in spoiled if is_consistent(*false)] == []


@given(consistencies())
def test_the_proof_between_any_two_sizes_holds(told: Consistency) -> None:
    assert is_consistent(*told)


@given(consistencies(least=1), st.data())
def test_a_consistency_proof_bears_no_changed_bit(told: Consistency, data: st.DataObject) -> None:
    old, old_root, new, new_root, proof = told
    assert not is_consistent(old, _flipped(old_root, data), new, new_root, proof)
    assert not is_consistent(old, old_root, new, _flipped(new_root, data), proof)
    if proof:
        assert not is_consistent(old, old_root, new, new_root, _spoiled(proof, data))


@given(consistencies(least=1), sizes, sizes)
def test_a_consistency_proof_speaks_of_sizes_of_one_shape(
    told: Consistency, other_old: int, other_new: int
) -> None:
    _, old_root, _, new_root, proof = told
    older, newer = min(other_old, other_new), max(other_old, other_new)
    if len(consistency_proof(older, newer, TREE.node)) != len(proof):
        assert not is_consistent(older, old_root, newer, new_root, proof)
    if older != newer:
        assert not is_consistent(newer, old_root, older, new_root, proof)


def test_nothing_else_begins_a_tree_than_its_own_beginning() -> None:
    other = Tree([b"another first entry", *numbered(LARGEST)[1:]])
    for old in range(1, 20):
        proof = consistency_proof(old, 20, TREE.node)
        assert not is_consistent(old, other.roots[old], 20, TREE.roots[20], proof)


def test_the_empty_tree_begins_every_tree_with_its_own_root_only() -> None:
    assert is_consistent(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    assert is_consistent(0, EMPTY_ROOT, 3, TREE.roots[3], [])
    assert not is_consistent(0, SOME_HASH, 3, TREE.roots[3], [])
    assert not is_consistent(0, SOME_HASH, 0, SOME_HASH, [])
    assert not is_consistent(0, EMPTY_ROOT, 3, TREE.roots[3], [TREE.roots[3]])


# Both


@pytest.mark.parametrize("size", [*range(1, 34), 127, 128, 129, LARGEST])
def test_a_proof_asks_for_few_subtrees(size: int) -> None:
    for at in range(size):
        TREE.asked = 0
        proof = inclusion_proof(at, size, TREE.node)
        assert len(proof) <= (size - 1).bit_length()
        assert TREE.asked <= 2 * size.bit_length()
        TREE.asked = 0
        consistency_proof(at + 1, size, TREE.node)
        assert TREE.asked <= 2 * size.bit_length()


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(NoSuchProof):
        inclusion_proof(index, size, TREE.node)


@pytest.mark.parametrize(("old", "new"), [(4, 3), (-1, 3)])
def test_there_is_no_proof_from_a_size_that_never_was(old: int, new: int) -> None:
    with pytest.raises(NoSuchProof):
        consistency_proof(old, new, TREE.node)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.binary(max_size=40)
    | st.just(SOME_HASH),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=6,
)


@given(anything, anything, anything, anything, anything)
def test_nothing_that_is_asked_raises_an_error(
    one: Any, two: Any, three: Any, four: Any, five: Any
) -> None:
    assert isinstance(is_included(one, two, three, four, five), bool)
    assert isinstance(is_consistent(one, two, three, four, five), bool)


@pytest.mark.parametrize("junk", [None, True, -1, 5.0, "5", b"", bytes(33), [b""], [None], {}])
@pytest.mark.parametrize("at", range(5))
def test_what_is_malformed_is_no_proof(at: int, junk: Any) -> None:
    included: list[Any] = [TREE.leaves[5], 5, 8, inclusion_proof(5, 8, TREE.node), TREE.roots[8]]
    included[at] = junk
    assert not is_included(*included)
    proof = consistency_proof(6, 8, TREE.node)
    consistent: list[Any] = [6, TREE.roots[6], 8, TREE.roots[8], proof]
    consistent[at] = junk
    assert not is_consistent(*consistent)


def test_sizes_beyond_what_a_ledger_can_hold_are_refused() -> None:
    assert not is_included(SOME_HASH, 0, 2**63, [SOME_HASH] * 63, SOME_HASH)
    assert not is_consistent(1, SOME_HASH, 2**63, SOME_HASH, [SOME_HASH] * 63)
