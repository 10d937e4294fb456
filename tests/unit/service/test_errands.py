"""One thread for an event loop: in order, with what each errand raised, to its end."""

from __future__ import annotations

import asyncio
from threading import current_thread, get_ident

import pytest

from counterseal.errors import InputError
from counterseal.service.errands import Errands


def test_errands_are_done_in_order_in_one_thread() -> None:
    """What one raises is told to whoever asked for it; the next one is done."""

    def refused() -> None:
        raise InputError("test.no", "no")

    async def story() -> None:
        errands = Errands("test")
        first, second, third = errands.do(get_ident), errands.do(refused), errands.do(lambda: current_thread().name)
        abandoned = errands.do(get_ident)
        abandoned.cancel()
        with pytest.raises(InputError, match="no"):
            await second
        assert await first != get_ident()
        assert await third == "test"
        assert await errands.do(get_ident) == first.result()
        errands.close()

    asyncio.run(story())


def test_closing_waits_for_what_was_asked() -> None:
    """Also where nobody listens to the answers any more."""
    done: list[int] = []

    async def story() -> Errands:
        errands = Errands("test")
        for number in range(100):
            errands.do(lambda number=number: done.append(number))  # type: ignore[misc] # bound now
        return errands

    asyncio.run(story()).close()
    assert done == list(range(100))
