"""Functions that wait in an event loop, which goes on meanwhile; elsewhere they wait where they stand."""

from __future__ import annotations

import asyncio
from threading import get_ident

import pytest

from counterseal.suspension import apart, can_suspend, in_the_loop, sleep, wait_for


def test_who_waits_holds_up_nobody() -> None:
    """Each of two goes on with what the other one has done meanwhile."""
    told: list[str] = []

    def job(name: str) -> str:
        assert can_suspend()
        for step in range(2):
            told.append(f"{name}{step}")
            wait_for(asyncio.sleep(0))
        return name

    async def story() -> tuple[str, str]:
        first, second = await asyncio.gather(in_the_loop(lambda: job("a")), in_the_loop(lambda: job("b")))
        return first, second

    assert asyncio.run(story()) == ("a", "b")
    assert told == ["a0", "b0", "a1", "b1"]


def test_what_is_raised_is_raised_where_it_is_waited_for() -> None:
    """In the job, which may go on, and from it."""

    async def fail() -> None:
        raise LookupError("awaited")

    def job() -> None:
        with pytest.raises(LookupError, match="awaited"):
            wait_for(fail())
        raise ValueError("of the job")

    with pytest.raises(ValueError, match="of the job"):
        asyncio.run(in_the_loop(job))


def test_what_waits_by_itself_is_done_in_a_thread() -> None:
    """From the loop; elsewhere at once."""
    assert asyncio.run(in_the_loop(lambda: apart(get_ident))) != get_ident()
    assert apart(get_ident) == get_ident()


def test_a_pause_is_one_in_the_loop_too() -> None:
    """And what is no job cannot be suspended."""
    assert not can_suspend()
    sleep(0)
    asyncio.run(in_the_loop(lambda: sleep(0)))
