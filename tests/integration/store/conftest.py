"""What the store's tests with several processes share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.store.actors import Actor
from postgresql_process import cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integration.store.actors import Start


@pytest.fixture
def url() -> Iterator[str]:
    """Return the URL of an empty database."""
    made = cluster().create()
    yield made
    cluster().drop(made)


@pytest.fixture
def start() -> Iterator[Start]:
    """Return what starts an actor; each is ended with the test."""
    actors: list[Actor] = []

    def begin(act: str, path: Path, number: int, *, through: tuple[str, ...] = ()) -> Actor:
        actors.append(Actor(act, path, number, through=through))
        return actors[-1]

    yield begin
    for actor in actors:
        actor.close()
