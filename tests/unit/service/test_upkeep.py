"""What is over goes as fast as it comes, however small the steps are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from authority_fixtures import small_ca
from counterseal.service.access import Access
from counterseal.service.upkeep import in_steps
from counterseal.store.acme.passing import NonceUse, forget_nonces, use_nonce

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.authority.parts import Authority


def test_steps_are_taken_until_nothing_is_left(tmp_path: Path) -> None:
    """Five are over, at two a step; what is still good stays."""
    steps: list[int] = []

    def drop(authority: Authority) -> int:
        steps.append(forget_nonces(authority.store, 5, 2))
        return steps[-1]

    async def go(authority: Authority) -> None:
        access = Access(authority, authority, lambda: authority)
        for number in range(7):
            use_nonce(authority.store, f"n{number}", number)
        await in_steps(access, drop, 2)
        await access.close()

    with small_ca(tmp_path) as authority:
        asyncio.run(go(authority))
        assert use_nonce(authority.store, "n5", 5) is NonceUse.AGAIN
    assert steps == [2, 2, 1]
