"""Disks that are small, full or read-only: real ones, mounted for a test, which takes root."""

from __future__ import annotations

import errno
import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def small_disk(directory: Path, *, size: int = 2_000_000) -> Iterator[Path]:
    """Mount a disk of ``size`` octets on ``directory``, which is made; skips the test where that is not allowed."""
    directory.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(directory)]
    if os.geteuid() != 0 or subprocess.run(options, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        yield directory
    finally:
        # Whoever was killed just now may still be closing its files: then "busy", and the mount would outlive the test.
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def fill(directory: Path, *, leave: int = 0) -> Path:
    """Fill the disk but for about ``leave`` octets, and return the file to be removed for space."""
    filler = directory / "filler"
    with filler.open("wb", buffering=0) as stream:
        try:
            while stream.write(bytes(4096)) == 4096:
                pass
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    os.truncate(filler, max(filler.stat().st_size - leave, 0))
    return filler


def remount(directory: Path, *, writable: bool) -> None:
    """Make the disk read-only, or writable again."""
    subprocess.run(["mount", "-o", f"remount,{'rw' if writable else 'ro'}", str(directory)], check=True)
