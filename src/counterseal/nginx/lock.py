"""One deploy at a time: a lock on a file, which the kernel takes back from a process that dies."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from counterseal.errors import DeployError, FileError
from counterseal.files import reason_of
from counterseal.nginx.generations import make_passable
from counterseal.nginx.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from counterseal.nginx.waiting import Clock


@contextmanager
def hold_lock(
    path: Path, *, within: float, clock: Clock, on_busy: Callable[[str], None] = lambda _: None
) -> Iterator[None]:
    """Hold the lock ``path`` as long as the block runs; wait for another holder at most ``within`` seconds.

    ``on_busy`` is told the holder's process where it has to wait.

    Raises DeployError ``deploy.busy`` naming the holder's process, FileError when the file cannot be made.
    """
    make_passable(path.parent)
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise FileError("file.write", f"cannot open the lock {path}: {reason_of(error)}") from error
    try:
        _wait(lock, _take, within=within, clock=clock, on_busy=on_busy)
        yield
    finally:
        os.close(lock)


def await_lock(path: Path, *, within: float, clock: Clock, on_busy: Callable[[str], None] = lambda _: None) -> None:
    """Wait for another holder as ``hold_lock`` does, and then neither make the file nor write into it, nor hold it.

    Raises DeployError ``deploy.busy``.
    """
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        _wait(lock, _is_free, within=within, clock=clock, on_busy=on_busy)
    finally:
        os.close(lock)


def _wait(
    lock: int, succeeds: Callable[[int], bool], *, within: float, clock: Clock, on_busy: Callable[[str], None]
) -> None:
    if succeeds(lock):
        return
    on_busy(_holder(lock))
    if not wait_until(lambda: succeeds(lock), within=within, clock=clock, interval=0.05):
        raise DeployError(
            "deploy.busy",
            f"another deploy is under way: process {_holder(lock)}",
            hint="wait until it has ended and run this again",
        )


def _holder(lock: int) -> str:
    return os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"


def _is_free(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(lock, fcntl.LOCK_UN)
    return True


def _take(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    with suppress(OSError):  # the number is for people; on a full disk the lock holds without it
        os.pwrite(lock, f"{os.getpid():<19}\n".encode("ascii"), 0)
    return True
