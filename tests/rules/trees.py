"""Trees to prove something about: small ones, with every subtree kept."""

from __future__ import annotations

from collections.abc import Sequence

from consent_server.rules.merkle import Frontier, hash_leaf, hash_node


class Tree:
    """A tree over entries, and the hash of each complete subtree, as a store would have it."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self.leaves = [hash_leaf(entry) for entry in entries]
        self.roots = [Frontier().root()]
        self.asked = 0
        self._nodes: dict[tuple[int, int], bytes] = {}
        frontier = Frontier()
        for leaf in self.leaves:
            self._nodes.update({(level, at): one for level, at, one in frontier.append(leaf)})
            self.roots.append(frontier.root())

    def node(self, level: int, index: int) -> bytes:
        self.asked += 1
        return self._nodes[level, index]


def numbered(size: int) -> list[bytes]:
    """Return entries that differ from each other."""
    return [f"entry {number}".encode() for number in range(size)]


def mth(leaves: Sequence[bytes]) -> bytes:
    """Return the root of one leaf or more, word for word as RFC 6962, 2.1 defines it."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hash_node(mth(leaves[:k]), mth(leaves[k:]))
