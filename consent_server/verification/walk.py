"""Walk: from leaf to leaf, every event against its leaf, every root against its signature."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import blake2b
from itertools import pairwise
from typing import Any, NamedTuple

from consent_server.rules.times import NotATime, parse_time, spell_time
from consent_server.verification.events import (
    Context,
    check_admin_event,
    check_record,
    erased_by,
)
from consent_server.verification.findings import Broken
from consent_server.verification.signatures import Signed
from consent_server.verification.tower import TILE, TILE_LEVEL, Tower
from consent_server.verification.usual import Usual

#: An event may wait so long for its seal: it was received at most so long before what stands
#: before it, an event or a checkpoint.
LATEST_SEAL = timedelta(seconds=60)


class Span(NamedTuple):
    """A leaf, or a tile of leaves that a selection leaves out."""

    first: int
    last: int
    hash: bytes


class Numbered(NamedTuple):
    """An event of a file, with the index that it claims."""

    at: int
    event: dict[str, Any]
    usual: Usual | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A size at which the root is known, by a signature or by somebody's word."""

    size: int
    root: bytes
    sealed: str
    name: str
    #: Given by the reader: what differs here is not the bundle's own contradiction.
    outside: Signed | None = None


@dataclass
class Streams:
    """The files of a bundle that go from leaf to leaf, each from the same leaf on."""

    leaves: Iterator[Span]
    records: Iterator[Numbered]
    admin: Iterator[Numbered]


@dataclass
class Seen:
    """What the walk counted."""

    tower: Tower = field(default_factory=Tower)
    records: int = 0
    admin: int = 0
    erased: int = 0
    without_salt: int = 0
    #: The latest time so far, of an event or of a checkpoint that was passed.
    latest: str = ""
    ids: array[int] = field(default_factory=lambda: array("Q"))

    def copy(self) -> Seen:
        """Return what was seen so far, to go on from here twice."""
        return replace(self, tower=self.tower.copy(), ids=self.ids[:])


class RootDiffers(Broken):
    """The leaves give another root than a mark has."""

    def __init__(self, message: str, mark: Mark) -> None:
        super().__init__(message)
        self.mark = mark


class Walk:
    """Checks everything between two leaves; can start at any mark, with what was seen before."""

    def __init__(
        self,
        marks: Sequence[Mark],
        context: Context,
        *,
        whole: bool,
        salt: bytes = b"",
        seen: Seen | None = None,
        watch: Callable[[dict[str, Any]], None] | None = None,
        row: Callable[[dict[str, Any], Usual | None], None] | None = None,
        step: Callable[[int], None] | None = None,
    ) -> None:
        self.seen = seen or Seen()
        self._own = sorted((one for one in marks if one.outside is None), key=_size_of)
        self._marks: dict[int, list[Mark]] = {}
        for mark in (*self._own, *(one for one in marks if one.outside is not None)):
            self._marks.setdefault(mark.size, []).append(mark)
        self._outside = sorted({one.size for one in marks if one.outside is not None})
        self._context, self._whole, self._salt = context, whole, salt
        self._watch, self._row, self._step = watch, row, step
        self._events: dict[str, _Ahead] = {}

    def run(self, streams: Streams) -> Seen:
        """Walk to the end of the streams, which must be that of the last mark. Raises Broken."""
        start = self.seen.tower.size
        self._events = {
            "record": _Ahead("record", streams.records, start),
            "admin event": _Ahead("admin event", streams.admin, start),
        }
        self._check_roots(start)
        for mark in self._own:
            self._walk_to(mark, streams.leaves)
        self._check_ends(streams)
        return self.seen

    def _walk_to(self, mark: Mark, leaves: Iterator[Span]) -> None:
        """Walk on to a checkpoint of the bundle; outside marks may stand between."""
        tower, right = self.seen.tower, self.seen.tower.size
        between = self._outside[
            bisect_right(self._outside, right) : bisect_left(self._outside, mark.size)
        ]
        for stop in (*between, mark.size):
            while tower.size < stop:
                span = next(leaves, None)
                if span is None:
                    raise Broken(
                        f"leaves.txt ends after {tower.size} leaves; "
                        f"the checkpoint has {mark.size}."
                    )
                self._take(span, stop, mark.sealed)
            self._check_roots(right)

    def _take(self, span: Span, stop: int, until: str) -> None:
        tower = self.seen.tower
        first, last, subtree = span
        if first != tower.size:
            raise Broken(f"leaves.txt names leaf {first} where leaf {tower.size} has its place.")
        if last == first:
            self._take_event(first, subtree, until)
            tower.push(subtree)
        else:
            if self._whole or first % TILE or last != first + TILE - 1:
                raise Broken(f"leaves.txt leaves out {first} to {last}, which it may not.")
            if last >= stop:
                raise Broken(f"leaves.txt leaves out what the checkpoint of {stop} leaves needs.")
            for ahead in self._events.values():
                if ahead.index <= last:
                    raise ahead.broken("leaves.txt leaves its leaf out")
            tower.push(subtree, TILE_LEVEL)
        if self._step and not tower.size & 0x3FF:
            self._step(tower.size)

    def _take_event(self, index: int, leaf: bytes, until: str) -> None:
        found = [ahead for ahead in self._events.values() if ahead.index == index]
        if not found:
            if self._whole:
                raise Broken(f"record {index}: missing from the bundle, which has its leaf.")
            return
        if len(found) > 1:
            raise found[0].broken("stands twice, as a record and as an admin event")
        [ahead] = found
        try:
            if ahead.what == "record":
                given = self._take_record(ahead.event, ahead.usual, until)
            else:
                given = self._take_admin(ahead.event, until)
            if given != leaf:
                raise Broken("is not what leaves.txt has at its index")
        except Broken as error:
            raise ahead.broken(str(error)) from error
        ahead.advance()

    def _take_record(self, record: dict[str, Any], usual: Usual | None, until: str) -> bytes:
        seen = self.seen
        given = check_record(record, self._context, usual and usual.leaf)
        self._check_time(record["received_at"], until)
        seen.records += 1
        seen.without_salt += record["salt"] is None
        self._remember(record["event_id"])
        if self._row:
            self._row(record, usual)
        if self._watch:
            self._watch(record)
        return given

    def _take_admin(self, event: dict[str, Any], until: str) -> bytes:
        seen = self.seen
        given = check_admin_event(event, self._context, whole=self._whole)
        self._check_time(event["happened_at"], until)
        seen.admin += 1
        seen.erased += erased_by(event)
        self._remember(event["event_id"])
        if self._watch:
            self._watch(event)
        return given

    def _check_time(self, moment: str, until: str) -> None:
        seen = self.seen
        if moment > until:
            raise Broken(
                f"claims {moment}, after the checkpoint that holds it was sealed ({until})"
            )
        # An exporter may leave checkpoints out: what stands before it bounds a time as well.
        if moment >= seen.latest:
            seen.latest = moment
        elif moment < _earliest_after(seen.latest):
            raise Broken(f"backdated: it claims {moment}, but stands after {seen.latest}")

    def _remember(self, event_id: str) -> None:
        # Eight bytes of a keyed hash: nobody can make two ids that look like one.
        digest = blake2b(event_id.encode(), digest_size=8, key=self._salt).digest()
        self.seen.ids.append(int.from_bytes(digest, "big"))

    def _check_roots(self, right: int) -> None:
        tower = self.seen.tower
        root = tower.root()
        for mark in self._marks.get(tower.size, ()):
            if mark.root != root:
                raise RootDiffers(
                    f"{_leaves(right, tower.size)} the root of {mark.name} ({mark.size} leaves).",
                    mark,
                )
            self.seen.latest = max(self.seen.latest, mark.sealed)

    def _check_ends(self, streams: Streams) -> None:
        size = self.seen.tower.size
        if next(streams.leaves, None) is not None:
            raise Broken(f"leaves.txt goes on after the checkpoint of {size} leaves.")
        for ahead in self._events.values():
            if ahead.index < _NO_MORE:
                raise ahead.broken(f"lies after the checkpoint of {size} leaves")
        ids = sorted(self.seen.ids)
        if any(one == other for one, other in pairwise(ids)):
            raise Broken("An event_id stands twice: one decision was recorded two times.")


_NO_MORE = 2**63


class _Ahead:
    """The next event of a file."""

    __slots__ = ("_rest", "event", "index", "usual", "what")

    def __init__(self, what: str, rest: Iterator[Numbered], start: int) -> None:
        self.what, self._rest = what, rest
        self.index = start - 1
        self.event: dict[str, Any] = {}
        self.usual: Usual | None = None
        self.advance()

    def advance(self) -> None:
        """Read the next event; its index must be a later one."""
        found = next(self._rest, None)
        before = self.index
        self.index, self.event, self.usual = found or (_NO_MORE, {}, None)
        if self.index <= before:
            raise self.broken(f"stands after the one of index {before}")

    def broken(self, problem: str) -> Broken:
        return Broken(f"{self.what} {self.index} (event {self.event.get('event_id')}): {problem}")


def _size_of(mark: Mark) -> int:
    return mark.size


def _leaves(first: int, end: int) -> str:
    """Say which leaves are not those that were signed: all before them are."""
    before = f"; all before leaf {first} are right" if first else ""
    return f"Leaves {first} to {end - 1} are not those that were signed{before}: they do not give"


def _earliest_after(moment: str) -> str:
    """Return the earliest time of an event that stands after another one of that time."""
    try:
        return spell_time(parse_time(moment) - LATEST_SEAL)
    except (NotATime, OverflowError) as error:
        raise Broken(f"stands after {moment}, which is no time: {error}") from error
