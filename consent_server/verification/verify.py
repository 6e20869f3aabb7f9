"""Check a consent bundle with Python 3.9 or newer and nothing else: python3 verify.py FILE.zip KEY.

It shares no code with `consent-server audit verify`, and is short so that you can read it first.
KEY is the log's verifier key, from elsewhere than the bundle; without it, the bundle's is taken.
"""

import base64
import json
import re
import sys
import zipfile
from datetime import datetime, timedelta
from hashlib import sha256, sha512
from typing import Any

P, Q = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # RFC 8032, 5.1
D, NO_MORE, MOST_SIGNATURES = -121665 * pow(121666, -1, P) % P, 2**63, 50
WAIT, BEGINNING = timedelta(seconds=60), datetime(1, 1, 2)  # so long may an event wait for a leaf


def check(true: object, message: str) -> None:
    """Stop at the first thing that is not true."""
    if not true:
        raise ValueError(message)


def add(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """Add two points of the curve, in extended coordinates (RFC 8032, 5.1.4)."""
    s, t = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    u, v = 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    e, f, g, h = (t - s) % P, (v - u) % P, (v + u) % P, (t + s) % P
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, point: tuple[int, ...]) -> tuple[int, ...]:
    """Multiply a point by a number."""
    total: tuple[int, ...] = (0, 1, 1, 0)
    for bit in bin(number)[2:]:
        total = add(add(total, total), point) if bit == "1" else add(total, total)
    return total


def point_of(raw: bytes) -> tuple[int, ...]:
    """Decode a point (RFC 8032, 5.1.3)."""
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    check(y < P and (x * x - square) % P == 0 and (x or raw[31] < 128), "no point of Ed25519")
    x = x if x & 1 == raw[31] >> 7 else P - x
    return x, y, 1, x * y % P


def is_signature(key: bytes, message: bytes, signature: bytes) -> bool:
    """Verify an Ed25519 signature (RFC 8032, 5.1.7)."""
    s = int.from_bytes(signature[32:], "little") if len(signature) == 64 else Q
    h = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % Q
    one = times(s, point_of((4 * pow(5, -1, P) % P).to_bytes(32, "little")))
    other = add(point_of(signature[:32]), times(h, point_of(key)))
    return s < Q and all((one[at] * other[2] - other[at] * one[2]) % P == 0 for at in (0, 1))


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands twice, and names that UTF-16 orders otherwise (RFC 8785, 3.2.3)."""
    ordered = sorted({name for name, _ in pairs}, key=lambda name: name.encode("utf-16-be"))
    check(sorted(name for name, _ in pairs) == ordered, "names stand twice or have no order")
    return dict(pairs)


READ = json.JSONDecoder(object_pairs_hook=once, parse_float=int)  # no record has a fraction
SPELL = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)  # RFC 8785
NAME = re.compile(  # whatever a bundle may hold
    r"(?a)(README\.txt|verify\.py|(keys|screenshots/index|versions/\d+)\.json|(totals|records)\.csv"
    r"|(admin|records)\.jsonl|(leaves|checkpoints/\d+)\.txt|scripts/[0-9a-f]{64}\.js"
    r"|screenshots/\d+/[a-z_]*/?[\w-]+\.png)"
)


def leaf_of(event: Any, known: Any, after: datetime, until: datetime) -> tuple[str, datetime]:
    """Check one event, and return the hash of its leaf (RFC 6962, 2.1) and its time."""
    leaf = {k: v for k, v in event.items() if k not in ("leaf_hash", "leaf_index", "salt")}
    found = sha256(b"\x00" + SPELL.encode(leaf).encode()).hexdigest()
    check(found == event["leaf_hash"], "the field values no longer give its leaf hash")
    check(leaf["site"] == known["site"] and leaf["schema"] == 1, "is of another site or schema")
    moment = datetime.fromisoformat(leaf["received_at" if "kind" in leaf else "happened_at"][:-1])
    check(after - WAIT <= moment, "backdated: it is older than what stands before it")
    check(moment <= until, "is later than the checkpoint that holds it")
    if "kind" in leaf:
        version, days = known["versions"].get(leaf["version"], ("", 0))
        right = version == leaf["version_hash"] and leaf["script_hash"] in known["scripts"]
        check(right, "names a version or script that is not in the bundle")
        known["unnamed"] -= {leaf["version"], leaf["script_hash"]}
        days = max(days, 390) if leaf["regime"] in ("opt_out", "notice_only", "off") else days
        ends = datetime.fromisoformat(leaf["valid_until"][:-1])
        check(ends - moment == timedelta(days), "is not valid for as long as its version says")
    return found, moment


def walk(lines: Any, files: Any, points: Any, known: dict[str, Any]) -> list[int]:
    """Go from leaf to leaf, to the size, root and time of each checkpoint in `points`."""
    size, tree, after = known.get("start", (0, [], BEGINNING))
    ahead: list[tuple[int, dict[str, Any]]] = [(-1, {})] * len(files)
    ids: set[str] = set()
    counts, leaves = [0] * len(files), (line.decode("ascii").strip().split(" ") for line in lines)

    def advance(at: int, first: int) -> None:
        event = READ.decode(next(files[at], b"{}").decode())
        ahead[at] = event.get("leaf_index", NO_MORE), event
        check(ahead[at][0] >= first, f"record {ahead[at][0]}: is out of order")

    for at in range(len(files)):
        advance(at, size)
    for goal, root, sealed in points:
        start, tree = size, list(tree)
        while size < goal:
            span, digest = next(leaves, ("nothing", ""))
            first, last = (span.split("-") * 2)[:2]
            check(first == str(size), f"leaves.txt has {first} in place of {size}")
            found = [at for at, (index, _) in enumerate(ahead) if index <= int(last)]
            check(len(found) == 1 or not (found or known["whole"]), f"record {size}: missing")
            tile = first != last and not found and not size % 256 and int(last) == size + 255
            check(first == last or tile, f"leaves.txt may not leave out {span}")
            for at in found:
                name = f"record {size} (event {ahead[at][1].get('event_id')})"
                try:
                    leaf, moment = leaf_of(ahead[at][1], known, after, sealed)
                except (KeyError, TypeError, ValueError) as error:
                    raise ValueError(f"{name}: {error}") from error
                check(leaf == digest, f"{name}: is not what leaves.txt has at its index")
                check(ahead[at][1]["event_id"] not in ids, f"{name}: its id stands twice")
                ids.add(ahead[at][1]["event_id"])
                counts[at], after = counts[at] + 1, max(after, moment)
                advance(at, size + 1)
            subtree, index = bytes.fromhex(digest), size >> 8 if tile else size
            while index & 1:
                subtree, index = sha256(b"\x01" + tree.pop() + subtree).digest(), index >> 1
            tree.append(subtree)
            size += 256 if tile else 1
        top = tree[-1] if tree else sha256(b"").digest()
        for left in tree[-2::-1]:
            top = sha256(b"\x01" + left + top).digest()
        check(top == root and size == goal, f"leaves {start} to {goal - 1} were not signed so")
        after = max(after, sealed)
    ends = all(index == NO_MORE for index, _ in ahead)
    check(ends and not next(leaves, None), "the files go on after the newest checkpoint")
    return counts


def read_note(raw: bytes, keys: list[str], must: bool) -> tuple[int, bytes, datetime]:
    """Read a checkpoint (C2SP tlog-checkpoint); with `must`, one of the keys signed it."""
    text, _, lines = raw.decode("utf-8").rpartition("\n\n")
    origin, size, root, sealed = text.split("\n")[:4]
    true = not must
    for line in lines.splitlines() if must else []:
        _, name, signed = line.split(" ")
        for owner, _, public in (key.split("+", 2) for key in keys):
            point, signature = base64.b64decode(public)[1:], base64.b64decode(signed)
            mark = sha256(owner.encode() + b"\n\x01" + point).digest()[:4]
            if owner == name == origin and signature[:4] == mark:
                true = is_signature(point, f"{text}\n".encode(), signature[4:])
                check(true, f"checkpoint {size}: the signature is false")
    check(true and sealed[:7] == "sealed ", f"checkpoint {size}: no known key has signed it")
    return int(size), base64.b64decode(root), datetime.fromisoformat(sealed[7:-1])


def check_files(bundle: zipfile.ZipFile) -> Any:
    """Check that the zip holds exactly what the manifest lists, and return the manifest."""
    manifest = READ.decode(bundle.read("manifest.json").decode())
    names = sorted(["manifest.json", *manifest["files"]])
    check(sorted(bundle.namelist()) == names, "the zip does not hold what the manifest lists")
    for name, listed in manifest["files"].items():
        check(NAME.fullmatch(name), f"{name} is no file of a bundle")
        found = sha256()
        with bundle.open(name) as file:
            while piece := file.read(1 << 18):
                found.update(piece)
        check(found.hexdigest() == listed["sha256"], f"{name} was changed")
    return manifest


def verify(bundle: zipfile.ZipFile, keys: list[str]) -> str:
    """Check a bundle, and say what it holds."""
    manifest = check_files(bundle)
    names, logs = bundle.namelist(), READ.decode(bundle.read("keys.json").decode())["log"]
    sizes = sorted(int(name[12:-4]) for name in names if name.startswith("checkpoints/"))
    points = []
    for size in sizes:
        raw, must = bundle.read(f"checkpoints/{size}.txt"), size in sizes[-MOST_SIGNATURES:]
        points.append(read_note(raw, keys if keys and size == sizes[-1] else logs, must))
    check([one[0] for one in points] == sizes, "checkpoints are of other sizes than their names")
    versions = {}
    for name in (one for one in names if one.startswith("versions/")):
        told = READ.decode(bundle.read(name).decode())
        digest = sha256(SPELL.encode(told["config"]).encode()).hexdigest()
        right = told["config_hash"] == digest and name == f"versions/{told['version']}.json"
        check(right and told["site"] == manifest["site"], f"{name} was changed")
        versions[told["version"]] = digest, told["config"]["valid_days"]
    scripts = {name[8:-3] for name in names if name.startswith("scripts/")}
    right = all(manifest["files"][f"scripts/{one}.js"]["sha256"] == one for one in scripts)
    check(right, "a script was changed")
    whole = not any(manifest["filters"].values())
    known = {"site": manifest["site"], "versions": versions, "scripts": scripts, "whole": whole}
    known["unnamed"] = {*versions, *scripts}
    files = [bundle.open("records.jsonl"), bundle.open("admin.jsonl")]
    records, admin = walk(bundle.open("leaves.txt"), files, points, known)
    check([records, admin, sizes[-1]] == [*manifest["counts"].values()], "wrong counts")
    events = [READ.decode(line.decode()) for line in bundle.read("admin.jsonl").splitlines()]
    found = [one["details"] for one in events if whole and one["action"] == "publish"]
    published = {(one["version"], one["config_hash"]) for one in found}
    right = not whole or published == {(number, one[0]) for number, one in versions.items()}
    check(right, "the versions are not those that were published")
    unnamed = known["unnamed"].difference(*((one["version"], one["script_hash"]) for one in found))
    check(not unnamed, "the bundle has a version or script that nothing in it names")
    export: Any = next((one for one in events if one["event_id"] == manifest["export"]), {})
    check(export and export["action"] == "export", "the bundle lacks the event of its own export")
    chosen = {**manifest["filters"], "subject": manifest["filters"]["subject"] is not None}
    agreed = export["details"] == {"format": "bundle", "filters": chosen}
    check(agreed, "the manifest speaks of another selection than the signed export")
    made = datetime.fromisoformat(export["happened_at"][:-1])
    check(points[-1][2] - made <= WAIT, "the export is older than the checkpoint")
    word = "" if keys else " But the key is the bundle's own word."
    part = "" if whole else f" of a selection ({chosen})"
    return f"{records} records and {admin} admin events{part}, signed {points[-1][2]} UTC.{word}"


if __name__ == "__main__":
    try:
        sys.stdout.write(f"OK: {verify(zipfile.ZipFile(sys.argv[1]), sys.argv[2:])}\n")
    except Exception as problem:
        sys.exit(f"FAILED: {ascii(str(problem))[1:-1]}" if sys.argv[1:] else __doc__)
