"""Languages: which of those that a site has is read to a visitor, whole and never mixed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: Norwegian goes by three tags; what is written in Bokmål is read by all of them.
_READ_IN = {"no": "nb", "nn": "nb"}


def base_language(tag: str) -> str:
    """Return the language of a BCP 47 tag without script and region: pt of pt-BR, nb of nn-NO."""
    base = tag.lower().partition("-")[0]
    return _READ_IN.get(base, base)


def match_language(wanted: Iterable[str], known: Sequence[str]) -> str | None:
    """Return the first language wanted that is known, by its base; None where none is.

    The order of the wishes counts more than an exact region (RFC 4647, 3.4, looks up one
    wish after the other); widget/src/language.ts chooses likewise.
    """
    bases = (base_language(tag) for tag in wanted)
    return next((base for base in bases if base in known), None)
