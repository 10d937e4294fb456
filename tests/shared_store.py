"""A store in a PostgreSQL database as a service reaches it."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from counterseal.authority.parts import Authority
from counterseal.keystore.file import FileKeyStore
from counterseal.service.shared_access import SharedAccess
from counterseal.store.postgresql import open_store
from postgresql_process import cluster
from store_fixtures import CLIENTS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path


@dataclass
class Lab:
    """An access to a store in a database."""

    path: Path
    url: str

    def authority(self) -> Authority:
        """Open the store once more."""
        return Authority(
            store=open_store(self.url),
            keystore=FileKeyStore(self.path, lambda: None),
            clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
            random_bytes=bytes,
            actor="test",
        )

    def run(self, story: Callable[[SharedAccess], Awaitable[Any]]) -> Any:  # noqa: ANN401 - whatever the story answers
        """Run the story with an access, and close it."""

        async def told() -> Any:  # noqa: ANN401 - same
            access = SharedAccess(self.authority)
            try:
                return await story(access)
            finally:
                await access.close()

        return asyncio.run(told())


@contextmanager
def shared_lab(path: Path) -> Iterator[Lab]:
    """Return a laboratory with a store that has a CA, in a database of its own."""
    url = cluster().create(cluster().template)
    made = Lab(path, url)
    with made.authority() as authority:
        authority.store.add_ca(CLIENTS)
    yield made
    cluster().drop(url)
