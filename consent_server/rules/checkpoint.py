"""Checkpoints: what a log says of itself at one size (C2SP tlog-checkpoint)."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from consent_server.errors import ConsentError
from consent_server.rules.merkle import HASH_BYTES, MAX_SIZE

_LINES = re.compile(
    r"(?P<origin>[^\n]+)\n"
    r"(?P<size>0|[1-9][0-9]{0,18})\n"
    r"(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"(?P<extensions>(?:[^\n]+\n)*)"
)


class NotACheckpoint(ConsentError):
    """A text that does not have the form of a checkpoint."""

    status, code, title = 422, "not_a_checkpoint", "Not a checkpoint"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The size and root of one log, called by its origin (C2SP tlog-checkpoint, "Note text").

    Raises NotACheckpoint for what has no text form.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lines = (self.origin, *self.extensions)
        if any(not line or any(one < " " for one in line) for line in lines):
            raise NotACheckpoint("Origin and extensions are lines of at least one character.")
        if not 0 <= self.size <= MAX_SIZE:
            raise NotACheckpoint(f"No log has {self.size} leaves.")
        if len(self.root) != HASH_BYTES:
            raise NotACheckpoint(f"A root has {HASH_BYTES} bytes, not {len(self.root)}.")

    def to_text(self) -> str:
        """Return the text to sign, with its last newline (C2SP tlog-checkpoint, "Note text")."""
        root = base64.b64encode(self.root).decode("ascii")
        return "".join(
            f"{line}\n" for line in (self.origin, str(self.size), root, *self.extensions)
        )


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint that is the text of a note (C2SP tlog-checkpoint, "Note text").

    There is one spelling of each checkpoint; every other is refused. Raises NotACheckpoint.
    """
    lines = _LINES.fullmatch(text)
    if not lines:
        raise NotACheckpoint("A checkpoint has three lines: origin, size, root in base64.")
    checkpoint = Checkpoint(
        origin=lines["origin"],
        size=int(lines["size"]),
        root=base64.b64decode(lines["root"]),
        extensions=tuple(lines["extensions"].split("\n")[:-1]),
    )
    if checkpoint.to_text() != text:
        raise NotACheckpoint("The root is not in canonical base64 (RFC 4648, 3.5).")
    return checkpoint
