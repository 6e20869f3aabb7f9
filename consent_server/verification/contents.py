"""Contents: the files that records point at, and the ways in which leaves and rows are written."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from hashlib import sha256
from itertools import product
from typing import Any

from consent_server.rules.regimes import regimes_shown
from consent_server.verification.container import Container
from consent_server.verification.events import RECORD_FIELDS, KnownVersion
from consent_server.verification.findings import Broken
from consent_server.verification.spelling import as_written, canonical, read_line
from consent_server.verification.usual import Usual, read_usual
from consent_server.verification.walk import Numbered, Span

_ASKED_FIRST = "opt_in"
PARTS, VIEWPORTS = ("notice", "preferences"), ("mobile", "desktop")
_VERSION = re.compile(r"versions/([1-9][0-9]{0,14})\.json", re.ASCII)
_VERSION_MEMBERS = {
    "site",
    "version",
    "config_hash",
    "material_since",
    "published_at",
    "published_by",
    "config",
    "scripts",
}
#: Without `regime` in bundles of releases that only knew one.
_PICTURE_MEMBERS = {"file", "version", "language", "part", "viewport", "sha256", "taken_at"}
_LEAF = re.compile(rb"(0|[1-9][0-9]{0,18})(?:-([1-9][0-9]{0,18}))? ([0-9a-f]{64})")
#: What makes a spreadsheet run a cell (OWASP, CSV injection).
_RUNS_AS_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")


def read_versions(container: Container) -> dict[int, KnownVersion]:
    """Return every version of the bundle, each with the hash of its config. Raises Broken."""
    found = {}
    for name in container.names:
        numbered = _VERSION.fullmatch(name)
        if not numbered:
            continue
        version = container.document(name)
        if (
            set(version) != _VERSION_MEMBERS
            or version["version"] != int(numbered[1])
            or not _are_texts([version["published_at"], version["published_by"]])
            or type(version["material_since"]) is not int
        ):
            raise Broken(f"{name} is not the snapshot of that version.")
        config = version["config"]
        if (
            not isinstance(config, dict)
            or type(config.get("valid_days")) is not int
            or not isinstance(config.get("texts", {}), dict)
        ):
            raise Broken(f"{name} holds no configuration.")
        digest = sha256(canonical(config)).hexdigest()
        if digest != version["config_hash"] or version["site"] != container.manifest["site"]:
            raise Broken(f"{name} was changed: its config no longer gives its config_hash.")
        found[int(numbered[1])] = KnownVersion(
            digest,
            config["valid_days"],
            tuple(config.get("texts", {})),
            _regimes_of(config),
            version["published_at"],
            version["published_by"],
            version["material_since"],
        )
    return found


def read_scripts(container: Container) -> set[str]:
    """Return the hash of every script of the bundle. Raises Broken."""
    found = set()
    for name in container.names:
        if name.startswith("scripts/"):
            digest = name.removeprefix("scripts/").removesuffix(".js")
            # The manifest's hashes are those of the files: that was checked first.
            if container.manifest["files"][name]["sha256"] != digest:
                raise Broken(f"{name} was changed: its bytes do not give the hash in its name.")
            found.add(digest)
    return found


def check_pictures(container: Container, versions: dict[int, KnownVersion]) -> tuple[int, int]:
    """Return how many screenshots the bundle has and lacks. Raises Broken."""
    index = container.document("screenshots/index.json")
    taken: Any = index.get("taken")
    missing: Any = index.get("missing")
    if set(index) != {"taken", "missing"} or type(taken) is not list or not _are_texts(missing):
        raise Broken("screenshots/index.json has not the form of this format.")
    files = container.manifest["files"]
    listed = set()
    for picture in taken:
        if not (
            isinstance(picture, dict)
            and set(picture) - {"regime"} == _PICTURE_MEMBERS
            and _are_texts([value for key, value in picture.items() if key != "version"])
        ):
            raise Broken("screenshots/index.json has not the form of this format.")
        name = picture_name(
            picture["version"],
            picture["language"],
            picture["part"],
            picture["viewport"],
            picture.get("regime", _ASKED_FIRST),
        )
        if picture["file"] != name or name not in files:
            raise Broken(f"{picture['file']} is listed in screenshots/index.json and not there.")
        if files[name]["sha256"] != picture["sha256"]:
            raise Broken(f"{name} was changed: its SHA-256 is not that of screenshots/index.json.")
        listed.add(name)
    pictures = {name for name in container.names if name.endswith(".png")}
    if pictures != listed:
        raise Broken("There is a screenshot that screenshots/index.json does not list.")
    if listed | set(missing) != set(picture_names(versions)) or listed & set(missing):
        raise Broken("screenshots/index.json does not account for every version and language.")
    return len(taken), len(missing)


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(one, str) for one in values)


def picture_names(versions: dict[int, KnownVersion]) -> Iterator[str]:
    """Give the name of each screenshot that there should be."""
    for number, version in sorted(versions.items()):
        for regime, language in product(version.regimes, version.languages):
            for part, view in product(PARTS, VIEWPORTS):
                yield picture_name(number, language, part, view, regime)


def picture_name(version: int, language: str, part: str, viewport: str, regime: str) -> str:
    """Return where a screenshot lies in a bundle."""
    folder = "" if regime == _ASKED_FIRST else f"{regime}/"
    return f"screenshots/{version}/{folder}{language}-{part}-{viewport}.png"


def _regimes_of(config: dict[str, Any]) -> tuple[str, ...]:
    """Return the regimes in which a version shows something. Raises Broken."""
    try:
        return tuple(str(regime) for regime in regimes_shown({"regime": _ASKED_FIRST, **config}))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Broken("A version names a regime that is not known here.") from None


def read_leaves(container: Container) -> Iterator[Span]:
    """Give the lines of leaves.txt. Raises Broken."""
    for number, line in enumerate(container.lines("leaves.txt"), 1):
        found = _LEAF.fullmatch(line)
        if not found:
            raise Broken(f"leaves.txt, line {number}: expected an index and a hash.")
        first, last, digest = found.groups()
        yield Span(int(first), int(last or first), bytes.fromhex(digest.decode()))


def read_events(container: Container, name: str) -> Iterator[Numbered]:
    """Give the events of a file of JSON lines, with their indices. Raises Broken."""
    for number, line in enumerate(container.lines(name), 1):
        try:
            yield read_event(line)
        except Broken as error:
            raise Broken(f"{name}, line {number}: {error}") from error


def read_event(line: bytes) -> Numbered:
    """Return the event of a line, with its index. Raises Broken."""
    if usual := read_usual(line):
        return Numbered(usual.record["leaf_index"], usual.record, usual)
    event = read_line(line)
    index = event.get("leaf_index")
    if type(index) is not int or index < 0:
        raise Broken("has no leaf_index")
    return Numbered(index, event)


class Rows:
    """The rows of records.csv, which must say the same as the records, one by one."""

    def __init__(self, container: Container) -> None:
        self._lines = container.lines("records.csv")
        #: The next line, where it was read and is not what was expected.
        self._read: list[bytes] = []
        self._rows = csv.reader(self._texts(), strict=True)
        if self._next() != list(RECORD_FIELDS):
            raise Broken("records.csv has not the columns of this format.")

    def check(self, record: dict[str, Any], usual: Usual | None = None) -> None:
        """Compare the next row with the next record. Raises Broken."""
        if usual:
            line = next(self._lines, None)
            if line == usual.row + b"\r":
                return
            self._read = [] if line is None else [line]
        row = self._next()
        if row is None:
            raise Broken("records.csv ends before it")
        if len(row) != len(RECORD_FIELDS):
            raise Broken("its row in records.csv has not as many cells as there are columns")
        told = [cell[1:] if cell[:1] == "'" else cell for cell in row]
        spelled = [_spell(one) for one in record.values()]
        if told != spelled:
            pairs = zip(told, spelled, RECORD_FIELDS, strict=True)
            name = next(name for cell, said, name in pairs if cell != said)
            raise Broken(f"records.csv has another {name}")
        if not _RUNS_AS_FORMULA.isdisjoint([cell[:1] for cell in row]):
            raise Broken("a spreadsheet would run a cell of its row in records.csv")

    def close(self) -> None:
        """Check that there is no row without a record. Raises Broken."""
        if self._next() is not None:
            raise Broken("records.csv has more rows than there are records.")

    def _texts(self) -> Iterator[str]:
        encoding = "utf-8-sig"  # a mark of the encoding begins the first line
        while (line := self._read.pop() if self._read else next(self._lines, None)) is not None:
            yield line.decode(encoding) + "\n"
            encoding = "utf-8"

    def _next(self) -> list[str] | None:
        try:
            return next(self._rows, None)
        except (csv.Error, UnicodeDecodeError) as error:
            raise Broken(f"records.csv cannot be read as CSV: {error}") from error


def _spell(value: Any) -> str:
    if value is None:
        return ""
    return as_written(value) if isinstance(value, dict) else str(value)
