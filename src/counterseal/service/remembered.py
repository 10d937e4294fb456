"""What was read from a store in a file and counts until anything is committed to it, by whatever process.

Of a store in a server others are told what changes: ``announced``. So is seen here at once that the store was moved
away, which is a commit: nothing is read of it after that.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.authority.parts import Authority

T = TypeVar("T")

KEPT = 20_000
"""Answers that are kept at most, until all are forgotten."""


class Remembered:
    """What one process keeps; ``reader`` is the connection that reads."""

    def __init__(self, reader: Authority) -> None:
        self._reader = reader
        self._kept: dict[str, Any] = {}
        self._kept_in: bytes | None = None
        self._here_in: bytes | None = None

    def require_here(self) -> bytes | None:
        """Return the state of the file, as ``Store.watch``; raises StoreError ``store.moved`` from that commit on."""
        state = self._state()
        if state is None or state != self._here_in:
            self._reader.store.require_here()
            self._here_in = state
        return state

    def recall(self, subject: str, job: Callable[[Authority], T]) -> T:
        """Return what ``job`` reads of the subject, or has read in this state of the file.

        None is not kept: anybody may ask for what does not exist, under as many names, and as long ones, as he likes.
        """
        state = self.require_here()  # before it is read: with a commit in between it does not count
        if state is None:
            return job(self._reader)
        if state != self._kept_in or len(self._kept) >= KEPT:
            self._kept_in, self._kept = state, {}
        kept: T | None = self._kept.get(subject)
        if kept is not None:
            return kept
        value = job(self._reader)
        if value is not None:
            self._kept[subject] = value
        return value

    @cached_property
    def _state(self) -> Callable[[], bytes | None]:
        return self._reader.store.watch()
