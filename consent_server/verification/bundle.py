"""Bundle: every check of a bundle, in the order in which one rests on the other."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from zlib import error as zlib_error

from consent_server.rules.note import VerifierKey
from consent_server.rules.times import NotATime, parse_time, spell_time
from consent_server.verification.container import (
    Container,
    check_files,
    describe_selection,
    open_container,
)
from consent_server.verification.contents import (
    Rows,
    check_pictures,
    read_events,
    read_leaves,
    read_scripts,
    read_versions,
)
from consent_server.verification.events import Context
from consent_server.verification.evidence import build_evidence
from consent_server.verification.findings import Broken, Misbehaved
from consent_server.verification.outside import Receipts, check_size
from consent_server.verification.publications import (
    Publications,
    check_named,
    check_publications,
    note_publication,
)
from consent_server.verification.signatures import (
    Keys,
    Signed,
    check_trusted,
    open_checkpoint,
    read_checkpoints,
    read_keys,
    trust,
)
from consent_server.verification.walk import Mark, RootDiffers, Seen, Streams, Walk

#: A bundle begins with an `export` event, and is of the checkpoint that sealed it.
_SEALED_SOON = timedelta(seconds=60)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outside:
    """What the reader has from elsewhere: keys, older checkpoints, visitors' receipts."""

    keys: Sequence[VerifierKey] = ()
    checkpoints: Sequence[tuple[str, bytes]] = ()
    receipts: Sequence[tuple[str, bytes]] = ()


@dataclass(frozen=True, slots=True)
class Verified:
    """What a bundle was found to be."""

    newest: Signed
    keys: Keys
    whole: bool


@dataclass
class _Admin:
    """What the administrators' events must have said at the end of the walk."""

    announced: set[str] = field(default_factory=set)
    published: Publications = field(default_factory=dict)
    export: dict[str, Any] | None = None
    #: Versions and scripts that something in the bundle names, by records too.
    named: set[tuple[int, str]] = field(default_factory=set)

    def note(self, event: dict[str, Any], container: Container) -> None:
        """Keep what an event says."""
        details = event["details"]
        if event["action"] == "key_change":
            self.announced.add(str(details.get("added")))
        if event["action"] == "publish" and container.whole:
            self.named.add((details["version"], str(details.get("script_hash"))))
        note_publication(self.published, event)
        if event["event_id"] == container.manifest["export"]:
            self.export = event


def verify_bundle(
    file: Path, outside: Outside, say: Say, step: Callable[[int, int], None] | None = None
) -> Verified:
    """Check a bundle from its zip to its last record; each check says one line.

    Raises Broken with the first failure, and Misbehaved when the log's own signatures
    contradict each other.
    """
    said: list[str] = []
    with ThreadPoolExecutor(1) as beside:
        # Unpacking and hashing leave the other processor to the walk. Nothing that is found
        # meanwhile is told before the files are known to be those of the manifest.
        files = beside.submit(_check_files, file)
        try:
            found = _check_contents(file, outside, said.append, step)
        finally:
            say(f"files: all {files.result()} are those of the manifest, by SHA-256")
            for line in said:
                say(line)
    return found


def _check_files(file: Path) -> int:
    """Return how many files the zip holds, each that of the manifest. Raises Broken."""
    with _reading(file) as container:
        check_files(container)
        return len(container.names)


@contextmanager
def _reading(file: Path) -> Iterator[Container]:
    container = open_container(file)
    try:
        yield container
    except (zipfile.BadZipFile, zlib_error, EOFError, OSError) as error:
        raise Broken(f"The zip is damaged: {error}") from error
    finally:
        container.close()


def _check_contents(
    file: Path, outside: Outside, say: Say, step: Callable[[int, int], None] | None
) -> Verified:
    with _reading(file) as container:
        return _verify(container, outside, say, step)


def _verify(
    container: Container, outside: Outside, say: Say, step: Callable[[int, int], None] | None
) -> Verified:
    keys = trust(read_keys(container), outside.keys)
    say(f"keys: {len(keys.log)} of the log, {len(keys.witnesses)} of witnesses")
    checkpoints = read_checkpoints(container, keys)
    newest = checkpoints[-1]
    check_trusted(checkpoints, keys, outside.keys)
    seen_by = sum(bool(one.witnesses) for one in checkpoints)
    say(f"signatures: {len(checkpoints)} checkpoints are signed, {seen_by} seen by witnesses")
    versions = read_versions(container)
    context = Context(
        container.manifest["site"],
        versions,
        frozenset(read_scripts(container)),
        container.manifest["filters"],
    )
    receipts, marks = Receipts(), [_mark(one) for one in checkpoints]
    marks += _outside_marks(outside, keys, newest, receipts)
    seen = _walk(container, context, marks, receipts, keys, newest, step)
    _say_walked(say, container, seen, len(outside.checkpoints), receipts)
    taken, missing = check_pictures(container, versions)
    lacking = f", {missing} were never taken" if missing else ""
    say(f"screenshots: {taken} are those of their index{lacking}")
    return Verified(newest, keys, container.whole)


def _walk(
    container: Container,
    context: Context,
    marks: list[Mark],
    receipts: Receipts,
    keys: Keys,
    newest: Signed,
    step: Callable[[int, int], None] | None,
) -> Seen:
    admin, rows = _Admin(), Rows(container)

    def watch(event: dict[str, Any]) -> None:
        if "kind" in event:
            admin.named.add((event["version"], event["script_hash"]))
            receipts.watch(event)
        else:
            admin.note(event, container)

    walk = Walk(
        marks,
        context,
        whole=container.whole,
        salt=os.urandom(16),
        watch=watch,
        row=rows.check,
        step=(lambda done: step(done, newest.size)) if step else None,
    )
    streams = Streams(
        read_leaves(container),
        read_events(container, "records.jsonl"),
        read_events(container, "admin.jsonl"),
    )
    try:
        seen = walk.run(streams)
    except RootDiffers as differs:
        if differs.mark.outside is None:
            raise
        raise _misbehaviour(container, keys, differs, walk.seen.tower.root(), newest) from differs
    rows.close()
    _check_counts(container, seen)
    _check_admin(container, admin, keys, newest)
    if container.whole:
        check_publications(context.versions, admin.published)
    check_named(context, admin.named)
    receipts.check_all_met(newest, context.site, whole=container.whole)
    return seen


def _mark(checkpoint: Signed, name: str = "", outside: Signed | None = None) -> Mark:
    return Mark(
        checkpoint.size,
        checkpoint.root,
        spell_time(checkpoint.sealed_at),
        name or f"checkpoints/{checkpoint.size}.txt",
        outside,
    )


def _outside_marks(outside: Outside, keys: Keys, newest: Signed, receipts: Receipts) -> list[Mark]:
    marks = []
    for name, raw in outside.checkpoints:
        signed = open_checkpoint(raw, keys, name)
        check_size(signed, newest, name)
        marks.append(_mark(signed, name, signed))
    for name, raw in outside.receipts:
        for proved in receipts.add(raw, keys, name):
            check_size(proved, newest, name)
            marks.append(_mark(proved, name, proved))
    return marks


def _misbehaviour(
    container: Container, keys: Keys, differs: RootDiffers, root: bytes, newest: Signed
) -> Broken:
    """Return what the contradiction with a checkpoint from outside amounts to."""
    old = differs.mark.outside
    if old is None:
        return differs
    try:
        evidence = build_evidence(old, newest, root, read_leaves(container), keys)
    except Broken as error:
        return Broken(f"{differs} No evidence for others could be made: {error}")
    return Misbehaved(
        f"{differs.mark.name} is signed by this log, and contradicts the bundle: "
        f"{evidence['claim']}",
        evidence,
    )


def _check_counts(container: Container, seen: Seen) -> None:
    found = {"records": seen.records, "admin_events": seen.admin, "leaves": seen.tower.size}
    if container.manifest["counts"] != found:
        raise Broken(f"The manifest counts {container.manifest['counts']}, there are {found}.")
    if container.whole and seen.without_salt > seen.erased:
        raise Broken(
            f"{seen.without_salt} records have lost their salt, but only {seen.erased} were "
            "erased according to the admin events."
        )


def _check_admin(container: Container, admin: _Admin, keys: Keys, newest: Signed) -> None:
    export, manifest = admin.export, container.manifest
    if export is None or export["action"] != "export":
        raise Broken("The bundle lacks the admin event of its own export.")
    details = export["details"]
    # The ledger says that a subject was chosen, never which.
    filters = {**manifest["filters"], "subject": manifest["filters"]["subject"] is not None}
    if details.get("format") != "bundle" or details.get("filters") != filters:
        raise Broken("The admin event of this export speaks of another selection.")
    try:
        exported = parse_time(export["happened_at"])
    except NotATime as error:
        raise Broken(f"The time of the export is none: {error}") from error
    if newest.sealed_at - exported > _SEALED_SOON:
        raise Broken("The newest checkpoint is not the one that sealed this export.")
    if container.whole:
        for key in keys.log:
            if key.to_text() not in admin.announced:
                raise Broken(f"No admin event announces the key {key.to_text()}.")


def _say_walked(say: Say, container: Container, seen: Seen, older: int, receipts: Receipts) -> None:
    size = seen.tower.size
    if not container.whole:
        chosen = describe_selection(container.manifest["filters"])
        say(f"selection: {chosen}; what was left out is not looked at")
    say(f"tree: {size} leaves give the root of every checkpoint")
    say(f"records: {seen.records} give their leaves, as do {seen.admin} admin events")
    say("versions and scripts: every one that a record names is here, unchanged")
    say("times: nothing was backdated")
    if container.whole:
        say(f"erasure: {seen.without_salt} records without salt, {seen.erased} erased")
    say("CSV: says the same as the JSON lines, row by row")
    if older:
        say(f"older checkpoints: {older} agree with this log")
    if receipts.met:
        say(f"receipts: {receipts.met} are in this log")
