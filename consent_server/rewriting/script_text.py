"""Script text: where the content of a <script> ends (HTML standard, 13.2.5.4 and on)."""

from __future__ import annotations

from dataclasses import dataclass

from consent_server.rewriting.grammar import SCRIPT_TURN

#: The longest thing that may be cut in two: "</script" and one byte.
_TAIL = len(b"</script>")


@dataclass
class ScriptText:
    """Reads on where it stopped; `place` is relative to the buffer that it is given."""

    place: int = 0
    _escaped: bool = False
    _doubly: bool = False

    def find_end(self, buffer: bytes) -> int | None:
        """Return where `</script` stands that ends the text; None while it is not there."""
        while found := SCRIPT_TURN.search(buffer, self.place):
            turn = found[0].lower()
            # "<!-->" opens and ends: its dashes count twice.
            self.place = found.end() - (2 if turn == b"<!--" else 0)
            if turn == b"<!--":
                self._escaped = True
            elif turn == b"-->":
                self._escaped = self._doubly = False
            elif turn == b"<script":
                self._doubly = self._escaped
            elif self._doubly:
                self._doubly = False
            else:
                self.place = found.start()
                return self.place
        self.place = max(self.place, len(buffer) - _TAIL)
        return None

    def dropped(self, count: int) -> None:
        """Say that the buffer lost so many bytes at its beginning."""
        self.place -= count
