"""Limits to the work of a test, in seconds of the processor's time: however busy the machine is with others."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fail when this thread has spent more on the block."""
    began = time.thread_time()
    yield
    spent = time.thread_time() - began
    assert spent <= seconds, f"{spent:.1f} s of processor time"
