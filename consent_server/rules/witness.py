"""What a log asks of a witness, on the wire (C2SP tlog-witness, "add-checkpoint")."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from consent_server.errors import ConsentError
from consent_server.rules.checkpoint import Checkpoint, NotACheckpoint, parse_checkpoint
from consent_server.rules.merkle import MAX_SIZE
from consent_server.rules.note import NotANote, Note, parse_note

#: "The client MUST NOT send more than 63 consistency proof lines."
MAX_PROOF_LINES = 63
#: How the size is sent that a witness cosigned last.
SIZE_TYPE = "text/x.tlog.size"
_REQUEST = re.compile(
    rb"old (?P<old>0|[1-9][0-9]{0,18})\n"
    rb"(?P<proof>(?:[A-Za-z0-9+/]{43}=\n){0,%d})"
    rb"\n"
    rb"(?P<note>.+)" % MAX_PROOF_LINES,
    re.DOTALL,
)
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")


class NotAWitnessRequest(ConsentError):
    """A body that does not have the specified form."""

    status, code, title = 400, "not_a_witness_request", "Not a request to a witness"


@dataclass(frozen=True, slots=True)
class WitnessRequest:
    """A signed checkpoint, and the proof that it continues the tree of `old` leaves."""

    old: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint


def spell_request(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """Return the body of a request."""
    lines = [f"old {old}", *(base64.b64encode(one).decode("ascii") for one in proof)]
    return "".join(f"{line}\n" for line in lines).encode() + b"\n" + note.encode()


def parse_request(body: bytes) -> WitnessRequest:
    """Read the body of a request; nothing in it is believed yet. Raises NotAWitnessRequest."""
    found = _REQUEST.fullmatch(body)
    if not found:
        raise NotAWitnessRequest(
            "Send an old size line, at most 63 proof lines, an empty line and a checkpoint."
        )
    try:
        note = parse_note(found["note"])
        checkpoint = parse_checkpoint(note.text)
    except (NotANote, NotACheckpoint) as error:
        raise NotAWitnessRequest(error.detail) from error
    old = int(found["old"])
    if old > checkpoint.size or old > MAX_SIZE:
        raise NotAWitnessRequest("The old size is larger than that of the checkpoint.")
    proof = tuple(base64.b64decode(line) for line in found["proof"].splitlines())
    return WitnessRequest(old, proof, note, checkpoint)


def parse_size(body: bytes) -> int | None:
    """Return the size in the answer of a witness that knows another one, or None."""
    found = _SIZE.fullmatch(body)
    return int(found[1]) if found else None
