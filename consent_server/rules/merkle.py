"""Merkle hashing (RFC 6962, section 2.1) with domain separation."""

from __future__ import annotations

import hashlib


def hash_leaf(entry: bytes) -> bytes:
    """Return the 32-byte hash of one leaf: SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()
