"""Power: what a server wrote, in the order of its system calls, and what a disk kept of it.

The server runs under strace, which writes down each write, truncation and sync of the
database's files, and each answer to a client. From that log the files are put together again
as they could be found after a power cut at any moment: what was synced is there, of what was
not any part may be, down to a sector.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: The unit that a disk writes whole, in bytes.
_SECTOR = 512
CALLS = "pwrite64,ftruncate,fdatasync,fsync,write,writev,sendto,sendmsg"
#: Thread, name of the call, and the rest of the line.
_BEGIN = re.compile(rb"(\d+) +(\w+)\((.*)")
_RESUMED = re.compile(rb"(\d+) +<\.\.\. (\w+) resumed>(.*)")
_FILE = re.compile(rb"\d+<([^>]*)>, ?(.*)|\d+<([^>]*)>()")
_ID = re.compile(rb'"event_id":"([0-9a-f-]{36})"')


@dataclass(frozen=True)
class Write:
    """Bytes written to a file."""

    file: str
    offset: int
    data: bytes


@dataclass(frozen=True)
class Truncation:
    """A file cut to a length."""

    file: str
    length: int


@dataclass(frozen=True)
class Sync:
    """A file's writes before `since` (their place in the log) are on the disk."""

    file: str
    since: int


@dataclass(frozen=True)
class Answer:
    """The server begins to tell a client that these decisions are recorded."""

    ids: tuple[str, ...]


Event = Write | Truncation | Sync | Answer


def read_trace(trace: Path, folder: Path) -> list[Event]:
    """Return what happened to the files of `folder`, and what was answered, in order."""
    events: list[Event] = []
    #: Calls that have begun, by their thread: the line so far, and the events before it.
    begun: dict[bytes, tuple[bytes, int]] = {}
    with trace.open("rb") as lines:
        for line in lines:
            found = _RESUMED.match(line)
            if found:
                start, since = begun.pop(found[1], (b"", 0))
                line = start + found[3]  # noqa: PLW2901 (the line is put together)
            else:
                since = len(events)
            call = _BEGIN.match(line)
            if call is None:
                continue
            if line.rstrip().endswith(b"<unfinished ...>"):
                begun[call[1]] = line.rpartition(b"<unfinished ...>")[0], len(events)
                # Whoever reads the answer may have it before the call returns.
                events += _answers(call[2], call[3])
                continue
            if found is None:
                events += _answers(call[2], call[3])
            events += _changes(call[2], call[3], str(folder).encode(), since)
    return events


def _answers(name: bytes, rest: bytes) -> Iterator[Answer]:
    if name in {b"pwrite64", b"ftruncate", b"fdatasync", b"fsync"}:
        return
    said = _unescape(rest)
    # Receipts alone have both.
    if b'"leaf_hash":"' in said and (ids := _ID.findall(said)):
        yield Answer(tuple(one.decode() for one in ids))


def _changes(name: bytes, rest: bytes, folder: bytes, since: int) -> Iterator[Event]:
    place = _FILE.match(rest)
    if place is None or not rest.rstrip().rpartition(b"= ")[2].isdigit():
        return  # it failed, or it is no file
    path = _unescape(place[1] or place[3])
    if not path.startswith(folder):
        return
    file, arguments = Path(path.decode()).name, place[2] or b""
    if name == b"pwrite64":
        text, _, numbers = arguments.rpartition(b'", ')
        size, offset = numbers.partition(b")")[0].split(b", ")
        data = _unescape(text)
        assert len(data) == int(size), "strace wrote a part of the bytes only"
        yield Write(file, int(offset), data)
    elif name == b"ftruncate":
        yield Truncation(file, int(arguments.partition(b")")[0]))
    elif name in {b"fdatasync", b"fsync"}:
        yield Sync(file, since)


def _unescape(text: bytes) -> bytes:
    """Return the bytes of `\\x..` in a line of strace (-xx); the rest as it is."""
    if b"\\x" not in text:
        return text
    found = b"".join(re.findall(rb"\\x([0-9a-f]{2})", text))
    return bytes.fromhex(found.decode())


@dataclass
class Disk:
    """The files as a disk has them: what is certain, and what may be there."""

    #: File name -> bytes that a power cut leaves.
    kept: dict[str, bytearray]
    #: What was written since, with its place in the log.
    pending: list[tuple[int, Write | Truncation]] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)

    def take(self, place: int, event: Event) -> None:
        """Let the next event happen."""
        if isinstance(event, Answer):
            self.acknowledged.update(event.ids)
        elif isinstance(event, Sync):
            for at, change in self.pending:
                if change.file == event.file and at < event.since:
                    _apply(self.kept, change)
            self.pending = [
                (at, change)
                for at, change in self.pending
                if change.file != event.file or at >= event.since
            ]
        else:
            self.pending.append((place, event))

    def cut(self, chance: random.Random) -> dict[str, bytes]:
        """Return the files as they are found after a power cut now."""
        files = {name: bytearray(content) for name, content in self.kept.items()}
        share = chance.choice([0.0, 0.1, 0.5, 0.9, 1.0])
        for _, change in self.pending:
            if isinstance(change, Truncation):
                if chance.random() < share:
                    _apply(files, change)
                continue
            for begin in range(0, len(change.data), _SECTOR):
                if chance.random() < share:
                    sector = change.data[begin : begin + _SECTOR]
                    _apply(files, Write(change.file, change.offset + begin, sector))
        return {name: bytes(content) for name, content in files.items()}


def _apply(files: dict[str, bytearray], change: Write | Truncation) -> None:
    content = files.setdefault(change.file, bytearray())
    if isinstance(change, Truncation):
        del content[change.length :]
        content.extend(bytes(change.length - len(content)))
        return
    end = change.offset + len(change.data)
    content.extend(bytes(max(0, end - len(content))))
    content[change.offset : end] = change.data
