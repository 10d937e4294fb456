"""Who asks and does not take the answer: it keeps nobody out, little is kept for it, and it has half a minute."""

from __future__ import annotations

import select
import sqlite3
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from counterseal.compose.place import store_path
from counterseal.service.connection import CLOSE_SECONDS, PIPELINED, TAKE_SECONDS
from integration.serve.test_floods import FEW, FEW_CONNECTIONS, connect, is_well, was_thrown_out
from service_process import SECONDS, Running, make_ca, running
from whole_answers import read_answer, read_octets, read_until

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

MEGABYTE = 1024 * 1024
LONG = 16 * MEGABYTE
HOST = b"Host: ca.example.com\r\n"
LIST = b"GET /crl/root.crl HTTP/1.1\r\n" + HOST
FEW_READERS = 20


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a service with few places, and a list of some length."""
    home = tmp_path_factory.mktemp("readers") / "home"
    make_ca(home, '[serve]\npublic_url = "https://ca.example.com"\n')
    with running(home, "--listen", f"unix:{home}/s", program=("-c", FEW_CONNECTIONS.format(signs=home))) as service:
        with sqlite3.connect(store_path(home)) as store:
            store.execute("update crl set der = zeroblob(?)", [LONG])
        yield service


def asked(stack: ExitStack, service: Running, request: bytes) -> socket.socket:
    """Return a connection on which this was asked and nothing is read."""
    connection = stack.enter_context(connect(service))
    connection.sendall(request)
    return connection


def test_little_is_kept_for_who_takes_no_answer(service: Running) -> None:
    """Of a long answer a slice; before, each had a copy of all of it."""
    with ExitStack() as stack:
        first = read_answer(asked(stack, service, LIST + b"\r\n"))
        before = service.most_memory
        for _ in range(FEW_READERS):
            asked(stack, service, LIST + b"\r\n")
        assert is_well(service)
        assert (len(first.body), service.most_memory - before < 2 * LONG) == (LONG, True)


@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"], ids=["kept", "closed"])
def test_who_takes_no_answer_makes_room(service: Running, more: bytes) -> None:
    """The oldest first; before, as many as there are places kept everybody out for ever."""
    with ExitStack() as stack:
        oldest = asked(stack, service, LIST + more + b"\r\n")
        for _ in range(2 * FEW):
            asked(stack, service, LIST + more + b"\r\n")
            assert is_well(service)
        while received := oldest.recv(65_536):
            assert received  # what the system had taken for it
        assert was_thrown_out(oldest)


@pytest.mark.parametrize("left", [LONG, 290_000], ids=["at its beginning", "at its end"])
@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"], ids=["kept", "closed"])
def test_who_takes_it_slowly_gets_all_of_it(service: Running, more: bytes, left: int) -> None:
    """Also where the connection ends with it: that cut off what was not taken after two seconds."""
    with ExitStack() as stack:
        connection = asked(stack, service, LIST + more + b"\r\n")
        read_until(connection, b"\r\n\r\n")
        read_octets(connection, LONG - left)
        time.sleep(CLOSE_SECONDS + 1)
        assert len(read_octets(connection, left)) == left


@pytest.mark.slow
def test_who_takes_nothing_is_left(service: Running) -> None:
    """After half a minute, also when the service was about to end the connection."""
    with ExitStack() as stack:
        began = time.monotonic()
        asking = [asked(stack, service, LIST + more + b"\r\n") for more in (b"", b"Connection: close\r\n")]
        for connection in asking:
            poll = select.poll()
            poll.register(connection, select.POLLHUP)
            assert poll.poll((TAKE_SECONDS + SECONDS) * 1000)
        assert time.monotonic() - began > TAKE_SECONDS / 2


def test_no_more_requests_wait_than_a_few(service: Running) -> None:
    """They are answered up to there, and the others are told to come again."""
    with ExitStack() as stack:
        connection = asked(stack, service, (b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n") * 500)
        statuses = []
        with suppress(AssertionError):  # the end
            while True:
                statuses.append(read_answer(connection).status)
        assert statuses == [200] * (PIPELINED + 1) + [400]
        assert is_well(service)
