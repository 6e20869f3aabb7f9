"""Archive: the zip of a bundle, written piece by piece, the same for the same content."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

from consent_server.rules.merkle import hash_node

FORMAT, FORMAT_VERSION = "consent-bundle", 1
MANIFEST = "manifest.json"
TILE = 256
#: Times in a zip have no zone: the manifest says when the bundle was made.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o100644 << 16
_CHUNK = 64 * 1024


class BundleWriter:
    """Writes the files of a bundle one after the other, and at the end what they are."""

    def __init__(self, file: IO[bytes]) -> None:
        self._archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=True)
        self.files: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> BundleWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Let go of a bundle that came to nothing: whoever made the file removes it.

        The zip would else be finished, into a closed file, when it is no longer known, and Python
        tell of that in words of its own.
        """
        if kind is not None:
            self._archive.fp = None

    def add(self, name: str, content: Iterable[bytes]) -> None:
        """Add a file that comes in pieces; it may be larger than memory, or than 4 GiB."""
        with self.adding(name) as write:
            for piece in content:
                write(piece)

    @contextmanager
    def adding(self, name: str) -> Iterator[Callable[[bytes], None]]:
        """Open a file to write it piece by piece."""
        found, length = hashlib.sha256(), 0
        with self._archive.open(_entry(name), "w", force_zip64=True) as target:

            def write(piece: bytes) -> None:
                nonlocal length
                target.write(piece)
                found.update(piece)
                length += len(piece)

            yield write
        self.files[name] = {"sha256": found.hexdigest(), "bytes": length}

    def finish(self, manifest: dict[str, Any]) -> None:
        """Write the manifest, with the SHA-256 of every file, and close the zip."""
        whole = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            **manifest,
            "files": dict(sorted(self.files.items())),
        }
        content = json.dumps(whole, ensure_ascii=False, indent=1).encode() + b"\n"
        self._archive.writestr(_entry(MANIFEST), content)
        self._archive.close()


def spell_json(value: Any) -> list[bytes]:
    """Return a small file of JSON, for people to read too."""
    return [json.dumps(value, ensure_ascii=False, indent=1).encode(), b"\n"]


def spell_leaves(
    leaves: Iterable[bytes], shown: bytearray | None, sizes: Sequence[int]
) -> Iterator[bytes]:
    """Give the lines of leaves.txt, in pieces.

    `shown` says of each tile of 256 leaves whether the bundle holds an event of it; a
    complete tile of which it holds none is one line, its hash, unless a checkpoint of
    the bundle (`sizes`) ends inside it. None shows every leaf.
    """
    cut = {size // TILE for size in sizes if size % TILE}
    tile: list[bytes] = []
    number, lines = 0, bytearray()
    for leaf in leaves:
        tile.append(leaf)
        if len(tile) < TILE:
            continue
        left_out = shown is not None and not shown[number] and number not in cut
        lines += _tile_line(number, tile) if left_out else _leaf_lines(number, tile)
        number, tile = number + 1, []
        if len(lines) >= _CHUNK:
            yield bytes(lines)
            lines.clear()
    yield bytes(lines) + _leaf_lines(number, tile)


def _leaf_lines(number: int, tile: Sequence[bytes]) -> bytes:
    first = number * TILE
    return "".join(f"{at} {leaf.hex()}\n" for at, leaf in enumerate(tile, first)).encode()


def _tile_line(number: int, tile: Sequence[bytes]) -> bytes:
    first, row = number * TILE, list(tile)
    while len(row) > 1:
        row = [hash_node(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return f"{first}-{first + TILE - 1} {row[0].hex()}\n".encode()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _MOMENT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = _READABLE
    # Whatever the machine: the same content gives the same bytes.
    entry.create_system = 3
    return entry
