"""Static pages: a site's HTML files and modules, rewritten to a folder, in place, or not at all."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from consent_server.cli.packed_pages import CODINGS, DAMAGED, packed, unpacked
from consent_server.errors import Conflict
from consent_server.rewriting import RewritePlan, Rewriter
from consent_server.rewriting.codings import Wide
from consent_server.rewriting.modules import ModuleRewriter

_SUFFIXES = frozenset({".html", ".htm"})
_SCRIPTS = frozenset({".js", ".mjs"})
#: How an encoding of several bytes begins that says no more of itself.
_UNREADABLE = b"\x00"
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file of the site, or a link in its place, and its place in the site."""

    path: Path
    place: Path

    def why_left(self, *, in_place: bool) -> str:
        """Return why it is not even read; "" for what is."""
        if self.path.is_dir():
            return "it is a link to a folder: name that folder itself"
        if not self.path.is_file():
            return "there is no file behind it"
        if in_place and self.path.is_symlink():
            return "it is a link: name the file behind it"
        return ""

    @property
    def is_page(self) -> bool:
        """Whether it is HTML by its name."""
        return self._suffix in _SUFFIXES

    @property
    def is_script(self) -> bool:
        """Whether it is JavaScript by its name, perhaps a module."""
        return self._suffix in _SCRIPTS

    @property
    def is_packed(self) -> bool:
        """Whether it is a compressed copy by its name."""
        return self.path.suffix.lower() in CODINGS

    @property
    def coding(self) -> str | None:
        """Return how it is compressed, "" for not at all, None for what we cannot read."""
        return CODINGS.get(self.path.suffix.lower(), "")

    @property
    def _suffix(self) -> str:
        name = Path(self.path.stem) if self.is_packed else self.path
        return name.suffix.lower()


@dataclass(frozen=True, slots=True)
class Report:
    """What rewriting one file changed; (element, key) -> how often."""

    file: StaticFile
    changes: Counter[tuple[str, str]]
    tag_put_in: bool
    is_changed: bool
    #: Why it was left alone; "" for what was not.
    left: str = ""
    is_read: bool = True


def find_files(paths: Iterable[Path]) -> list[StaticFile]:
    """Return every file and link below the folders, and the files given.

    Links to folders are not followed. What is given as a link is the file behind it.
    """
    found: dict[Path, StaticFile] = {}
    for path in paths:
        given = path.resolve() if path.is_symlink() else path
        for file in _below(path) if path.is_dir() else [StaticFile(given, Path(path.name))]:
            found.setdefault(file.path.absolute(), file)
    return list(found.values())


def _below(folder: Path) -> Iterator[StaticFile]:
    for root, folders, names in os.walk(folder):
        folders.sort()
        linked = [name for name in folders if Path(root, name).is_symlink()]
        for name in sorted([*names, *linked]):
            path = Path(root, name)
            yield StaticFile(path, path.relative_to(folder))


def check_output(files: list[StaticFile], output: Path, paths: Iterable[Path]) -> None:
    """Refuse a folder in which two files would meet, or that lies among the files.

    Whichever way it is spelled, and wherever links in it lead.
    """
    places: dict[Path, Path] = {}
    sources = {file.path.resolve() for file in files}
    for file in files:
        earlier = places.setdefault(file.place, file.path)
        if earlier != file.path:
            raise Conflict(f"{earlier} and {file.path} would both become {output / file.place}.")
        lies_in = file.path.parent.resolve().is_relative_to(output.resolve())
        if lies_in or (output / file.place).resolve() in sources:
            raise Conflict(f"{output} holds {file.path}. Choose a folder of its own for --output.")
    for path in paths:
        if path.is_dir() and output.resolve().is_relative_to(path.resolve()):
            raise Conflict(
                f"{output} lies in {path}: the next run would read it as a part of the site. "
                "Choose a folder of its own for --output."
            )


def rewrite_file(file: StaticFile, plan: RewritePlan, target: Path | None) -> Report:
    """Rewrite a page or script; `target` is written whole or not at all, None writes nothing.

    A compressed copy that cannot be rewritten goes nowhere: it would be sent instead of its page.
    """
    coding = file.coding
    if coding is None:
        return _leave(file, "it is compressed in a way that cannot be read: compress its page anew")
    rewriter = Rewriter(plan) if file.is_page else ModuleRewriter(plan)
    body = Wide("", rewriter) if isinstance(rewriter, Rewriter) else rewriter
    with file.path.open("rb") as source, tempfile.TemporaryFile() as out:
        chunks = unpacked(iter(partial(source.read, _CHUNK), b""), coding)
        try:
            first = next(chunks, b"")
            if first.startswith(_UNREADABLE):
                if target is not None and target != file.path:
                    copy_file(file, target)
                return _leave(file, "its encoding is not one that can be rewritten")
            for chunk in itertools.chain([first], chunks):
                out.write(body.feed(chunk))
        except DAMAGED:
            return _leave(file, "it is no whole compressed file: compress its page anew")
        out.write(body.finish())
        tag_put_in = isinstance(rewriter, Rewriter) and rewriter.put_tag_in
        is_changed = bool(rewriter.changes) or tag_put_in
        if target is not None and (is_changed or target != file.path):
            out.seek(0)
            again = iter(partial(out.read, _CHUNK), b"")
            _replace(target, packed(again, coding) if coding else again, like=file.path)
    return Report(file, rewriter.changes, tag_put_in, is_changed)


def _leave(file: StaticFile, why: str) -> Report:
    return Report(file, Counter(), False, False, why)


def copy_file(file: StaticFile, target: Path) -> None:
    """Copy what is no page."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file.path, target)


def _replace(target: Path, content: Iterable[bytes], *, like: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as written:
        try:
            for chunk in content:
                written.write(chunk)
            written.flush()
            os.fsync(written.fileno())
            shutil.copymode(like, written.name)
            Path(written.name).replace(target)
        except BaseException:
            Path(written.name).unlink(missing_ok=True)
            raise
