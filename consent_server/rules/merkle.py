"""Merkle trees: hashes, roots and proofs (RFC 6962, section 2.1; RFC 9162, section 2.1).

A complete subtree is named by its level and index: it stands over the leaves
[index << level, (index + 1) << level), and never changes once it is full.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import reduce

from consent_server.errors import ConsentError

HASH_BYTES = 32
#: The root of a tree without leaves: SHA-256 of nothing (RFC 6962, 2.1).
EMPTY_ROOT = hashlib.sha256(b"").digest()
#: Sizes are signed 64-bit numbers in databases and in other people's verifiers.
MAX_SIZE = 2**63 - 1

#: Gives the hash of the complete subtree of a level and index.
Node = Callable[[int, int], bytes]


class BrokenFrontier(ConsentError):
    """Stored hashes that cannot be the frontier of a tree of that size."""

    code, title = "broken_frontier", "The stored frontier does not fit its size"


class NoSuchProof(ConsentError):
    """A proof about a leaf or a size that the tree does not have."""

    status, code, title = 404, "no_such_proof", "The tree has no such leaf or size"


def hash_leaf(entry: bytes) -> bytes:
    """Return the 32-byte hash of one leaf: SHA-256(0x00 || entry) (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of an inner node: SHA-256(0x01 || left || right) (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The complete subtrees that a tree consists of, largest first: all that appending needs.

    Their sizes are the powers of two in the tree's size (the split of RFC 6962, 2.1).
    """

    __slots__ = ("_hashes", "size")

    def __init__(self) -> None:
        self.size = 0
        self._hashes: list[bytes] = []

    def append(self, leaf_hash: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf; return each complete subtree it finished: level, index, hash.

        The leaf itself comes first, as level 0 (RFC 6962, 2.1). Raises BrokenFrontier
        for what is no hash.
        """
        if len(leaf_hash) != HASH_BYTES:
            raise BrokenFrontier(f"A leaf hash has {HASH_BYTES} bytes, not {len(leaf_hash)}.")
        level, index, subtree = 0, self.size, leaf_hash
        finished = [(level, index, subtree)]
        while index & 1:
            level, index = level + 1, index >> 1
            subtree = hash_node(self._hashes.pop(), subtree)
            finished.append((level, index, subtree))
        self._hashes.append(subtree)
        self.size += 1
        return finished

    def root(self) -> bytes:
        """Return the root of the tree so far (RFC 6962, 2.1: MTH)."""
        if not self._hashes:
            return EMPTY_ROOT
        return reduce(lambda right, left: hash_node(left, right), reversed(self._hashes))

    def to_bytes(self) -> bytes:
        """Return the hashes of the subtrees in one row, for storing beside the size.

        The form is ours; the subtrees are those of RFC 6962, 2.1.
        """
        return b"".join(self._hashes)

    @classmethod
    def from_bytes(cls, size: int, raw: bytes) -> Frontier:
        """Return the frontier that `to_bytes` wrote for a tree of `size` leaves.

        There is one subtree for each power of two in the size (RFC 6962, 2.1).
        Raises BrokenFrontier for another number of hashes.
        """
        if not 0 <= size <= MAX_SIZE:
            raise BrokenFrontier(f"No tree has {size} leaves.")
        if len(raw) != size.bit_count() * HASH_BYTES:
            raise BrokenFrontier(
                f"A tree of {size} leaves needs {size.bit_count() * HASH_BYTES} bytes, "
                f"not {len(raw)}."
            )
        frontier = cls()
        frontier.size = size
        frontier._hashes = [raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES)]
        return frontier


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root over leaves that are hashed already (RFC 6962, 2.1: MTH)."""
    frontier = Frontier()
    for leaf_hash in leaf_hashes:
        frontier.append(leaf_hash)
    return frontier.root()


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """Return the path from a leaf to the root of `size` leaves (RFC 6962, 2.1.1: PATH).

    Asks `node` for at most two hashes a level. Raises NoSuchProof.
    """
    if not 0 <= index < size:
        raise NoSuchProof(f"A tree of {size} leaves has no leaf {index}.")
    begin, end = 0, size
    path = []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_hash_range(middle, end, node))
            end = middle
        else:
            path.append(_hash_range(begin, middle, node))
            begin = middle
    return path[::-1]


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """Return the proof that `old` leaves begin a tree of `new` (RFC 6962, 2.1.2: PROOF).

    Empty between equal sizes and from the empty tree, which begins every other.
    Asks `node` for at most two hashes a level. Raises NoSuchProof.
    """
    if not 0 <= old <= new:
        raise NoSuchProof(f"A tree of {new} leaves was never one of {old}.")
    if old == 0:
        return []
    begin, end = 0, new
    path = []
    while end != old:
        middle = begin + _split(end - begin)
        if old <= middle:
            path.append(_hash_range(middle, end, node))
            end = middle
        else:
            path.append(_hash_range(begin, middle, node))
            begin = middle
    # Where the old tree is itself a subtree, its root is known to the verifier.
    if begin:
        path.append(_hash_range(begin, end, node))
    return path[::-1]


def is_included(
    leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Tell whether a proof leads from a leaf to the root (RFC 9162, 2.1.3.2).

    Malformed input is no proof; nothing is raised.
    """
    if not (_are_sizes(index, size) and _are_hashes([leaf_hash, root], proof)):
        return False
    if index >= size:
        return False
    at, last, subtree = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            subtree = hash_node(sibling, subtree)
            at, last = _climb_border(at, last)
        else:
            subtree = hash_node(subtree, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and subtree == root


def is_consistent(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether the old tree begins the new one (RFC 9162, 2.1.4.2).

    The RFC leaves out the empty tree: here its root must be EMPTY_ROOT and the proof
    empty. Malformed input is no proof; nothing is raised.
    """
    if not (_are_sizes(old_size, new_size) and _are_hashes([old_root, new_root], proof)):
        return False
    if old_size == 0 and old_root != EMPTY_ROOT:
        return False
    if old_size in {0, new_size}:
        return not proof and (old_size < new_size or old_root == new_root)
    if old_size > new_size or not proof:
        return False
    # A complete old tree is a subtree of the new one, and its root the path's first hash.
    path = [old_root, *proof] if old_size.bit_count() == 1 else list(proof)
    return _roots_along(path, old_size, new_size) == (old_root, new_root)


def _roots_along(path: list[bytes], old_size: int, new_size: int) -> tuple[bytes, bytes] | None:
    """Return the old and new root that a path leads to (RFC 9162, 2.1.4.2, steps 3 to 6)."""
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if at & 1 or at == last:
            old, new = hash_node(sibling, old), hash_node(sibling, new)
            at, last = _climb_border(at, last)
        else:
            new = hash_node(new, sibling)
        at, last = at >> 1, last >> 1
    return (old, new) if last == 0 else None


def _split(count: int) -> int:
    """Return the largest power of two below `count` (RFC 6962, 2.1: k)."""
    return 1 << ((count - 1).bit_length() - 1)


def _hash_range(begin: int, end: int, node: Node) -> bytes:
    """Return MTH(D[begin:end]) of a subtree, whose right border may be incomplete."""
    count = end - begin
    if count.bit_count() == 1:
        level = count.bit_length() - 1
        return node(level, begin >> level)
    middle = begin + _split(count)
    return hash_node(_hash_range(begin, middle, node), _hash_range(middle, end, node))


def _climb_border(at: int, last: int) -> tuple[int, int]:
    """Skip the levels where the right border has no sibling (RFC 9162, 2.1.3.2, step 4.2.2)."""
    while at and not at & 1:
        at, last = at >> 1, last >> 1
    return at, last


def _are_sizes(*sizes: object) -> bool:
    return all(type(size) is int and 0 <= size <= MAX_SIZE for size in sizes)


def _are_hashes(hashes: list[bytes], proof: object) -> bool:
    if not isinstance(proof, (list, tuple)):
        return False
    return all(type(one) is bytes and len(one) == HASH_BYTES for one in (*hashes, *proof))
