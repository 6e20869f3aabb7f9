"""Broken disk: the n-th write of SQLite fails, by the hook that SQLite has for its own tests.

SQLite's files are reached through replaceable system calls (sqlite3_vfs.xSetSystemCall);
here those that write are counted, and one of them, or all from one on, answers an error.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

_VOID = ctypes.c_void_p
_SET = ctypes.CFUNCTYPE(ctypes.c_int, _VOID, ctypes.c_char_p, _VOID)
_GET = ctypes.CFUNCTYPE(_VOID, _VOID, ctypes.c_char_p)
#: What SQLite names its calls, with their types in C; a build knows one of the two pwrites.
_CALLS: dict[bytes, tuple[Any, ...]] = {
    b"write": (ctypes.c_ssize_t, ctypes.c_int, _VOID, ctypes.c_size_t),
    b"pwrite": (ctypes.c_ssize_t, ctypes.c_int, _VOID, ctypes.c_size_t, ctypes.c_int64),
    b"pwrite64": (ctypes.c_ssize_t, ctypes.c_int, _VOID, ctypes.c_size_t, ctypes.c_int64),
    b"ftruncate": (ctypes.c_int, ctypes.c_int, ctypes.c_int64),
}
_METHODS = [
    "xOpen",
    "xDelete",
    "xAccess",
    "xFullPathname",
    "xDlOpen",
    "xDlError",
    "xDlSym",
    "xDlClose",
    "xRandomness",
    "xSleep",
    "xCurrentTime",
    "xGetLastError",
    "xCurrentTimeInt64",
]


class _Vfs(ctypes.Structure):
    """The object behind SQLite's files (https://sqlite.org/c3ref/vfs.html)."""

    _fields_ = (
        ("iVersion", ctypes.c_int),
        ("szOsFile", ctypes.c_int),
        ("mxPathname", ctypes.c_int),
        ("pNext", _VOID),
        ("zName", ctypes.c_char_p),
        ("pAppData", _VOID),
        *((name, _VOID) for name in _METHODS),
        ("xSetSystemCall", _SET),
        ("xGetSystemCall", _GET),
    )


class BrokenDisk:
    """Counts the writes of this process to SQLite's files; lets some of them fail."""

    def __init__(self) -> None:
        self.writes = 0
        self.failed = 0
        self._from: int | None = None
        self._to = 0
        self._code = 0
        self._lock = threading.Lock()

    @contextmanager
    def failing(self, nth: int, code: int, *, for_good: bool = False) -> Iterator[None]:
        """Let the n-th write from now on fail with errno `code`; `for_good`: all after it, too."""
        self.writes = self.failed = 0
        self._code, self._to = code, 2**62 if for_good else nth
        self._from = nth
        try:
            yield
        finally:
            self._from = None

    def _fails(self) -> bool:
        with self._lock:
            if self._from is None:
                return False
            self.writes += 1
            fails = self._from <= self.writes <= self._to
            self.failed += fails
            return fails

    def stand_before(self, original: Callable[..., int]) -> Callable[..., int]:
        """Return a system call that fails when it is its turn, else does what it did."""

        def call(*arguments: int) -> int:
            if self._fails():
                ctypes.set_errno(self._code)
                return -1
            return original(*arguments)

        return call


@contextmanager
def breakable_disk() -> Iterator[BrokenDisk]:
    """Stand between SQLite and the disk, for every database of this process."""
    library = ctypes.CDLL(str(import_module("_sqlite3").__file__))
    library.sqlite3_vfs_find.restype = _VOID
    library.sqlite3_vfs_find.argtypes = [ctypes.c_char_p]
    address = library.sqlite3_vfs_find(None)
    vfs = ctypes.cast(address, ctypes.POINTER(_Vfs)).contents
    disk = BrokenDisk()
    kept: list[tuple[bytes, Any]] = []
    try:
        for name, (result, *arguments) in _CALLS.items():
            original = vfs.xGetSystemCall(address, name)
            if not original:
                continue
            prototype = ctypes.CFUNCTYPE(result, *arguments, use_errno=True)
            ours = prototype(disk.stand_before(prototype(original)))
            kept.append((name, ours))
            assert vfs.xSetSystemCall(address, name, ctypes.cast(ours, _VOID)) == 0
        assert {b"pwrite", b"pwrite64"} & {name for name, _ in kept}
        yield disk
    finally:
        for name, _ in kept:
            # Nothing in place of a call gives back SQLite's own.
            vfs.xSetSystemCall(address, name, None)
