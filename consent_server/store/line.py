"""The line: who waits to be written, site by site, and who goes into the next transaction."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple

#: Of one site beside others: what adds little to a transaction.
_BESIDE = 8


class Waiting(NamedTuple):
    """An item, who is told of its outcome, and since when it waits (monotonic seconds)."""

    item: Any
    tell: Callable[[Any], object]
    since: float
    #: Whose it is: what is of one site keeps its order.
    site: Hashable = None
    #: Whether it may wait for company, because its site writes more than it should.
    patient: bool = False


class Line:
    """Items that wait, in the order of their site; not safe for threads by itself."""

    def __init__(self) -> None:
        self._sites: dict[Hashable, deque[Waiting]] = {}
        self._length = 0
        #: How many of them may not wait for company.
        self.urgent = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Waiting]:
        for those in self._sites.values():
            yield from those

    def is_full(self, most: int, site: Hashable) -> bool:
        """Tell whether so many wait that no more may; of a site with few, one always may."""
        return self._length >= most and len(self._sites.get(site, ())) >= min(_BESIDE, most)

    def put(self, one: Waiting) -> None:
        """Let one wait behind those of its site."""
        self._sites.setdefault(one.site, deque()).append(one)
        self._length += 1
        self.urgent += not one.patient

    def take(self, most: int) -> list[Waiting]:
        """Return who goes next: of each site in turn, so that few never wait behind many.

        Of no site come more than of all others together, but some in any case: who waits
        with a crowd of another site shall not pay for all of it.
        """
        counts = [len(those) for those in self._sites.values()]
        largest = max(counts, default=0)
        share = most if len(counts) == 1 else max(_BESIDE, self._length - largest)
        taken: list[Waiting] = []
        for _ in range(min(share, largest)):
            for site in list(self._sites):
                if len(taken) == most:
                    break
                those = self._sites[site]
                taken.append(those.popleft())
                if not those:
                    del self._sites[site]
        self._length -= len(taken)
        self.urgent -= sum(not one.patient for one in taken)
        return taken

    def oldest(self) -> float:
        """Return since when the first of them waits (monotonic seconds)."""
        return min(those[0].since for those in self._sites.values())

    def clear(self) -> None:
        """Forget all."""
        self._sites.clear()
        self._length = self.urgent = 0
