"""Tampering: seven ways to change a signed log, each as well hidden as it can be without the key.

The attacker computes every hash anew that needs no signature: the record's own `leaf_hash`,
leaves.txt and the places of all that follows. Both verifiers start at the last checkpoint
before the place, with what they had seen there, so that 70,000 attacks take minutes.

    python -m tests.verification.tampering [ATTACKS] [RECORDS] [SEED]
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import chain, tee
from typing import Any

from consent_server.rules.times import parse_time, spell_time
from consent_server.verification import verify as small
from consent_server.verification.contents import read_event
from consent_server.verification.events import Context, KnownVersion
from consent_server.verification.findings import Broken
from consent_server.verification.signatures import Keys, open_checkpoint
from consent_server.verification.walk import Mark, Seen, Span, Streams, Walk
from tests.verification.logs import (
    CONFIG_HASH,
    SCRIPT_HASH,
    SITE,
    WHOLE,
    Log,
    leaf_hash,
    make_log,
    record,
)

Event = dict[str, Any]
#: Where leaves.txt has it, and what the record says.
Placed = tuple[int, Event]
EVERY = 25
CONTEXT = Context(SITE, {1: KnownVersion(CONFIG_HASH, 180)}, {SCRIPT_HASH}, WHOLE)
KNOWN = {
    "site": SITE,
    "versions": {1: (CONFIG_HASH, 180)},
    "scripts": {SCRIPT_HASH},
    "whole": True,
}
#: What the leaf does not hold, and no verifier can know, is told in docs/audit.md.
NOT_HASHED = {"salt"}


@dataclass(frozen=True)
class Stop:
    """A checkpoint, and what both verifiers have seen when they pass it."""

    size: int
    mark: Mark
    point: tuple[int, bytes, datetime]
    seen: Seen
    start: tuple[int, list[bytes], datetime]


class Tampered:
    """A log that was signed, and the ways to change it."""

    def __init__(self, log: Log, rng: random.Random) -> None:
        self.events, self.rng = log.events, rng
        self.places = [one["leaf_index"] for one in log.records]
        self.stops = list(_stops(log))

    def before(self, index: int) -> int:
        """The number of checkpoints that lie wholly before an event."""
        return sum(stop.size <= index for stop in self.stops)

    def attack(self, kind: str, place: int) -> Iterator[Placed]:
        """The events from the last checkpoint before the place on, changed."""
        passed = self.before(place)
        start = self.stops[passed - 1].size if passed else 0
        changed = ATTACKS[kind](self, place)
        return _numbered(start, chain(_from(self.events, start, place), changed))

    def untouched(self, place: int) -> Iterator[Placed]:
        """The same without a change."""
        passed = self.before(place)
        start = self.stops[passed - 1].size if passed else 0
        return _numbered(start, _from(self.events, start))

    # Each gives what stands from the place on.

    def change_a_bit(self, place: int) -> Iterator[Event]:
        """One bit of one column."""
        event = dict(self.events[place])
        column = self.rng.choice(sorted(set(event) - NOT_HASHED))
        changed = _flip(event[column], self.rng)
        event["claims" if column == "leaf_index" else column] = changed
        if column not in {"leaf_hash", "leaf_index"}:
            event["leaf_hash"] = leaf_hash(event).hex()
        yield event
        yield from _from(self.events, place + 1)

    def delete(self, place: int) -> Iterator[Event]:
        """One record gone, all that follow one place further up."""
        return _from(self.events, place + 1)

    def insert(self, place: int) -> Iterator[Event]:
        """A record that nobody made."""
        invented = record(
            self.rng.randrange(2), parse_time(self.events[place]["received_at"]), self.rng
        )
        yield {**invented, "leaf_hash": leaf_hash(invented).hex(), "leaf_index": place}
        yield from _from(self.events, place)

    def swap(self, place: int) -> Iterator[Event]:
        """Two records, each in the other's place."""
        other = self.rng.randrange(place + 1, self.places[-1] + 1)
        order = {place: other, other: place}
        for index in range(place, len(self.events)):
            yield self.events[order.get(index, index)]

    def truncate(self, _place: int) -> Iterator[Event]:
        """Everything from here on cut off."""
        return iter(())

    def duplicate(self, place: int) -> Iterator[Event]:
        """A record that stands twice."""
        yield self.events[place]
        yield from _from(self.events, place)

    def backdate(self, place: int) -> Iterator[Event]:
        """A record that claims to be older."""
        event = dict(self.events[place])
        earlier = timedelta(milliseconds=self.rng.randrange(1, 300 * 86_400_000))
        for column in ("decided_at", "received_at", "valid_until"):
            event[column] = spell_time(parse_time(event[column]) - earlier)
        yield {**event, "leaf_hash": leaf_hash(event).hex()}
        yield from _from(self.events, place + 1)

    def is_found(self, events: Iterator[Placed], passed: int) -> str | None:
        """What our verifier says, or None."""
        stops = self.stops[passed:]
        begun = self.stops[passed - 1] if passed else None
        marks = [stop.mark for stop in (*([begun] if begun else []), *stops)]
        walk = Walk(marks, CONTEXT, whole=True, seen=begun.seen.copy() if begun else None)
        try:
            walk.run(_streams(events))
        except Broken as error:
            return str(error)
        return None

    def is_found_by_the_small_one(self, events: Iterator[Placed], passed: int) -> str | None:
        """What the verifier inside the bundle says, or None."""
        leaves, records, admin = tee(events, 3)
        known: dict[str, Any] = {**KNOWN, "unnamed": set()}
        if passed:
            known["start"] = self.stops[passed - 1].start
        lines = (f"{place} {_leaf(one)}\n".encode() for place, one in leaves)
        files = [
            (_line(one) for _, one in records if "kind" in one),
            (_line(one) for _, one in admin if "action" in one),
        ]
        try:
            small.walk(lines, files, [stop.point for stop in self.stops[passed:]], known)
        except ValueError as error:
            return str(error)
        return None


ATTACKS: dict[str, Callable[[Tampered, int], Iterator[Event]]] = {
    "one bit changed": Tampered.change_a_bit,
    "deleted": Tampered.delete,
    "inserted": Tampered.insert,
    "swapped": Tampered.swap,
    "truncated": Tampered.truncate,
    "duplicated": Tampered.duplicate,
    "backdated": Tampered.backdate,
}


def count_found(tampered: Tampered, kind: str, attacks: int) -> Counter[str]:
    """Attack at that many random places; count what each verifier found."""
    found: Counter[str] = Counter()
    for _ in range(attacks):
        place = tampered.rng.choice(tampered.places[1:-1])
        passed = tampered.before(place)
        one, other = tee(tampered.attack(kind, place))
        found["ours"] += tampered.is_found(one, passed) is not None
        found["small"] += tampered.is_found_by_the_small_one(other, passed) is not None
    return found


def _stops(log: Log) -> Iterator[Stop]:
    """Walk the true log once with both verifiers, and remember where they were."""
    seen, tree, after, size = Seen(), list[bytes](), datetime.min, 0
    keys, marks = Keys(tuple(log.keys)), []
    for raw in (log.checkpoints[one] for one in sorted(log.checkpoints)):
        signed = open_checkpoint(raw, keys, "checkpoint")
        point = small.read_note(raw, [], False)
        mark = Mark(signed.size, signed.root, spell_time(signed.sealed_at), f"{signed.size}")
        marks.append(mark)
        part = log.events[size : signed.size]
        walk = Walk(marks, CONTEXT, whole=True, seen=seen)
        seen = walk.run(_streams(_numbered(size, iter(part))))
        tree = _frontier(tree, size, part)
        after, size = point[2], signed.size
        yield Stop(size, mark, point, seen.copy(), (size, list(tree), after))


def _frontier(tree: list[bytes], size: int, events: list[Event]) -> list[bytes]:
    tree = list(tree)
    for event in events:
        subtree, index = bytes.fromhex(event["leaf_hash"]), size
        while index & 1:
            subtree, index = sha256(b"\x01" + tree.pop() + subtree).digest(), index >> 1
        tree.append(subtree)
        size += 1
    return tree


def _streams(events: Iterator[Placed]) -> Streams:
    leaves, records, admin = tee(events, 3)
    return Streams(
        (Span(place, place, bytes.fromhex(_leaf(one))) for place, one in leaves),
        (read_event(_line(one)) for _, one in records if "kind" in one),
        (read_event(_line(one)) for _, one in admin if "action" in one),
    )


def _leaf(event: Event) -> str:
    """What leaves.txt has: the hash that the record states, where it is one."""
    stated = event["leaf_hash"]
    return stated if re.fullmatch("[0-9a-f]{64}", stated) else leaf_hash(event).hex()


def _line(event: Event) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _from(events: list[Event], start: int, end: int | None = None) -> Iterator[Event]:
    return (events[at] for at in range(start, len(events) if end is None else end))


def _numbered(start: int, events: Iterator[Event]) -> Iterator[Placed]:
    """Give every event the place that it has now; a changed leaf_index stays changed."""
    for place, event in enumerate(events, start):
        if event["leaf_index"] == place and "claims" not in event:
            yield place, event
        else:
            claimed = event.get("claims", place)
            rest = {name: value for name, value in event.items() if name != "claims"}
            yield place, {**rest, "leaf_index": claimed}


def _flip(value: Any, rng: random.Random) -> Any:
    """One bit of a value, in the form in which it is written."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1 << rng.randrange(8)
    if isinstance(value, dict):
        if not value:
            return {chr(rng.choice(b"abcdef")): 1}
        name = rng.choice(sorted(value))
        return {**value, name: _flip(value[name], rng)}
    if not value:
        return chr(rng.choice(b"abcdef"))
    at = rng.randrange(len(value))
    flipped = chr(ord(value[at]) ^ 1 << rng.randrange(5))
    return value[:at] + flipped + value[at + 1 :]


def main(attacks: int, records: int, seed: int) -> int:
    """Attack in every way, and say what was found; 0 when all was."""
    started, missed = time.monotonic(), 0
    tampered = Tampered(make_log(records, every=EVERY), random.Random(seed))
    for kind in ATTACKS:
        found = count_found(tampered, kind, attacks)
        missed += 2 * attacks - found.total()
        sys.stdout.write(
            f"{kind}: {found['ours']} of {attacks} found by `audit verify`, "
            f"{found['small']} of {attacks} by verify.py "
            f"({time.monotonic() - started:.0f} s)\n"
        )
        sys.stdout.flush()
    sys.stdout.write(f"missed: {missed} of {2 * attacks * len(ATTACKS)}\n")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(
        main(
            *[
                int(given)
                for given in (*sys.argv[1:], *("10000", "10000", "1")[len(sys.argv) - 1 :])
            ]
        )
    )
