"""Facts of a case: what the network and the storage saw, told apart from what the code said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..trackers import Trackers

#: Stored by us (the decision and the outbox) and by the site for itself.
_OURS = ("cookie:consent_", "local:consent_", "cache:own")
_UNCOUNTED = frozenset({"/alive", "/ran"})


@dataclass(frozen=True)
class Facts:
    """One look at a case."""

    #: Addresses asked for, one per request; preflights and the code's own repetitions left out.
    asked: tuple[str, ...]
    #: Hosts that were connected to, whether or not anything was asked of them.
    reached: frozenset[str]
    #: Code of trackers that ran, in its order.
    ran: tuple[str, ...]
    #: Code of the page that ran for a service, in its order.
    marks: tuple[str, ...]
    stored: frozenset[str]
    #: Hosts whose code told its own server that it runs: where nothing else can be heard of it.
    alive: frozenset[str] = frozenset()

    @property
    def left(self) -> bool:
        """Whether anything reached a tracker."""
        return bool(self.asked or self.reached)

    @property
    def is_clean(self) -> bool:
        """Nothing asked, nothing ran, nothing stored."""
        return not (self.left or self.ran or self.alive or self.stored)


def look(trackers: Trackers, said: Sequence[str], stored: Collection[str]) -> Facts:
    """Put one look together."""
    seen = trackers.seen
    asked = [
        one.url.replace("http://", "https://")
        for one in seen
        if one.method not in {"CONNECT", "OPTIONS"} and one.path not in _UNCOUNTED
    ]
    return Facts(
        asked=tuple(asked),
        reached=frozenset(one.host for one in seen),
        ran=tuple(words.removeprefix("ran ") for words in said if words.startswith("ran ")),
        marks=tuple(words for words in said if words.startswith("mark ")),
        stored=frozenset(one for one in stored if not one.startswith(_OURS)),
        alive=frozenset(one.host for one in seen if one.path == "/alive"),
    )


def counts(facts: Facts) -> Counter[str]:
    """How often each address was asked for."""
    return Counter(facts.asked)
