"""Tower: the tree as far as it was walked (RFC 6962, 2.1), from leaves and whole tiles."""

from __future__ import annotations

from functools import reduce
from hashlib import sha256

from consent_server.rules.merkle import EMPTY_ROOT, hash_node

#: A tile is a complete subtree of 256 leaves: what a selection leaves out is named by tiles.
TILE_LEVEL = 8
TILE = 1 << TILE_LEVEL


class Tower:
    """The complete subtrees so far, largest first."""

    __slots__ = ("_hashes", "size")

    def __init__(self) -> None:
        self.size = 0
        self._hashes: list[bytes] = []

    def copy(self) -> Tower:
        """Return one of the same height, to go on from here twice."""
        other = Tower()
        other.size, other._hashes = self.size, list(self._hashes)
        return other

    def push(self, subtree: bytes, level: int = 0) -> None:
        """Add a leaf, or a complete subtree where one can stand."""
        at = self.size >> level
        hashes = self._hashes
        while at & 1:
            subtree = sha256(b"\x01" + hashes.pop() + subtree).digest()
            at >>= 1
        hashes.append(subtree)
        self.size += 1 << level

    def root(self) -> bytes:
        """Return the root of the tree so far."""
        if not self._hashes:
            return EMPTY_ROOT
        return reduce(lambda right, left: hash_node(left, right), reversed(self._hashes))
