"""The kernel's table of processes as far as it concerns nginx: who runs under which master, read from /proc.

A process is always found by its number or by an argument that only ours can have, never by its name alone.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROC = Path("/proc")
_STAT_OCTETS = 512
_PARENT_FIELD = 1
"""Index of the parent's number in ``/proc/PID/stat`` after the closing bracket of the name (proc(5))."""
_BEGAN_FIELD = 19
"""Index of the time at which it began, in ticks since the boot."""
_LOCAL_COLUMN = 1
_STATE_COLUMN = 3
_INODE_COLUMN = 9
_LISTENING = "0A"
"""The state of a listening socket in ``/proc/net/tcp``, and where its address, state and inode stand in a row of it."""
_IPV6_OCTETS = 16
_IPV4 = bytes(10) + b"\xff\xff"
"""What stands before an IPv4 address where IPv6 has it (RFC 4291 2.5.5.2)."""
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


class Identity(NamedTuple):
    """By whose rights a process opens files: numbers of the user, the group, and the other groups."""

    user: int
    group: int
    groups: tuple[int, ...]


def identity_of(pid: int) -> Identity | None:
    """Return the effective identity of ``pid``, None when it has ended."""
    try:
        status = (_PROC / str(pid) / "status").read_text("utf-8", "replace")
    except OSError:
        return None
    rows = {name: value.split() for name, _, value in (line.partition(":") for line in status.splitlines())}
    return Identity(int(rows["Uid"][1]), int(rows["Gid"][1]), tuple(map(int, rows["Groups"])))


def children_of(parent: int) -> tuple[int, ...]:
    """Return the numbers of the processes whose parent is ``parent``, ascending."""
    return tuple(pid for pid in every_pid() if parent_of(pid) == parent)


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


def has_open_below(pid: int, directory: Path) -> bool:
    """Whether a process has a file open that lies below ``directory``, as far as this user may look."""
    return any(name.startswith(f"{directory}/") for name in _open_files(pid))


def pids_started_with(words: tuple[str, ...]) -> tuple[int, ...]:
    """Return the processes whose command line holds ``words`` one after the other."""
    return tuple(pid for pid in every_pid() if _holds(read_arguments(pid), words))


def listeners_on(address: str, port: int) -> tuple[int, ...]:
    """Return the processes that hold the listening TCP socket of this IP address and port, or else of all addresses.

    As far as this user may look.
    """
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(address, port)}
    return tuple(pid for pid in every_pid() if inodes and not inodes.isdisjoint(_open_files(pid)))


def _listening_inodes(address: str, port: int) -> list[str]:
    found: dict[bytes, list[str]] = {}
    for row in (row for table in ("tcp", "tcp6") for row in _rows(table)):
        at, _, its_port = row[_LOCAL_COLUMN].partition(":")
        if row[_STATE_COLUMN] == _LISTENING and int(its_port, 16) == port:
            found.setdefault(_as_ipv6(_octets(at)), []).append(row[_INODE_COLUMN])
    wanted = ip_address(address).packed
    every = [bytes(len(wanted)), bytes(_IPV6_OCTETS)]  # also one of IPv6 takes what comes by IPv4
    return next((found[one] for one in map(_as_ipv6, (wanted, *every)) if one in found), [])


def _rows(table: str) -> list[list[str]]:
    try:
        return [row.split() for row in (_PROC / "net" / table).read_text("ascii").splitlines()[1:]]
    except OSError:
        return []


def _octets(words: str) -> bytes:
    """Return an address, of which the kernel shows each 32 bits as a number of this machine."""
    return b"".join(int(words[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(words), 8))


def _as_ipv6(address: bytes) -> bytes:
    return address if len(address) == _IPV6_OCTETS else _IPV4 + address


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


def parent_of(pid: int) -> int | None:
    """Return the number of the parent of ``pid``, None when it has ended."""
    try:
        with open(f"{_PROC}/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123 - of all processes, many times a second
            stat = file.read(_STAT_OCTETS)
    except OSError:
        return None
    return int(stat.rpartition(b")")[2].split(None, _PARENT_FIELD + 1)[_PARENT_FIELD])
