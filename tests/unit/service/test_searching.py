"""A search that reads without end ends in time, and holds up neither reads nor the searches of others."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from access_lab import file_access
from counterseal.errors import CountersealError
from counterseal.service import searching
from counterseal.service.searching import CALLER_LIMIT
from shared_store import shared_lab
from store_fixtures import new_store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.service.access import Access

    Story = Callable[[Access], Awaitable[Any]]

SECONDS = 0.5
COUNT = "with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n"


@pytest.fixture(params=["file", pytest.param("server", marks=pytest.mark.slow)])
def run(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Story], Any]:
    """Return what runs a story with an access to a store in a file, then in a server, where searches are short."""
    monkeypatch.setattr(searching, "SEARCH_SECONDS", SECONDS)

    def in_file(story: Story) -> Any:  # noqa: ANN401 - whatever the story answers
        async def told() -> Any:  # noqa: ANN401 - same
            with ExitStack() as stack:
                access = file_access(stack, tmp_path)
                try:
                    return await story(access)
                finally:
                    await access.close()

        new_store(tmp_path).close()
        return asyncio.run(told())

    def in_server(story: Story) -> Any:  # noqa: ANN401 - same
        with shared_lab(tmp_path) as lab:
            return lab.run(story)

    return in_file if request.param == "file" else in_server


def count(authority: Authority, end: str = "") -> Any:  # noqa: ANN401 - a row
    """Read what has no end, or the one given."""
    return authority.store.rows(COUNT.replace(") select", f" {end}) select"))


def number(authority: Authority) -> Any:  # noqa: ANN401 - same
    """Read almost nothing."""
    return authority.store.rows("select 7")


def test_a_search_without_end_is_ended_and_holds_up_nobody(run: Callable[[Story], Any]) -> None:
    """It says that it was too broad; reads and another caller's searches are answered while it runs."""

    async def story(access: Access) -> tuple[Any, ...]:
        endless = asyncio.create_task(access.search(count, "a"))
        await asyncio.sleep(0)
        meanwhile = [await access.read(number), await access.search(number, "b"), endless.done()]
        with pytest.raises(CountersealError) as ended:
            await endless
        return meanwhile, ended.value.code, await access.search(number, "a")

    assert run(story) == ([[(7,)], [(7,)], False], "search.too_broad", [(7,)])


def test_the_time_holds_inside_only(run: Callable[[Story], Any]) -> None:
    """What the same connection does afterwards may take as long as it likes."""

    async def story(access: Access) -> Any:  # noqa: ANN401 - a row
        def job(authority: Authority) -> Any:  # noqa: ANN401 - same
            with pytest.raises(CountersealError), authority.store.within(0.01):
                count(authority)
            return count(authority, "where i < 200000")

        return await access.apart(job)

    assert run(story) == [(200_000,)]


def test_of_one_caller_one_runs_and_few_wait(run: Callable[[Story], Any]) -> None:
    """More are refused at once; another caller's is answered before the second of them has begun to."""

    async def story(access: Access) -> tuple[Any, ...]:
        flood = [asyncio.create_task(access.search(count, "a"))]
        flood += [asyncio.create_task(access.search(number, "a")) for _ in range(CALLER_LIMIT - 1)]
        await asyncio.sleep(0)
        with pytest.raises(CountersealError) as refused:
            await access.search(number, "a")
        other = await access.search(number, "b"), any(one.done() for one in flood)
        answers: list[Any] = await asyncio.gather(*flood, return_exceptions=True)
        return refused.value.code, other, answers[0].code, answers[1:], await access.search(number, "a")

    seven = [(7,)]
    expected = ("search.too_many", (seven, False), "search.too_broad", [seven] * (CALLER_LIMIT - 1), seven)
    assert run(story) == expected


def test_a_connection_is_kept_for_the_next_search(run: Callable[[Story], Any]) -> None:
    """Also after a search that failed, and for another caller."""

    def store(authority: Authority) -> Any:  # noqa: ANN401 - a store
        return authority.store

    async def story(access: Access) -> list[Any]:
        used = [await access.search(store, "a")]
        with pytest.raises(CountersealError):
            await access.search(lambda authority: authority.store.rows("select no"), "a")
        return [*used, await access.search(store, "a"), await access.search(store, "b")]

    first, *others = run(story)
    assert [one is first for one in others] == [True, True]


def test_no_search_is_answered_from_a_file_that_was_moved_away(tmp_path: Path) -> None:
    """A connection that is kept was opened before."""

    async def story() -> str:
        with ExitStack() as stack:
            access = file_access(stack, tmp_path)
            try:
                await access.search(number, "a")
                await access.write(lambda authority: authority.store.mark_moved("elsewhere"))
                with pytest.raises(CountersealError) as refused:
                    await access.search(number, "a")
                return refused.value.code
            finally:
                await access.close()

    new_store(tmp_path).close()
    assert asyncio.run(story()) == "store.moved"
