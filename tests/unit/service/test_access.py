"""One writer, many waiters: what fails fails alone, and nobody is answered before the commit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from counterseal.authority.parts import Authority
from counterseal.errors import CountersealError, InputError, StoreError
from counterseal.keystore.file import FileKeyStore
from counterseal.service import access as module
from counterseal.service.access import Access
from counterseal.store.sqlite import open_store
from store_fixtures import certificate, new_store, reservation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


@dataclass
class Lab:
    """An access to a store in a directory."""

    path: Path

    def authority(self) -> Authority:
        """Open the store once more."""
        return Authority(
            store=open_store(self.path / "store.db"),
            keystore=FileKeyStore(self.path, lambda: None),
            clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
            random_bytes=bytes,
            actor="test",
        )

    def run(self, story: Callable[[Access], Awaitable[Any]]) -> Any:  # noqa: ANN401 - whatever the story answers
        """Run the story with an access, and close it."""

        async def told() -> Any:  # noqa: ANN401 - same
            with self.authority() as reader:
                access = Access(reader, self.authority)
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


def reserve(number: int) -> Callable[[Authority], int]:
    """Return a job that reserves a serial number and answers with it."""

    def job(authority: Authority) -> int:
        authority.store.reserve_many([reservation(certificate(number))])
        return number

    return job


def taken(authority: Authority) -> list[int]:
    """Return the reserved numbers."""
    return [one.serial_number for one in authority.store.reserved_before(1 << 40)]


def test_what_fails_fails_alone(lab: Lab) -> None:
    """Of three jobs in one transaction the second is undone, whatever it had written."""

    def refused(authority: Authority) -> None:
        reserve(2)(authority)
        raise InputError("test.no", "no")

    async def story(access: Access) -> tuple[list[Any], list[int]]:
        hold = Event()
        first = asyncio.create_task(access.write(lambda _: hold.wait()))
        await asyncio.sleep(0)  # the writer is busy: the others gather
        rest = [asyncio.create_task(access.write(job)) for job in (reserve(1), refused, reserve(1), reserve(3))]
        await asyncio.sleep(0)
        hold.set()
        await first
        return await asyncio.gather(*rest, return_exceptions=True), await access.read(taken)

    answers, numbers = lab.run(story)
    codes = [one.code if isinstance(one, CountersealError) else one for one in answers]
    assert codes == [1, "test.no", "store.serial_taken", 3]
    assert numbers == [1, 3]


def test_an_answer_comes_after_the_commit(lab: Lab) -> None:
    """Another connection sees what was written as soon as the writer has answered."""

    async def story(access: Access) -> None:
        for number in range(1, 30):
            await access.write(reserve(number))
            with lab.authority() as other:
                assert number in taken(other)

    lab.run(story)


def test_what_need_not_be_durable_is_answered_before_the_commit(lab: Lab) -> None:
    """While a job after it in the same transaction is still at work; and it is written all the same."""

    async def story(access: Access) -> list[int]:
        busy, hold = Event(), Event()
        first = asyncio.create_task(access.write(lambda _: busy.wait()))
        await asyncio.sleep(0)
        early = asyncio.create_task(access.write(reserve(1), durable=False))
        late = asyncio.create_task(access.write(lambda _: hold.wait()))
        await asyncio.sleep(0)
        busy.set()
        assert await early == 1
        assert not late.done()
        hold.set()
        await asyncio.gather(first, late)
        return await access.read(taken)

    assert lab.run(story) == [1]


def test_when_the_commit_fails_everybody_is_told(lab: Lab) -> None:
    """And the writer goes on with the next group."""

    async def story(access: Access) -> tuple[list[Any], int]:
        def lose(authority: Authority) -> None:
            authority.store.run("rollback")  # what SQLite does by itself when the disk is full

        jobs = [access.write(job) for job in (reserve(1), lose, reserve(2))]
        return await asyncio.gather(*jobs, return_exceptions=True), await access.write(reserve(3))

    answers, later = lab.run(story)
    assert all(isinstance(answer, StoreError) for answer in answers)
    assert later == 3
    with lab.authority() as authority:
        assert taken(authority) == [3]


def test_too_many_waiting_are_refused_at_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded, and a client is told to come again."""
    monkeypatch.setattr(module, "QUEUE_LIMIT", 3)

    async def story(access: Access) -> list[Any]:
        hold = Event()
        jobs = [asyncio.create_task(access.write(lambda _: hold.wait())) for _ in range(20)]
        await asyncio.sleep(0)
        refused = [job for job in jobs if job.done()]
        hold.set()
        await asyncio.gather(*jobs, return_exceptions=True)
        return [job.exception() for job in refused]

    refused = lab.run(story)
    assert len(refused) >= 1
    assert {error.code for error in refused} == {"store.overloaded"}


def test_closing_writes_what_waits(lab: Lab) -> None:
    """A graceful stop finishes what it began."""

    async def story(access: Access) -> list[asyncio.Task[int]]:
        jobs = [asyncio.create_task(access.write(reserve(number))) for number in range(1, 100)]
        await asyncio.sleep(0)
        return jobs

    jobs = lab.run(story)
    assert len(jobs) == 99
    with lab.authority() as authority:
        assert taken(authority) == list(range(1, 100))
