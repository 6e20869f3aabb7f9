"""Packing: scripts compressed once, as well as the formats can."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import brotli

from consent_server.rules.regimes import Regime
from consent_server.widget import Script

#: Which of them is smallest differs from script to script by a few bytes: each is tried once.
_BROTLI_SETTINGS = tuple(product((brotli.MODE_GENERIC, brotli.MODE_FONT), (14, 15, 16, 18)))


@dataclass(frozen=True, slots=True)
class PackedScript:
    """A script ready to be sent in each encoding."""

    script: Script
    brotli: bytes
    gzip: bytes


class PackedScripts:
    """The scripts of a version, each compressed when it is first asked for."""

    def __init__(self, composed: Sequence[Script]) -> None:
        self.composed = tuple(composed)
        self._lock = threading.Lock()
        self._packed: dict[str, PackedScript] = {}

    @property
    def first(self) -> PackedScript:
        """Return the strictest one, for a browser that sends no signal."""
        return self._pack(self.composed[0])

    def find(self, regime: Regime, signal: str) -> PackedScript:
        """Return the script of a regime that the version has; it may know no signal."""
        of_regime = [script for script in self.composed if script.regime == regime]
        told = [script for script in of_regime if script.signal == signal]
        return self._pack((told or of_regime)[0])

    def by_hash(self, script_hash: str) -> PackedScript | None:
        """Return the script with this SHA-256, if it is among them."""
        for script in self.composed:
            if script.script_hash == script_hash:
                return self._pack(script)
        return None

    def _pack(self, script: Script) -> PackedScript:
        with self._lock:  # it costs more than waiting for it
            if script.script_hash not in self._packed:
                self._packed[script.script_hash] = pack_script(script)
            return self._packed[script.script_hash]


def pack_script(script: Script) -> PackedScript:
    """Compress once, as well as the formats can."""
    return PackedScript(
        script,
        min((_brotli(script.body, *settings) for settings in _BROTLI_SETTINGS), key=len),
        gzip.compress(script.body, compresslevel=9, mtime=0),
    )


def _brotli(body: bytes, mode: int, window: int) -> bytes:
    packed: bytes = brotli.compress(body, mode=mode, quality=11, lgwin=window)
    return packed
