"""What is announced when it changes, where others share the store: the triggers of ``0011_announce`` say it so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

    from counterseal.store.records import LogHead

CHANNEL = "counterseal"
OWN = "listening "
"""What a replica announces to hear whether announcements arrive begins so, and is no subject."""


MOVED = "moved "
"""What is announced when the store was moved away begins so; the place where it is now follows."""


class Listener(Protocol):
    """A connection that is told what changes; belongs to one thread."""

    head: LogHead | None
    """The newest entry of the log of key uses when ``hear`` was answered last."""

    def hear(self, seconds: float) -> Collection[str]:
        """Return the subjects announced since the last call: all that was committed before this one began, at least.

        Waits so long at most for one. Raises StoreError when the connection is lost, or its server is no primary, or
        the store was moved away.
        """

    def hear_own(self, mark: str, seconds: float) -> Collection[str]:
        """Announce the ``mark`` on another connection and return what is announced until it arrives, it included.

        Without it after so long, announcements do not reach this connection. Raises StoreError as ``hear`` does.
        """

    def has(self, head: LogHead) -> bool:
        """Return whether the log of key uses has that entry. Raises StoreError as ``hear`` does."""

    def cut(self) -> None:
        """End from another thread whatever waits for the server."""

    def close(self) -> None:
        """Close the connection."""


def certificate_subject(issuer: str, serial_number: int) -> str:
    """Return what is announced when a certificate is revoked, held or released."""
    return f"certificate {issuer} {serial_number:040x}"


def list_subject(issuer: str) -> str:
    """Return what is announced when a CA has a new list."""
    return f"crl {issuer}"
