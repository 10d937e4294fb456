"""What nginx writes to its error log: one line as a value, and the lines written since a moment.

``nginx -t`` passes where the master then fails (a port in use is the common case), and the only place that says so is
the error log. This module reads it, and says what usually mends a socket that cannot be had.
"""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

SERIOUS = frozenset({"emerg", "alert", "crit"})
"""The levels at which nginx gives something up."""
_LINE = re.compile(r"(?:nginx: |\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )\[(\w+)\] (?:(\d+)#\d+: )?(?:\*\d+ )?(.*)")
_RETRIED = re.compile(r"bind\(\) to \S+ failed")
_GIVEN_UP = "still could not bind()"
_UNBOUND = re.compile(r"bind\(\) to \S+:(\d+) failed \((\d+):")
_ROOTS_PORTS = 1024
_WORKER_ENDED = re.compile(r"worker process (\d+) exited (?:with fatal code|on signal)")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of nginx: its level (``emerg``, ``warn`` …), the process that wrote it, what it says, and all of it."""

    level: str
    pid: int | None
    text: str
    verbatim: str


def parse_lines(text: str) -> tuple[LogLine, ...]:
    """Return the lines of ``text`` that nginx's logger wrote; others (``… test failed``) are left out."""
    matches = (_LINE.match(line) for line in text.splitlines())
    return tuple(
        LogLine(match[1], int(match[2]) if match[2] else None, match[3], match[0]) for match in matches if match
    )


def find_failure(lines: Sequence[LogLine], *, master: int, old: Collection[int]) -> LogLine | None:
    """Return the line that says why a reload failed, or None while nothing has failed for good.

    Only lines of ``master`` count, and of workers that it started and lost since (``old`` ones may end as they like):
    others (an ``nginx -t`` beside us) may write into the same log. A port in use is tried five times before nginx gives
    up, so only its last word is a failure; the line quoted names the address.
    """
    said = [line for line in lines if line.pid == master]
    endings = [(line, match) for line in said if (match := _WORKER_ENDED.match(line.text)) and int(match[1]) not in old]
    lost = {int(match[1]) for _, match in endings}
    retried = None
    for line in said:
        if _RETRIED.match(line.text):
            retried = line
        elif line.level == "emerg":
            return retried if retried and line.text.startswith(_GIVEN_UP) else line
    causes = [line for line in lines if line.pid in lost and line.level in SERIOUS]
    return next(iter(causes), None) or next((line for line, _ in endings), None)


class LogTail:
    """The lines written to ``path`` after this object was made; a missing or rotated file is no failure.

    ``path`` None stands for a log that is no file (``stderr``, ``syslog:``): then nothing is ever read.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._inode, self._offset = self._end()
        self._rest = b""

    def read(self) -> tuple[LogLine, ...]:
        """Return the whole lines that came since the last call."""
        if self._path is None:
            return ()
        inode, size = self._end()
        if inode != self._inode or size < self._offset:
            self._inode, self._offset, self._rest = inode, 0, b""
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                fresh = stream.read()
        except OSError:
            return ()
        self._offset += len(fresh)
        whole, _, self._rest = (self._rest + fresh).rpartition(b"\n")
        return parse_lines(whole.decode("utf-8", "replace"))

    def _end(self) -> tuple[int, int]:
        try:
            found = self._path.stat() if self._path else None
        except OSError:
            found = None
        return (found.st_ino, found.st_size) if found else (0, 0)


def explain_bind(quote: str | None) -> tuple[str, ...]:
    """Return cause and fix of a line that says ``bind() to ADDRESS:PORT failed``, none of any other."""
    found = _UNBOUND.search(quote or "")
    number = int(found[2]) if found else 0
    if number == errno.EADDRINUSE:
        own = "; if it is your own nginx, that one can serve the site: config under [nginx] in counterseal.toml"
        fix = f"end it (ss -ltnp names it), or have the site listen elsewhere{own}"
        return ("cause: another program listens there", f"fix: {fix}")
    if number == errno.EADDRNOTAVAIL:
        return (
            "cause: this machine has no such address",
            "fix: have the site listen on one that it has, or a port alone",
        )
    if found and number == errno.EACCES and int(found[1]) < _ROOTS_PORTS:
        fix = "have the site listen on another one, such as 8443, or make and deploy all of it as root"
        return ("cause: ports below 1024 are for root alone", f"fix: {fix}")
    return ()
