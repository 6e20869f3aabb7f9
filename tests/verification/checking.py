"""Checking: what each of the two verifiers says of a bundle, and bundles that are rewritten."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from consent_server.bundle.archive import BundleWriter
from consent_server.verification import verify as small
from consent_server.verification.bundle import Outside, verify_bundle
from consent_server.verification.findings import Broken


def said(file: Path, outside: Outside | None = None) -> str:
    """What our verifier finds first, or nothing."""
    try:
        verify_bundle(file, outside or Outside(), lambda _: None)
    except Broken as error:
        return str(error)
    return ""


def said_by_the_small_one(file: Path, *keys: str) -> str:
    """What the verifier inside the bundle finds first, or nothing."""
    try:
        with zipfile.ZipFile(file) as bundle:
            small.verify(bundle, list(keys))
    except (ValueError, KeyError) as error:
        return str(error) or repr(error)
    return ""


def change(file: Path, name: str, edit: Callable[[bytes], bytes]) -> Path:
    """Change a file of a bundle, and the manifest with it."""
    with zipfile.ZipFile(file) as bundle:
        content = {one: bundle.read(one) for one in bundle.namelist()}
    manifest = json.loads(content.pop("manifest.json"))
    if name == "manifest.json":
        manifest = json.loads(edit(json.dumps(manifest).encode()))
    else:
        edited = edit(content[name])
        assert edited != content[name], "the change changes nothing"
        content[name] = edited
    with file.open("wb") as target:
        writer = BundleWriter(target)
        for one, raw in content.items():
            writer.add(one, [raw])
            manifest["files"][one] = {
                "sha256": hashlib.sha256(raw).hexdigest(),
                "bytes": len(raw),
            }
        kept = {k: v for k, v in manifest.items() if k not in {"format", "format_version"}}
        del kept["files"]
        writer.finish(kept)
    return file


def swap(old: str, new: str) -> Callable[[bytes], bytes]:
    """An edit that puts one text in the place of another, once."""
    return lambda raw: raw.replace(old.encode(), new.encode(), 1)
