"""Whether anything was committed to a store in a file since a moment, known without asking SQLite.

SQLite keeps the state of its write-ahead log in memory that all processes share, the file ``-shm``. That begins with a
header, written twice (https://sqlite.org/walformat.html 2.1): the number of commits, the length of the log, its two
salts, a checksum over all that is in it. Whatever lengthens the log changes the first two and the checksum; a log that
is begun anew has another salt. So a header that was overwritten is never again what it was.

Why the same header means that nothing was committed: a commit writes both copies before it returns, and whoever reads
after that finds them. By the same comparison a reader of SQLite's own decides whether what it has in memory still
stands. Who reads in the middle of a commit finds an octet changed, or finds all as it was before a commit that has not
returned yet. No commit goes another way: to leave the write-ahead log, or to remove it, SQLite needs a lock that nobody
gets while this process has the store open. Whatever looks unusual is no answer, and then a statement gives it.
"""

from __future__ import annotations

import os
import sys
from mmap import ACCESS_READ, mmap
from pathlib import Path

_COPY = 48
"""Octets of one copy of the header."""

_VERSION = (3_007_000).to_bytes(4, sys.byteorder)
"""How a header of the only format that is understood begins."""

_NEVER_CLOSED: list[mmap | int] = []
"""Who closes a descriptor of a file loses all locks on it that his process has (fcntl(2)), those of SQLite too."""


class WalIndex:
    """The header as it is in the shared memory of a store, for as long as this process has that store open."""

    def __init__(self, shared: mmap) -> None:
        self._shared = shared

    def header(self) -> bytes | None:
        """Return both copies of the header; None while they are being written, or where they are not understood."""
        header = self._shared[: 2 * _COPY]
        return header if header.startswith(_VERSION) and header[:_COPY] == header[_COPY:] else None


def wal_index(store: Path) -> WalIndex | None:
    """Return that of a store which this process has open; None where it is not sure that SQLite here uses it."""
    path = os.path.realpath(f"{store}-shm")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        _NEVER_CLOSED.append(descriptor)
        if path not in _mapped_files():
            return None
        shared = mmap(descriptor, 2 * _COPY, access=ACCESS_READ)
    except (OSError, ValueError):
        return None
    _NEVER_CLOSED.append(shared)
    return WalIndex(shared)


def _mapped_files() -> set[str]:
    """Return the paths of the files in the memory of this process (proc_pid_maps(5)); none that has been removed."""
    lines = Path("/proc/self/maps").read_text(errors="surrogateescape").splitlines()
    return {path for line in lines for path in line.split(maxsplit=5)[5:]}
