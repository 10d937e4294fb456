"""What became of a session that was offered again, in a sentence; real servers are in tests/integration/handshake."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterseal.handshake.examine import Examination
from counterseal.handshake.explain.resumption import (
    NO_SESSION,
    NUMBER_NOT_FOUND,
    RESUMED,
    TICKET_NOT_TAKEN,
    resumption_of,
)
from explained import explained


@pytest.mark.parametrize(
    ("first", "taken_up", "expected"),
    [
        ("openssl-1.3-retry", True, RESUMED),
        ("openssl-1.3-retry", False, TICKET_NOT_TAKEN),
        ("nginx-1.3-mutual", False, NUMBER_NOT_FOUND),  # its tickets are 32 bytes
        ("nginx-1.2-mutual", False, NUMBER_NOT_FOUND),
    ],
)
def test_a_second_handshake(first: str, *, taken_up: bool, expected: str) -> None:
    """What the first one gave out says why the second one is a full one."""
    found = explained(first).examination
    again = replace(found.main, trace=replace(found.main.trace, resumed=taken_up))
    assert resumption_of(Examination(found.what, found.main, resume=True, resumed=again)) == expected


def test_a_second_handshake_that_there_is_not() -> None:
    """Not asked for, without a session to offer, or not finished."""
    found = explained("nginx-1.3-mutual").examination
    assert resumption_of(found) is None
    assert resumption_of(Examination(found.what, found.main, resume=True)) == NO_SESSION
    cut = replace(found.main, trace=replace(found.main.trace, finished_at=None))
    said = resumption_of(Examination(found.what, found.main, resume=True, resumed=cut))
    assert said == "the second handshake, which offered the session, was not finished"


def test_nothing_is_said_of_a_first_handshake_that_failed() -> None:
    """Its own fault comes first."""
    first = explained("nginx-1.3-unknown-name").examination
    assert resumption_of(Examination(first.what, first.main, resume=True)) is None
