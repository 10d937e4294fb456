"""Jobs for the tests of how a service reaches its store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store_fixtures import certificate, reservation

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.authority.parts import Authority


def reserve(number: int) -> Callable[[Authority], int]:
    """Return a job that reserves a serial number and answers with it."""

    def job(authority: Authority) -> int:
        authority.store.reserve_many([reservation(certificate(number))])
        return number

    return job


def taken(authority: Authority) -> list[int]:
    """Return the reserved numbers."""
    return [one.serial_number for one in authority.store.reserved_before(1 << 40)]
