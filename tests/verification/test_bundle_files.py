"""Files of a bundle: the zip is what its manifest says, and each file what was signed."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.verification.checking import change, said, said_by_the_small_one, swap
from tests.verification.logs import OTHER_SEED, SCRIPT_HASH, log_key


def _add(name: str) -> Callable[[Path], None]:
    def add(file: Path) -> None:
        with zipfile.ZipFile(file, "a") as bundle:
            bundle.writestr(name, "more")

    return add


def _hide_before(file: Path) -> None:
    file.write_bytes(b"hidden" + file.read_bytes())


def _comment(file: Path) -> None:
    with zipfile.ZipFile(file, "a") as bundle:
        bundle.comment = b"hidden"


def _append(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"hidden")


def _beside(**values: bytes) -> Callable[[Path], None]:
    """Write the same zip anew, with something beside its first file."""

    def write(file: Path) -> None:
        with zipfile.ZipFile(file) as bundle:
            content = {one: bundle.read(one) for one in bundle.namelist()}
        with zipfile.ZipFile(file, "w") as bundle:
            for name, raw in content.items():
                entry = zipfile.ZipInfo(name)
                if name == "README.txt":
                    entry.comment, entry.extra = (
                        values.get("comment", b""),
                        values.get("extra", b""),
                    )
                bundle.writestr(entry, raw)

    return write


def _behind(hiding: str) -> Callable[[Path], None]:
    """Write the zip anew by hand, with bytes behind the packed bytes of a file."""
    return lambda file: _write_by_hand(file, hiding)


def _write_by_hand(file: Path, hiding: str) -> None:
    with zipfile.ZipFile(file) as bundle:
        content = {one: bundle.read(one) for one in bundle.namelist()}
    files, directory = b"", b""
    for name, raw in content.items():
        packing = zlib.compressobj(wbits=-15)
        packed = packing.compress(raw) + packing.flush() + b"hidden" * (name == hiding)
        sizes = zlib.crc32(raw), len(packed), len(raw), len(name), 0
        entry = struct.pack("<5H3L2H", 20, 0, 8, 0, 33, *sizes)
        directory += b"PK\x01\x02\x14\x03" + entry
        directory += struct.pack("<3H2L", 0, 0, 0, 0, len(files)) + name.encode()
        files += b"PK\x03\x04" + entry + name.encode() + packed
    ends = len(content), len(content), len(directory), len(files), 0
    file.write_bytes(files + directory + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, *ends))


def _lengthen_a_name(file: Path) -> None:
    """Hide bytes behind a zero in a name, which many programs take for its end."""
    raw = file.read_bytes()
    at = raw.rindex(b"PK\x01\x02")
    length = int.from_bytes(raw[at + 28 : at + 30], "little")
    name = raw[at + 46 : at + 46 + length]
    longer = raw[at : at + 28] + (length + 7).to_bytes(2, "little") + raw[at + 30 : at + 46]
    rest = bytearray(raw[at + 46 + length :])
    rest[12:16] = (int.from_bytes(rest[12:16], "little") + 7).to_bytes(4, "little")
    file.write_bytes(raw[:at] + longer + name + b"\0hidden" + bytes(rest))


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def _damage(file: Path) -> None:
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(bytes(raw))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        (_add("more.txt"), "which the manifest does not list"),
        (_add("README.txt"), "twice"),
        (_add("../escape.txt"), "which the manifest does not list"),
        (_hide_before, "hides bytes"),
        (_comment, "hides bytes"),
        (_append, "hides bytes after"),
        (_beside(comment=b"hidden"), "hides bytes beside README.txt"),
        (_beside(extra=b"\xfe\xca\x06\0hidden"), "hides bytes beside README.txt"),
        (_beside(extra=b"\x01\0\x08\0hidden!!"), "hides bytes beside README.txt"),
        (_beside(extra=b"xyz"), "hides bytes beside README.txt"),
        (_lengthen_a_name, "hides bytes after"),
        (_behind("records.jsonl"), "hides bytes behind records.jsonl"),
        (_behind("manifest.json"), "hides bytes behind manifest.json"),
        (_cut, "cannot be read as a zip"),
        (_damage, ""),
    ],
)
def test_a_zip_that_was_tampered_with_is_refused(
    file: Path, attack: Callable[[Path], None], expected: str
) -> None:
    attack(file)
    assert expected in said(file)
    assert said(file)


@pytest.mark.parametrize(
    ("name", "edit", "expected"),
    [
        ("keys.json", swap('"log"', '"logs"'), "keys.json has other members"),
        ("keys.json", swap(log_key().to_text(), log_key(OTHER_SEED).to_text()), "known key"),
        ("keys.json", swap("+", "-"), "verifier key"),
        ("checkpoints/300.txt", swap("\n300\n", "\n301\n"), "is false"),
        ("checkpoints/300.txt", swap("2026-11-01", "2026-10-01"), "is false"),
        ("versions/1.json", swap("Evästeet?", "Kakut?"), "versions/1.json was changed"),
        ("versions/1.json", swap('"version": 1', '"version": 2'), "is not the snapshot"),
        (f"scripts/{SCRIPT_HASH}.js", swap("function", "funktion"), "was changed"),
        ("records.csv", swap(",fi,", ",sv,"), "records.csv has another language"),
        ("records.csv", lambda raw: raw + raw.splitlines(True)[-1], "more rows than"),
        ("records.csv", lambda raw: raw.rpartition(b"\r\n")[0][:-400], "records.csv"),
        ("records.csv", swap("language", "sprache"), "has not the columns"),
        ("records.jsonl", swap('"schema":1', '"schema": 1'), "line 1: is spelled in another way"),
        ("records.jsonl", swap('"schema":1', '"schema":1.0'), "no whole number"),
        ("records.jsonl", swap('"schema":1', '"schema":1,"schema":1'), "is spelled in another"),
        ("records.jsonl", swap('"region":""', '"region":"\\ud800"'), "line 1"),
        ("records.jsonl", swap('"salt":null', '"salt":7'), "the salt is not 32 bytes"),
        ("records.jsonl", lambda raw: raw[:-1], "is cut off"),
        ("records.jsonl", lambda raw: raw[raw.index(b"\n") + 1 :], "record 2: missing"),
        ("admin.jsonl", swap('"records":3', '"records":2'), "no longer give its leaf hash"),
        ("leaves.txt", swap("5 ", "05 "), "line 6: expected an index"),
        ("leaves.txt", lambda raw: raw + raw.splitlines(True)[-1], "leaves.txt goes on after"),
        ("leaves.txt", lambda raw: raw[: raw.rindex(b"\n", 0, -1) + 1], "leaves.txt ends after"),
        ("screenshots/index.json", swap("-desktop", "-laptop"), "does not account for"),
        ("manifest.json", swap('"records": 600', '"records": 599'), "The manifest counts"),
        ("manifest.json", swap('"size": 604', '"size": 600'), "names another checkpoint"),
        ("manifest.json", swap('"site": "demo"', '"site": "other"'), "versions/1.json was changed"),
        ("manifest.json", swap('"subject": null', '"more": null'), "what the bundle selects"),
        ("manifest.json", swap('"subject": null', '"subject": "zz"'), "what the bundle selects"),
        ("manifest.json", swap('"subject": null', '"subject": 7'), "what the bundle selects"),
        ("manifest.json", swap('"from": null', '"from": 5'), "what the bundle selects"),
        ("manifest.json", swap('"versions": []', '"versions": 3'), "what the bundle selects"),
        ("manifest.json", swap('"versions": []', '"versions": [[]]'), "what the bundle selects"),
        ("screenshots/index.json", swap('"missing": [', '"missing": [{},'), "the form of this"),
    ],
)
def test_every_file_is_held_against_what_was_signed(
    file: Path, name: str, edit: Callable[[bytes], bytes], expected: str
) -> None:
    change(file, name, edit)
    assert expected in said(file)


def test_a_file_that_the_manifest_lists_must_be_there_unchanged(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    for left_out, edited in (("totals.csv", ""), ("", "totals.csv")):
        with zipfile.ZipFile(file) as old, zipfile.ZipFile(other, "w") as new:
            for name in old.namelist():
                if name != left_out:
                    new.writestr(name, old.read(name) + (b"x" if name == edited else b""))
        assert "totals.csv" in said(other)
        assert said_by_the_small_one(other)
