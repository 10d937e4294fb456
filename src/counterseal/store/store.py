"""The whole store, whatever database it is in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

from counterseal.errors import InputError
from counterseal.store.expiry import Expiry
from counterseal.store.issuance import Issuance
from counterseal.store.revocations import Revocations

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from counterseal.findings import Report
    from counterseal.store.announcements import Listener


def too_broad(seconds: float) -> InputError:
    """Return the error for a search that was ended because it took too long."""
    return InputError(
        "search.too_broad",
        f"the search was given up because it reads too much: after {seconds:g} s",
        hint="name more of what is wanted: how the name begins, or its domain as in *.example.com; a status, a profile",
    )


RETIRED = tuple(
    (table, event)
    for table in ("certificate", "reserved_block", "revocation", "key_use_head")
    for event in ("insert", "update", "delete")
)
"""The tables that a store which was moved away refuses to change, and how."""


class Store(Issuance, Revocations, Expiry, ABC):
    """What was issued; use it as a context manager, or ``close`` it."""

    is_shared = False
    """Whether it is in a server, where other hosts may use it."""

    path: Path
    """The file that it is in, where it is not shared."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def wait_never(self) -> None:
        """Fail at once (``store.busy``) where another process is writing, for who must not block and tries again."""

    def commit_soon(self) -> None:
        """Have a crash forget what this connection commits by itself; of no use to a file, whose commits are shared."""

    def cut(self) -> None:
        """End from another thread whatever waits for a server that has stopped to answer; nobody waits for a file."""

    def leave(self) -> None:
        """Do as ``cut`` does, and look for no server any more; from any thread."""

    @abstractmethod
    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Raise InputError ``search.too_broad`` where what is read inside takes longer."""

    def is_standby(self) -> bool:
        """Whether the server that has it only follows another one now, so that nothing can be written."""
        return False

    def listen(self) -> Listener | None:
        """Be told on a connection of its own what changes; None for a file, into which one looks. Raises StoreError."""
        return None

    def watch(self) -> Callable[[], bytes | None]:
        """Return what gives other octets after every commit, by whatever process; None where that is not known at once.

        For as long as the store is open.
        """
        return lambda: None

    @abstractmethod
    def size(self) -> int:
        """Return how many octets it takes."""

    @abstractmethod
    def check(self) -> Report:
        """Say what of the database does not fit, for doctor and restore."""

    @abstractmethod
    def retire(self, moved_to: str) -> None:
        """Let nothing be issued, revoked or signed here any more, by whatever process; in the caller's transaction."""

    @abstractmethod
    def snapshot(self, destination: Path) -> None:
        """Write a consistent copy into a new SQLite file (0600, on disk on return) while others read and write.

        Raises FileError when ``destination`` exists or cannot be created, StoreError when it cannot be filled; then
        nothing is left of it.
        """
