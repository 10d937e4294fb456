"""Who asks waits for a while only, and of looks that take long there is one at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from counterseal.service import probe
from counterseal.service.probe import Probe

if TYPE_CHECKING:
    import pytest


def test_one_look_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes when nobody waits any more is not told as if it were seen now."""
    monkeypatch.setattr(probe, "ANSWER_SECONDS", 0.01)
    begun = 0

    async def story() -> None:
        silence, later = asyncio.Event(), asyncio.Event()

        async def look() -> int:
            nonlocal begun
            begun += 1
            seen = begun
            await silence.wait()
            later.set()
            return seen

        asked = Probe(look)
        assert [await asked.answer(), await asked.answer(), begun] == [None, None, 1]
        silence.set()
        await later.wait()
        await asyncio.sleep(0)
        monkeypatch.setattr(probe, "ANSWER_SECONDS", 30.0)
        assert [await asked.answer(), await asked.answer()] == [2, 3]

    asyncio.run(story())
