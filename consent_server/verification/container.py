"""Container: the zip of a bundle, read without believing it."""

from __future__ import annotations

import hashlib
import io
import os
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from consent_server.verification.findings import Broken
from consent_server.verification.spelling import read_document

FORMAT, FORMAT_VERSION = "consent-bundle", 1
MANIFEST = "manifest.json"
#: What every bundle has.
NEEDED = (
    "README.txt",
    "admin.jsonl",
    "keys.json",
    "leaves.txt",
    "records.csv",
    "records.jsonl",
    "screenshots/index.json",
    "totals.csv",
    "verify.py",
)
_NAME = re.compile(
    r"README\.txt|verify\.py|keys\.json|totals\.csv|leaves\.txt|admin\.jsonl|records\.(jsonl|csv)"
    r"|checkpoints/(0|[1-9][0-9]{0,14})\.txt|versions/[1-9][0-9]{0,14}\.json|scripts/[0-9a-f]{64}\.js"
    r"|screenshots/index\.json"
    r"|screenshots/[1-9][0-9]*/([a-z_]+/)?[A-Za-z0-9-]+-(notice|preferences)-(mobile|desktop)\.png",
    re.ASCII,
)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MEMBERS = {
    "format": str,
    "format_version": int,
    "site": str,
    "origin": str,
    "generator": str,
    "created_at": str,
    "export": str,
    "filters": dict,
    "counts": dict,
    "checkpoint": dict,
    "files": dict,
}
#: No file that is read as a whole is larger; the long ones are read line by line.
_MAX_WHOLE = 64 * 1024 * 1024
#: No record is longer.
_MAX_LINE = 1024 * 1024
_CHUNK = 256 * 1024
_LOCAL_HEADER = struct.Struct("<4s22xHH")
#: Extra fields: which, and how long; here one only, of numbers that need 64 bits.
_EXTRA, _NUMBER, _ZIP64 = struct.Struct("<HH"), struct.Struct("<Q"), 1
#: An entry of the directory without its name, and what ends a zip (APPNOTE 4.3.12 to 4.3.16).
_ENTRY_BYTES, _END_BYTES, _ZIP64_END_BYTES = 46, 22, 56 + 20


@dataclass
class Container:
    """An open bundle, its manifest read and its form checked."""

    archive: zipfile.ZipFile
    manifest: dict[str, Any] = field(default_factory=dict)
    _streams: ExitStack = field(default_factory=ExitStack)

    def close(self) -> None:
        """Close the zip, and what is still read of it."""
        self._streams.close()
        self.archive.close()

    @property
    def names(self) -> list[str]:
        """Every file but the manifest, in the zip's order."""
        return [name for name in self.archive.namelist() if name != MANIFEST]

    @property
    def whole(self) -> bool:
        """Whether the bundle claims to hold everything up to its checkpoint."""
        return not any(self.manifest["filters"].values())

    def stream(self, name: str) -> IO[bytes]:
        """Open a file to read it piece by piece, as long as the container is open."""
        return self._streams.enter_context(self.archive.open(name))

    def read(self, name: str) -> bytes:
        """Return a file that must fit into memory."""
        with self.archive.open(name) as file:
            content = file.read(_MAX_WHOLE + 1)
        if len(content) > _MAX_WHOLE:
            raise Broken(f"{name} is larger than any such file can be.")
        return content

    def document(self, name: str) -> dict[str, Any]:
        """Return a file's JSON object."""
        try:
            return read_document(self.read(name))
        except Broken as error:
            raise Broken(f"{name} {error}.") from error

    def lines(self, name: str) -> Iterator[bytes]:
        """Give the lines of a file without their ends; each must have one."""
        # A zip's own reading of lines is Python's, and a tenth of all that is done here.
        raw = cast(io.RawIOBase, self.stream(name))
        with io.BufferedReader(raw) as file:
            number = 0
            while line := file.readline(_MAX_LINE):
                number += 1
                if not line.endswith(b"\n"):
                    raise Broken(f"{name}, line {number}: the line is cut off or too long.")
                yield line[:-1]

    def hash_of(self, name: str) -> tuple[str, int]:
        """Return SHA-256 and length of a file. Raises Broken where bytes hide behind it."""
        entry = self.archive.getinfo(name)
        found, length, crc = hashlib.sha256(), 0, 0
        for piece in _unpack(self.archive, entry):
            found.update(piece)
            length += len(piece)
            crc = zlib.crc32(piece, crc)
        if (length, crc) != (entry.file_size, entry.CRC):
            raise Broken(f"{name} is damaged: it is not what the zip says of it.")
        return found.hexdigest(), length


def open_container(file: Path) -> Container:
    """Open a bundle and read its manifest. Raises Broken."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError) as error:
        raise Broken(f"{file} cannot be read as a zip: {error}") from error
    with ExitStack() as unless_good:
        container = Container(archive)
        unless_good.callback(container.close)
        try:
            _check_entries(archive)
        except (OSError, struct.error) as error:
            raise Broken(f"{file} cannot be read as a zip: {error}") from error
        if MANIFEST not in archive.namelist():
            raise Broken(f"The zip has no {MANIFEST}: it is no bundle.")
        container.manifest = container.document(MANIFEST)
        _check_manifest(container.manifest)
        unless_good.pop_all()
    return container


def check_files(container: Container) -> None:
    """Check that the zip holds exactly what the manifest lists. Raises Broken."""
    listed, found = container.manifest["files"], container.names
    for name in found:
        if name not in listed:
            raise Broken(f"The zip holds {name}, which the manifest does not list.")
        if not _NAME.fullmatch(name):
            raise Broken(f"The manifest lists {name}, which no bundle has.")
    for name in (*listed, *NEEDED):
        if name not in found:
            raise Broken(f"{name} is missing from the zip.")
    container.hash_of(MANIFEST)  # nothing hides behind it either
    for name in found:
        digest, length = container.hash_of(name)
        if listed[name] != {"sha256": digest, "bytes": length}:
            raise Broken(f"{name} is not the file that the manifest lists: its SHA-256 differs.")


def _check_entries(archive: zipfile.ZipFile) -> None:
    """Refuse a zip that two programs could read differently: twice a name, bytes between."""
    names = Counter(archive.namelist())
    twice = [name for name, times in names.items() if times > 1]
    if twice:
        raise Broken(f"The zip holds {twice[0]} twice.")
    end = 0
    raw = archive.fp
    for entry in sorted(archive.infolist(), key=lambda one: one.header_offset):
        if entry.flag_bits & 0x1 or entry.compress_type not in {0, zipfile.ZIP_DEFLATED}:
            raise Broken(f"{entry.filename} is packed in a way that no bundle is.")
        if entry.header_offset != end or raw is None:
            raise Broken(f"The zip hides bytes before {entry.filename}.")
        raw.seek(end)
        magic, name, extra = _LOCAL_HEADER.unpack(raw.read(_LOCAL_HEADER.size))
        if magic != b"PK\x03\x04" or raw.read(name) != entry.filename.encode():
            raise Broken(f"The zip calls {entry.filename} by two names.")
        beside = entry.extra, raw.read(extra)
        if entry.comment or not all(_is_sizes(one, entry) for one in beside):
            raise Broken(f"The zip hides bytes beside {entry.filename}.")
        end += _LOCAL_HEADER.size + name + extra + entry.compress_size
    length = raw.seek(0, os.SEEK_END) if raw else 0
    if end != archive.start_dir or archive.comment or _end_of(archive) != length:
        raise Broken("The zip hides bytes after its files.")


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Give a file in pieces; `zipfile` would not say what stands behind its end."""
    packed = _packed(archive, entry)
    if entry.compress_type == zipfile.ZIP_STORED:
        yield from packed
        return
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    for piece in packed:
        left = piece
        while left and not inflating.eof:
            yield inflating.decompress(left, _CHUNK)
            left = inflating.unconsumed_tail
        if inflating.eof:
            break
    yield inflating.flush()
    if inflating.unused_data or next(packed, b""):
        raise Broken(f"The zip hides bytes behind {entry.filename}.")


def _packed(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Give the bytes that a zip holds of a file, in pieces."""
    raw, left = archive.fp, entry.compress_size
    if raw is None:
        return
    raw.seek(entry.header_offset)
    _, name, extra = _LOCAL_HEADER.unpack(raw.read(_LOCAL_HEADER.size))
    raw.seek(name + extra, os.SEEK_CUR)
    while piece := raw.read(min(_CHUNK, left)):
        left -= len(piece)
        yield piece


def _is_sizes(extra: bytes, entry: zipfile.ZipInfo) -> bool:
    """Tell whether an extra field is none, or repeats what a zip beyond 4 GiB needs it for."""
    known = {entry.file_size, entry.compress_size, entry.header_offset}
    length = len(extra) - _EXTRA.size
    if length <= 0 or length % _NUMBER.size or length > 3 * _NUMBER.size:
        return not extra
    numbers = {number for (number,) in _NUMBER.iter_unpack(extra[_EXTRA.size :])}
    return _EXTRA.unpack_from(extra) == (_ZIP64, length) and numbers <= known


def _end_of(archive: zipfile.ZipFile) -> int:
    """Return where a zip ends whose directory says nothing but what its files are."""
    raw, end = archive.fp, archive.start_dir
    for entry in archive.infolist():
        end += _ENTRY_BYTES + len(entry.filename.encode()) + len(entry.extra)
    if raw is None:
        return end
    raw.seek(end)
    if raw.read(4) == b"PK\x06\x06":  # a directory of more than 65,535 files, or beyond 4 GiB
        end += _ZIP64_END_BYTES
    return end + _END_BYTES


def _check_manifest(manifest: dict[str, Any]) -> None:
    if manifest.get("format") != FORMAT or manifest.get("format_version") != FORMAT_VERSION:
        raise Broken(
            f"The manifest is not of {FORMAT} {FORMAT_VERSION}, the format that is checked here."
        )
    for name, kind in _MEMBERS.items():
        if type(manifest.get(name)) is not kind:
            raise Broken(f"The manifest has no right {name}.")
    if not _are_filters(manifest["filters"]):
        raise Broken("The manifest does not say what the bundle selects.")
    if set(manifest) != set(_MEMBERS):
        raise Broken("The manifest says more than this format has.")


def describe_selection(filters: Mapping[str, Any]) -> str:
    """Return what a manifest selects in words, for people who check the bundle; "" for all."""
    versions = filters["versions"]
    times = [
        # A text that somebody else wrote: a line of its own must not become one of ours.
        f"{word} {ascii(filters[name])[1:-1]}"
        for word, name in (("since", "from"), ("before", "to"))
        if filters[name]
    ]
    told = [f"received {' and '.join(times)}"] if times else []
    if versions:
        numbers = ", ".join(map(str, versions))
        told.append(f"of {'version' if len(versions) == 1 else 'the versions'} {numbers}")
    if filters["subject"]:
        told.append(f"of the subject whose SHA-256 is {filters['subject']}")
    return f"records {', '.join(told)}" if told else ""


def _are_filters(filters: dict[str, Any]) -> bool:
    """Tell whether that is a selection: two times, numbers of versions, a subject's SHA-256."""
    if set(filters) != {"from", "to", "versions", "subject"}:
        return False
    versions, subject = filters["versions"], filters["subject"]
    return (
        all(filters[name] is None or isinstance(filters[name], str) for name in ("from", "to"))
        and isinstance(versions, list)
        and all(type(number) is int for number in versions)
        and (subject is None or (isinstance(subject, str) and bool(_HASH.fullmatch(subject))))
    )
