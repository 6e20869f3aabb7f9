"""Cases of the matrix by family; a case is added to the file of its family."""

from __future__ import annotations

from . import dynamic, frames, navigation, network, parser, resources, storage, vendors

CASES = (
    *parser.CASES,
    *vendors.CASES,
    *dynamic.CASES,
    *frames.CASES,
    *resources.CASES,
    *network.CASES,
    *storage.CASES,
    *navigation.CASES,
)
FAMILIES = tuple(dict.fromkeys(one.family for one in CASES))
