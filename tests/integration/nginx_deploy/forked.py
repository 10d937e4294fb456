"""A deploy in a process of its own that is killed at a chosen moment, as ``kill -9`` would."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from counterseal.errors import CountersealError
from counterseal.nginx.waiting import system_clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.nginx.waiting import Clock

KILLED = -signal.SIGKILL
_LOOKS = 5
REFUSED = 3
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_DEEDS = {
    "os.rename", "os.link", "os.symlink", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.kill",
    "subprocess.Popen", "fcntl.flock",
}  # fmt: skip
"""What Python reports (PEP 578) just before a program changes something outside itself."""


def run_forked(work: Callable[[], object]) -> int:
    """Run ``work`` in a child and return its exit status: 0, REFUSED for an error of ours, KILLED."""
    return await_exit(fork(work))


def fork(work: Callable[[], object]) -> int:
    """Begin ``work`` in a child and return its process number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child runs our code alone and never returns
        child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except CountersealError:
            status = REFUSED
        finally:
            os._exit(status)
    return child


def await_exit(child: int) -> int:
    """Wait for the end of a child and return its exit status."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die() -> None:
    """End this process as nothing can prevent or tidy up after."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_before_deed(number: int) -> Clock:
    """From now on count what this process does outside itself, and die just before deed ``number``.

    Waiting is a deed, too, for whoever waits on the clock that is returned: the first few looks in a row, because
    how many there are says only how slow the machine is.
    """
    left, waits = number, 0

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            die()

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(flags := arguments[2], int) and bool(flags & _WRITING)
        if writes or event in _DEEDS:
            nonlocal waits
            waits = 0
            count()

    def sleep(seconds: float) -> None:
        nonlocal waits
        waits += 1
        if waits <= _LOOKS:
            count()
        clock.sleep(seconds)

    clock = system_clock()
    sys.addaudithook(watch)
    return replace(clock, sleep=sleep)
