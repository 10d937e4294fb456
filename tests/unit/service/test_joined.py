"""How often an answer is written: once for its head and what follows."""

from __future__ import annotations

import asyncio

import pytest

from counterseal.service.joined import Joined

HEAD, BODY, MORE = b"HTTP/1.1 200 OK\r\n\r\n", b"body", b"more"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSED = b"closed"


class Recorder(asyncio.Transport):
    """A transport that only says what was done with it."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Note it."""
        self.told.append(bytes(data))

    def close(self) -> None:
        """Note it."""
        self.told.append(CLOSED)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([HEAD], []),
        ([HEAD, BODY], [HEAD + BODY]),
        ([HEAD, BODY, MORE], [HEAD + BODY, MORE]),
        ([HEAD, b"", "flush"], [HEAD]),
        ([HEAD, "flush", "close"], [HEAD, CLOSED]),
        ([HEAD, "close"], [HEAD, CLOSED]),
        ([INTERIM, HEAD, BODY, "flush"], [INTERIM, HEAD + BODY]),
        (["close"], [CLOSED]),
    ],
)
def test_head_and_body_are_one_write(steps: list[bytes | str], told: list[bytes]) -> None:
    """A head alone is sent at the end of the answer, what is no answer yet at once, and nothing is lost or doubled."""
    recorder = Recorder()
    joined = Joined(recorder)
    for step in steps:
        if isinstance(step, bytes):
            joined.write(step)
        else:
            getattr(joined, step)()
    assert recorder.told == told
