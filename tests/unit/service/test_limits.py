"""Buckets of requests that processes share: what may come at once, how long to wait for the next, what a portion is."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from access_lab import file_access
from counterseal.service import limits as module
from counterseal.service.limits import CALLERS_KEPT, Limits
from counterseal.service.shared_access import SharedAccess
from shared_store import shared_lab
from store_fixtures import new_store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from counterseal.service.access import Access

    Story = Callable[[list[Access]], Awaitable[Any]]
    Tell = Callable[[Story], Any]

REPLICAS = 3


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def tell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tell]:
    """Return how to run a story with the accesses of some processes to one store, each opened anew."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            new_store(tmp_path).close()
        lab = None if request.param == "sqlite" else stack.enter_context(shared_lab(tmp_path))

        async def told(story: Story) -> Any:  # noqa: ANN401 - whatever the story answers
            with ExitStack() as opened:
                accesses: list[Access] = [
                    SharedAccess(lab.authority) if lab else file_access(opened, tmp_path) for _ in range(REPLICAS)
                ]
                try:
                    return await story(accesses)
                finally:
                    for access in accesses:
                        await access.close()

        yield lambda story: asyncio.run(told(story))


async def pass_time(access: Access, seconds: float) -> None:
    """Let so many seconds go by for all that was taken."""
    shift = int(seconds * 1_000_000)
    await access.write(lambda authority: authority.store.run("update allowance set full_at = full_at - ?", (shift,)))


def test_replicas_share_what_may_come_at_once(tell: Tell) -> None:
    """Half a minute's worth for all together, in whatever turns; and a restart forgets nothing."""

    async def ask(accesses: list[Access]) -> int:
        limits, passed = [Limits(access, "api", 80) for access in accesses], 0
        for number in range(60):
            passed += not await limits[number % REPLICAS].take("a")
        return passed

    began = time.monotonic()
    first, second = tell(ask), tell(ask)
    flown_in = (time.monotonic() - began + 1) * 80 / 60  # a second is as fine as the database's clock
    assert first >= 40 - REPLICAS
    assert first + second <= 40 + flown_in


def test_then_one_by_one(tell: Tell) -> None:
    """At two a minute the next one comes after 30 s, at every replica; another caller, and face, has his own."""

    async def story(accesses: list[Access]) -> None:
        first, second, other = (
            Limits(access, face, 2) for access, face in zip(accesses, ("api", "api", "est"), strict=True)
        )
        assert await first.take("a") == 0
        assert 1 <= await first.take("a") <= 30
        assert 1 <= await second.take("a") <= 30
        assert [await second.take("b"), await other.take("a")] == [0, 0]
        await pass_time(accesses[0], 31)
        third = Limits(accesses[2], "api", 2)
        assert await third.take("a") == 0
        assert await third.take("a") > 0

    tell(story)


def test_many_at_once_take_one_portion(tell: Tell) -> None:
    """A statement for fifteen requests, also where they come together."""

    async def story(accesses: list[Access]) -> None:
        limits, asked = Limits(accesses[0], "api", 600), 0
        write = accesses[0].write

        async def count(*job: Any, **how: Any) -> Any:  # noqa: ANN401 - whatever is written
            nonlocal asked
            asked += 1
            return await write(*job, **how)

        accesses[0].write = count  # type: ignore[method-assign] # counted, and done
        assert set(await asyncio.gather(*(limits.take("a") for _ in range(30)))) == {0}
        assert asked == 2

    tell(story)


def test_what_says_nothing_any_more_goes(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    """In small steps, to the end; who has asked a moment ago stays."""
    monkeypatch.setattr(module, "STEP", 2)

    async def story(accesses: list[Access]) -> None:
        limits = Limits(accesses[0], "api", 2)
        for number in range(5):
            await limits.take(str(number))
        await pass_time(accesses[0], 40)
        await limits.take("new")
        await limits.upkeep().do()
        left = await accesses[1].read(lambda authority: authority.store.rows("select caller from allowance"))
        assert left == [("api new",)]

    tell(story)


def test_no_limit(tell: Tell) -> None:
    """0 is none, and is not counted."""

    async def story(accesses: list[Access]) -> None:
        limits = Limits(accesses[0], "api", 0)
        assert not any([await limits.take("a") for _ in range(1_000)])
        assert await accesses[1].read(lambda authority: authority.store.rows("select 1 from allowance")) == []

    tell(story)


def test_memory_is_bounded(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many callers there are."""
    monkeypatch.setattr(module, "CALLERS_KEPT", 5)
    assert CALLERS_KEPT > 5

    async def story(accesses: list[Access]) -> None:
        limits = Limits(accesses[0], "api", 60)
        for number in range(9):
            await limits.take(str(number))
        assert len(limits._held) == 5

    tell(story)
