"""Which database the store is tested with: a file, and for the tests that ask for it a real PostgreSQL as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import store_fixtures
from counterseal.store.postgresql import open_store
from postgresql_process import cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.store.store import Store


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def each_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run every test of the module with each database, in PostgreSQL with one of its own for each path."""
    if request.param == "sqlite":
        yield request.param
        return
    urls: dict[Path, str] = {}

    def opened(path: Path, create: bool) -> Store:  # noqa: FBT001 - called by store_fixtures alone
        if path not in urls:
            urls[path] = cluster().create(cluster().template)
        return open_store(urls[path], create=create)

    store_fixtures.elsewhere = opened
    yield request.param
    store_fixtures.elsewhere = None
    for url in urls.values():
        cluster().drop(url)
