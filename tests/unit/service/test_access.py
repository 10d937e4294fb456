"""One writer, many waiters: what fails fails alone, and nobody is answered before the commit."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from access_jobs import reserve, taken
from access_lab import file_access, open_authority
from counterseal.errors import CountersealError, InputError, StoreError
from counterseal.service import groups as module
from counterseal.store.store import Store
from store_fixtures import new_store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.service.access import Access


@dataclass
class Lab:
    """An access to a store in a directory."""

    path: Path

    def run(self, story: Callable[[Access], Awaitable[Any]]) -> Any:  # noqa: ANN401 - whatever the story answers
        """Run the story with an access, and close it."""

        async def told() -> Any:  # noqa: ANN401 - same
            with ExitStack() as stack:
                access = file_access(stack, self.path)
                try:
                    return await story(access)
                finally:
                    await access.close()

        return asyncio.run(told())


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Return a laboratory with an empty store."""
    new_store(tmp_path).close()
    return Lab(tmp_path)


def commits(access: Access) -> float:
    """Return how many commits there were."""
    return access._metrics.registry.get_sample_value("counterseal_db_commits_total") or 0


def test_where_several_ask_a_commit_takes_in_who_has_arrived(lab: Lab) -> None:
    """The job of a request that comes a turn of the loop later shares the flush, where there was company before."""

    async def story(access: Access) -> tuple[int, int]:
        async def later(number: int) -> None:
            await asyncio.sleep(0)
            await access.write(reserve(number))

        async def flushes(number: int) -> int:
            before = commits(access)
            await asyncio.gather(access.write(reserve(number)), later(number + 1))
            return int(commits(access) - before)

        alone = await flushes(1)
        await asyncio.gather(access.write(reserve(3)), access.write(reserve(4)))
        return alone, await flushes(5)

    assert lab.run(story) == (2, 1)


def test_what_fails_fails_alone(lab: Lab) -> None:
    """Of three jobs in one transaction the second is undone, whatever it had written."""

    def refused(authority: Authority) -> None:
        reserve(2)(authority)
        raise InputError("test.no", "no")

    async def story(access: Access) -> tuple[list[Any], list[int]]:
        jobs = [access.write(job) for job in (reserve(1), refused, reserve(1), reserve(3))]
        return await asyncio.gather(*jobs, return_exceptions=True), await access.read(taken)

    answers, numbers = lab.run(story)
    codes = [one.code if isinstance(one, CountersealError) else one for one in answers]
    assert codes == [1, "test.no", "store.serial_taken", 3]
    assert numbers == [1, 3]


def test_an_answer_comes_after_the_commit(lab: Lab) -> None:
    """Another connection sees what was written as soon as the writer has answered."""

    async def story(access: Access) -> None:
        for number in range(1, 30):
            await access.write(reserve(number))
            with open_authority(lab.path) as other:
                assert number in taken(other)

    lab.run(story)


def test_what_need_not_be_durable_is_answered_before_the_commit(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the commit is still under way; others wait for it."""
    go = Event()

    def slow_commit(store: Store) -> None:
        if store._depth == 1:
            assert go.wait(30)
        commit(store)

    commit = Store.commit
    monkeypatch.setattr(Store, "commit", slow_commit)

    async def story(access: Access) -> list[int]:
        early = asyncio.create_task(access.write(reserve(1), durable=False))
        late = asyncio.create_task(access.write(reserve(2)))
        assert await early == 1
        await asyncio.sleep(0.05)
        assert not late.done()
        assert await access.read(taken) == []
        go.set()
        await late
        return await access.read(taken)

    assert lab.run(story) == [1, 2]


def test_a_commit_that_nobody_waits_for_comes_with_the_next(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """One flush for all of them; with nobody after it, it comes by itself."""
    monkeypatch.setattr(module, "LINGER_SECONDS", 60.0)

    async def story(access: Access) -> tuple[list[int], float, list[int]]:
        for number in (1, 2):
            assert await access.write(reserve(number), durable=False) == number
        assert await access.read(taken) == []
        await access.write(reserve(3))
        together = await access.read(taken)
        committed = commits(access)
        monkeypatch.setattr(module, "LINGER_SECONDS", 0.01)
        await access.write(reserve(4), durable=False)
        for _ in range(3_000):
            if len(await access.read(taken)) == 4:
                break
            await asyncio.sleep(0.01)
        return together, committed, await access.read(taken)

    assert lab.run(story) == ([1, 2, 3], 1, [1, 2, 3, 4])


def test_a_stop_does_not_forget_what_nobody_waits_for(lab: Lab) -> None:
    """It is written before the end."""
    lab.run(lambda access: access.write(reserve(1), durable=False))
    with open_authority(lab.path) as authority:
        assert taken(authority) == [1]


def test_one_that_fails_at_the_end_forgets_none_of_the_others(lab: Lab) -> None:
    """What was to be done beside is done before a stop, each for itself; so is what waits to be written."""

    async def fail() -> None:
        raise KeyError("of no kind that anybody foresaw")

    async def story(access: Access) -> None:
        async def write() -> None:
            await access.write(reserve(1))

        access.later(write())
        access.later(fail())

    lab.run(story)
    with open_authority(lab.path) as authority:
        assert taken(authority) == [1]


def test_another_process_that_writes_holds_up_no_reader(lab: Lab) -> None:
    """The loop goes on; the write is done when the other one has finished."""

    async def story(access: Access) -> list[int]:
        with open_authority(lab.path) as other:
            other.store.begin()
            waiting = asyncio.create_task(access.write(reserve(1)))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            assert await access.read(taken) == []
            other.store.abandon()
        await waiting
        return await access.read(taken)

    assert lab.run(story) == [1]


def test_a_long_job_runs_apart(lab: Lab) -> None:
    """In a thread, beside the writes of others."""

    async def story(access: Access) -> list[int]:
        hold = Event()
        long = asyncio.create_task(access.apart(lambda authority: (hold.wait(30), reserve(2)(authority))))
        await access.write(reserve(1))
        assert not long.done()
        hold.set()
        await long
        return await access.read(taken)

    assert lab.run(story) == [1, 2]


def test_when_the_commit_fails_everybody_is_told(lab: Lab) -> None:
    """And the writer goes on with the next group."""

    async def story(access: Access) -> tuple[list[Any], int]:
        def lose(authority: Authority) -> None:
            authority.store.run("rollback")  # what SQLite does by itself when the disk is full

        jobs = [access.write(job) for job in (reserve(1), lose, reserve(2))]
        return await asyncio.gather(*jobs, return_exceptions=True), await access.write(reserve(3))

    answers, later = lab.run(story)
    assert {(type(answer), answer.code) for answer in answers} == {(StoreError, "store.failed")}
    assert later == 3
    with open_authority(lab.path) as authority:
        assert taken(authority) == [3]


def test_too_many_waiting_are_refused_at_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded, and a client is told to come again."""
    monkeypatch.setattr(module, "QUEUE_LIMIT", 3)

    async def story(access: Access) -> list[Any]:
        jobs = [access.write(reserve(number)) for number in range(1, 21)]
        return await asyncio.gather(*jobs, return_exceptions=True)

    answers = lab.run(story)
    assert answers[:3] == [1, 2, 3]
    assert {error.code for error in answers[3:]} == {"store.overloaded"}


def test_another_process_that_writes_is_waited_for_so_long_and_no_longer(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks is told then; and once it has ended, the next is answered."""
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)

    async def story(access: Access) -> tuple[str, int]:
        with open_authority(lab.path) as other:
            other.store.begin()
            with pytest.raises(StoreError) as caught:
                await asyncio.wait_for(access.write(reserve(1)), 30)
            other.store.abandon()
        return caught.value.code, await access.write(reserve(2))

    assert lab.run(story) == ("store.busy", 2)


def test_a_store_that_fails_otherwise_is_not_waited_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not pass by waiting is told at once."""
    tried = []

    def begin(store: Store) -> None:
        tried.append(store)
        raise StoreError("store.failed", "no")

    async def story(access: Access) -> str:
        monkeypatch.setattr(Store, "begin", begin)
        with pytest.raises(StoreError) as caught:
            await access.write(reserve(1))
        return caught.value.code

    assert (lab.run(story), len(tried)) == ("store.failed", 1)


def test_closing_writes_what_waits(lab: Lab) -> None:
    """A graceful stop finishes what it began."""

    async def story(access: Access) -> list[asyncio.Task[int]]:
        jobs = [asyncio.create_task(access.write(reserve(number))) for number in range(1, 100)]
        await asyncio.sleep(0)
        return jobs

    jobs = lab.run(story)
    assert len(jobs) == 99
    with open_authority(lab.path) as authority:
        assert taken(authority) == list(range(1, 100))
