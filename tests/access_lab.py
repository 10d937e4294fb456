"""A store in a file as a service reaches it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from counterseal.authority.parts import Authority
from counterseal.keystore.file import FileKeyStore
from counterseal.service.access import Access
from counterseal.store.sqlite import open_store

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path


def open_authority(path: Path, *, one_thread: bool = True) -> Authority:
    """Open the store in the directory once more."""
    return Authority(
        store=open_store(path / "store.db", one_thread=one_thread),
        keystore=FileKeyStore(path, lambda: None),
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        random_bytes=bytes,
        actor="test",
    )


def file_access(stack: ExitStack, path: Path) -> Access:
    """Return an access of its own to the store in the directory; the caller closes it."""
    reader, writer = open_authority(path), open_authority(path, one_thread=False)
    stack.enter_context(reader)
    stack.enter_context(writer)
    writer.store.wait_never()
    return Access(reader, writer, lambda: open_authority(path, one_thread=False))
