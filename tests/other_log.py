"""Other log: somebody else's, to be witnessed; it can tell the truth and lie."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from consent_server.rules.checkpoint import Checkpoint
from consent_server.rules.merkle import consistency_proof, hash_leaf, root_of
from consent_server.rules.note import sign_note
from consent_server.rules.witness import spell_request
from consent_server.signing import SigningKey

_KEY = SigningKey(b"k" * 32, datetime(2026, 1, 1, tzinfo=UTC))


@dataclass
class OtherLog:
    """Leaves under a name, with the key that signs them."""

    origin: str = "log.example.org/ledger/1"
    leaves: list[bytes] = field(default_factory=list)
    key: SigningKey = _KEY

    @property
    def verifier(self) -> str:
        """The key as a witness is given it."""
        return self.key.verifier(self.origin).to_text()

    def grow(self, number: int, word: str = "leaf") -> OtherLog:
        """Add leaves; with another word, others than before."""
        count = len(self.leaves)
        self.leaves += [hash_leaf(f"{word} {n}".encode()) for n in range(count, count + number)]
        return self

    def note(self, size: int | None = None) -> str:
        """Sign the tree of a size."""
        size = len(self.leaves) if size is None else size
        text = Checkpoint(self.origin, size, root_of(self.leaves[:size])).to_text()
        signature = self.key.sign(text.encode())
        key_id = self.key.verifier(self.origin).key_id
        return sign_note(text, self.origin, key_id, signature).to_bytes().decode()

    def proof(self, old: int, new: int) -> list[bytes]:
        """Prove that the old tree begins the new one."""

        def node(level: int, index: int) -> bytes:
            return root_of(self.leaves[index << level : (index + 1) << level])

        return consistency_proof(old, new, node)

    def request(self, old: int, size: int | None = None) -> bytes:
        """Return the body that asks a witness, with a true proof where there is one."""
        size = len(self.leaves) if size is None else size
        proof = self.proof(old, size) if old <= size else []
        return spell_request(old, proof, self.note(size))
