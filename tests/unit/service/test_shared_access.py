"""A store in a server that goes away: who waits is answered when it is back, and never by a guess."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

import pytest

from access_jobs import reserve, taken
from counterseal.errors import CountersealError, InputError
from counterseal.service import shared_access
from counterseal.service.shared_access import SharedAccess
from counterseal.store.postgresql_failures import unreachable
from postgresql_process import cluster
from shared_store import Lab, shared_lab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.authority.parts import Authority

pytestmark = pytest.mark.slow


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Return a laboratory."""
    with shared_lab(tmp_path) as made:
        yield made


def test_what_fails_fails_alone(lab: Lab) -> None:
    """Of jobs in one transaction one is undone, whatever it had written; an early answer comes too."""

    def refused(authority: Authority) -> None:
        reserve(2)(authority)
        raise InputError("test.no", "no")

    async def story(access: SharedAccess) -> tuple[list[Any], list[int]]:
        jobs = [access.write(job) for job in (reserve(1), refused, reserve(1))]
        early = access.write(reserve(3), durable=False)
        return await asyncio.gather(*jobs, early, return_exceptions=True), await access.read(taken)

    answers, numbers = lab.run(story)
    codes = [one.code if isinstance(one, CountersealError) else one for one in answers]
    assert codes == [1, "test.no", "store.serial_taken", 3]
    assert numbers == [1, 3]


def test_two_replicas_take_turns(lab: Lab) -> None:
    """Every number is taken once, however the groups fall."""

    async def story(first: SharedAccess) -> int:
        second = SharedAccess(lab.authority)
        jobs = [access.write(reserve(number)) for number in range(1, 41) for access in (first, second)]
        answers = await asyncio.gather(*jobs, return_exceptions=True)
        await second.close()
        assert len(await first.read(taken)) == 40
        return sum(isinstance(one, CountersealError) for one in answers)

    assert lab.run(story) == 40


def test_a_lost_connection_is_made_anew(lab: Lab) -> None:
    """Of readers and of the writer; the job is done once."""

    async def story(access: SharedAccess) -> list[int]:
        await access.write(reserve(1))
        await asyncio.to_thread(
            cluster().sql, "select pg_terminate_backend(pid) from pg_stat_activity where datname like 'test_%'"
        )
        assert await access.read(taken) == [1]
        await access.write(reserve(2))
        return await access.read(taken)

    assert lab.run(story) == [1, 2]


def test_a_silent_server_is_given_up(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen with the connection open: it is cut, and the job is done once when the server answers again."""
    monkeypatch.setattr(shared_access, "SILENCE_SECONDS", 0.3)

    async def story(access: SharedAccess) -> tuple[int, list[int]]:
        cut = 0
        authority = access._writer
        real = type(authority.store).cut

        def count(store: Any) -> None:  # noqa: ANN401 - the store, patched
            nonlocal cut
            cut += 1
            if cut == 2:
                cluster().send(signal.SIGCONT)
            real(store)

        monkeypatch.setattr(type(authority.store), "cut", count)
        cluster().send(signal.SIGSTOP)
        try:
            assert await access.write(reserve(1)) == 1
        finally:
            cluster().send(signal.SIGCONT)
        return cut, await access.read(taken)

    cut, numbers = lab.run(story)
    assert cut >= 2
    assert numbers == [1]


def test_a_commit_without_an_answer_is_not_guessed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked is told to look; it is not done a second time."""

    async def story(access: SharedAccess) -> list[int]:
        store = access._writer.store
        commit = type(store).commit

        def lose(one: Any) -> None:  # noqa: ANN401 - the store, patched
            if one._depth == 1:
                monkeypatch.undo()
                commit(one)  # it is done, and the answer is lost
                raise unreachable("gone")
            commit(one)

        monkeypatch.setattr(type(store), "commit", lose)
        with pytest.raises(CountersealError) as caught:
            await access.write(reserve(1))
        assert caught.value.code == "store.unanswered"
        await access.write(reserve(2))
        return await access.read(taken)

    assert lab.run(story) == [1, 2]
