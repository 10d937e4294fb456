"""The kernel's table of processes as far as it concerns nginx: who runs under which master, read from /proc.

A process is always found by its number or by an argument that only ours can have, never by its name alone.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROC = Path("/proc")
_STAT_OCTETS = 512
_PARENT_FIELD = 1
"""Index of the parent's number in ``/proc/PID/stat`` after the closing bracket of the name (proc(5))."""
_BEGAN_FIELD = 19
"""Index of the time at which it began, in ticks since the boot."""
_STATE_COLUMN = 3
_INODE_COLUMN = 9
_LISTENING = "0A"
"""The state of a listening socket in ``/proc/net/tcp``, and where the state and the inode stand in a row of it."""
_UNSURE = 2.0
"""Seconds: the kernel tells the time of the boot in whole ones."""


def read_arguments(pid: int) -> tuple[str, ...]:
    """Return the command line of ``pid``; empty when it has ended, also while nobody has collected it yet."""
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(raw.rstrip(b"\0").decode("utf-8", "replace").split("\0")) if raw else ()


def read_title(pid: int) -> str:
    """Return the title that a process gave itself (``nginx: worker process``), or its command line."""
    return " ".join(read_arguments(pid)).rstrip()


def children_of(parent: int) -> tuple[int, ...]:
    """Return the numbers of the processes whose parent is ``parent``, ascending."""
    return tuple(pid for pid in every_pid() if _parent_of(pid) == parent)


def began_after(pid: int, moment: float, *, noted: float) -> bool:
    """Whether a process began after that time of the system, given in seconds; not where it cannot be told for sure.

    ``noted``: when it wrote down that it runs. Both must be later: where the clock was set meanwhile, one is not.
    """
    try:
        fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        (booted,) = (
            line.split()[1] for line in (_PROC / "stat").read_bytes().splitlines() if line.startswith(b"btime ")
        )
    except (OSError, ValueError):
        return False
    began = int(booted) + int(fields[_BEGAN_FIELD]) / os.sysconf("SC_CLK_TCK")
    return min(began, noted) > moment + _UNSURE


def pids_started_with(words: tuple[str, ...]) -> tuple[int, ...]:
    """Return the processes whose command line holds ``words`` one after the other."""
    return tuple(pid for pid in every_pid() if _holds(read_arguments(pid), words))


def listeners_on(port: int) -> tuple[int, ...]:
    """Return the processes that hold a listening TCP socket of this port, as far as this user may look."""
    inodes = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _listening_inodes(table, port)}
    return tuple(pid for pid in every_pid() if inodes and not inodes.isdisjoint(_open_files(pid)))


def _listening_inodes(table: str, port: int) -> Iterator[str]:
    try:
        rows = (_PROC / "net" / table).read_text("ascii").splitlines()[1:]
    except OSError:
        return
    for row in map(str.split, rows):
        if row[_STATE_COLUMN] == _LISTENING and row[1].endswith(f":{port:04X}"):
            yield row[_INODE_COLUMN]


def _open_files(pid: int) -> Iterator[str]:
    directory = f"{_PROC}/{pid}/fd"
    with suppress(OSError):
        for name in os.listdir(directory):  # noqa: PTH208 - of every process
            with suppress(OSError):
                yield os.readlink(f"{directory}/{name}")  # noqa: PTH115 - of every file of every process


def _holds(arguments: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return any(arguments[at : at + len(words)] == words for at in range(len(arguments) - len(words) + 1))


def every_pid() -> list[int]:
    """Return the numbers of all processes, ascending; those that are hidden from this user are left out."""
    return sorted(int(name) for name in os.listdir(_PROC) if name.isdecimal())  # noqa: PTH208 - names alone, many times a second


def _parent_of(pid: int) -> int | None:
    try:
        with open(f"{_PROC}/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123 - of all processes, many times a second
            stat = file.read(_STAT_OCTETS)
    except OSError:
        return None
    return int(stat.rpartition(b")")[2].split(None, _PARENT_FIELD + 1)[_PARENT_FIELD])
