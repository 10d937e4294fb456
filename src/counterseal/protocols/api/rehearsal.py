"""A rehearsal of what changes rows: done like the real thing, with every check of it, and taken back."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.authority.parts import Authority
    from counterseal.service.access import Access

T = TypeVar("T")


async def change(access: Access, step: Callable[[Authority], T], *, dry_run: bool) -> T:
    """Run ``step`` in a transaction and return its answer; as ``dry_run`` nothing that it wrote stays."""
    if not dry_run:
        return await access.write(step)
    answers: list[T] = []

    def rehearse(authority: Authority) -> None:
        answers.append(step(authority))
        raise _TakenBack

    with suppress(_TakenBack):
        await access.write(rehearse)
    return answers[-1]


class _TakenBack(Exception):  # noqa: N818 - no error: the way out of a transaction that is not to stay
    pass
