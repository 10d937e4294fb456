"""More than anybody should send: connections, bodies, empty lines; the service answers others, within its memory."""

from __future__ import annotations

import resource
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from counterseal.compose.listening import CONNECTIONS
from counterseal.service.body import BODY_SECONDS
from counterseal.service.connection import HEAD_SECONDS
from service_process import SECONDS, Running, make_ca, running
from whole_answers import read_answer, read_to_end

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEGABYTE = 1024 * 1024
MEMORY = 150 * MEGABYTE
"""What all of this may add: 4,000 connections take some 60, and no body is kept."""

ORDER = b"POST /acme/new-order HTTP/1.1\r\nHost: x\r\nContent-Type: application/jose+json\r\n"
CHUNKED = ORDER + b"Transfer-Encoding: chunked\r\n\r\n"
UNFINISHED = ORDER + b"Content-Length: 2\r\n\r\n{"
HEALTHZ = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
OF_HALF_A_MINUTE = HEAD_SECONDS + BODY_SECONDS + SECONDS


FEW = 80
FEW_CONNECTIONS = """
import asyncio, resource, sys
from pathlib import Path
from counterseal.cli.run import run
from counterseal.service.requests import Requests
resource.setrlimit(resource.RLIMIT_NOFILE, (356, 356))
answer, signs = Requests.__call__, Path("{signs}")
async def waiting(self, scope, receive, send):
    if scope["query_string"]:
        (signs / scope["query_string"].decode()).touch()
        while not (signs / "go on").exists():
            await asyncio.sleep(0.01)
    await answer(self, scope, receive, send)
Requests.__call__ = waiting
sys.exit(run(sys.argv[1:]))
"""
"""The service with place for ``FEW`` connections; what is asked with a query waits for a file."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a service on a Unix socket, where a connection costs the test no handshake."""
    home = tmp_path_factory.mktemp("floods") / "home"
    make_ca(home, '[serve]\npublic_url = "https://ca.example.com"\n')
    with running(home, "--listen", f"unix:{home}/s") as service:
        yield service


@pytest.fixture(autouse=True)
def memory(service: Running) -> Iterator[None]:
    """Hold what a test takes to the limit."""
    before = service.most_memory
    yield
    assert service.most_memory - before < MEMORY


def connect(service: Running) -> socket.socket:
    """Connect; a full queue of the listener is tried again."""
    while True:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(OF_HALF_A_MINUTE)
        try:
            connection.connect(str(service.home / "s"))
        except BlockingIOError:
            connection.close()
        else:
            return connection


def send_some(stack: ExitStack, service: Running, octets: bytes) -> socket.socket:
    """Connect, send this, and leave it at that."""
    connection = stack.enter_context(connect(service))
    connection.sendall(octets)
    return connection


def was_thrown_out(connection: socket.socket) -> bool:
    """Whether it ends without an answer."""
    with suppress(ConnectionResetError):
        return connection.recv(1) == b""
    return True


def is_well(service: Running) -> bool:
    """Ask whether it lives."""
    with connect(service) as connection:
        connection.sendall(HEALTHZ + b"Connection: close\r\n\r\n")
        return read_answer(connection).status == HTTPStatus.OK


def send_until_cut_off(connection: socket.socket, first: bytes, then: bytes, pause: float = 0.0) -> float:
    """Send without end and return after how many seconds the other side had enough."""
    began = time.monotonic()
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(first)
        while time.monotonic() - began < OF_HALF_A_MINUTE:
            connection.sendall(then)
            time.sleep(pause)
    return time.monotonic() - began


@pytest.mark.slow
def test_more_connections_than_there_may_be(service: Running) -> None:
    """Those that do not ask to the end make room, the oldest first, for who does; a younger one is not thrown out."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * CONNECTIONS), hard))
    try:
        with ExitStack() as stack:
            oldest, *_ = (send_some(stack, service, b"GET / HT") for _ in range(1000))
            asking = send_some(stack, service, UNFINISHED)
            for _ in range(CONNECTIONS - 500):
                send_some(stack, service, b"GET / HT")
            assert is_well(service)
            assert was_thrown_out(oldest)
            assert read_answer(asking).status == HTTPStatus.REQUEST_TIMEOUT  # its body did not come in time
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert is_well(service)


def test_bodies_that_do_not_end_make_room(tmp_path: Path) -> None:
    """The oldest first; never a request that is here as a whole, nor one behind which there is another that is not."""
    home, signs = tmp_path / "home", tmp_path / "signs"
    signs.mkdir()
    make_ca(home, '[serve]\npublic_url = "https://ca.example.com"\n')
    with (
        running(home, "--listen", f"unix:{home}/s", program=("-c", FEW_CONNECTIONS.format(signs=signs))) as service,
        ExitStack() as stack,
    ):
        whole = {"alone": b"", "followed": UNFINISHED}
        asking = {name: stack.enter_context(connect(service)) for name in whole}
        for name, then in whole.items():
            asking[name].sendall(b"GET /healthz?%b HTTP/1.1\r\nHost: x\r\n\r\n" % name.encode() + then)
            wait_for(signs / name)
        stack.callback((signs / "go on").touch)
        oldest = send_some(stack, service, UNFINISHED)
        for _ in range(3):
            for _ in range(FEW):
                send_some(stack, service, UNFINISHED)
            assert is_well(service)
        assert was_thrown_out(oldest)
        (signs / "go on").touch()
        for connection in asking.values():
            assert read_answer(connection).status == HTTPStatus.OK


@pytest.mark.parametrize("flood", [UNFINISHED, b"GET / HT", b""], ids=["bodies", "heads", "nothing"])
def test_who_needs_a_moment_is_not_kept_out(tmp_path: Path, flood: bytes) -> None:
    """Between connecting and the head, or head and body: older ones of the flood make room."""
    home = tmp_path / "home"
    make_ca(home, '[serve]\npublic_url = "https://ca.example.com"\n')
    with (
        running(home, "--listen", f"unix:{home}/s", program=("-c", FEW_CONNECTIONS.format(signs=tmp_path))) as service,
        ExitStack() as stack,
    ):
        for _ in range(FEW):
            send_some(stack, service, flood)
        before_head = send_some(stack, service, b"")
        before_body = send_some(stack, service, HEALTHZ + b"Content-Length: 2\r\n\r\n{")
        for _ in range(FEW // 2):
            send_some(stack, service, flood)
        assert is_well(service)  # so all of them have come in
        before_head.sendall(HEALTHZ + b"\r\n")
        assert read_answer(before_head).status == HTTPStatus.OK
        before_body.sendall(b"}")
        assert read_answer(before_body).status == HTTPStatus.OK


def wait_for(path: Path) -> None:
    """Wait until the file is there."""
    deadline = time.monotonic() + SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, f"not there: {path}"
        time.sleep(0.01)


ENDLESS: dict[str, tuple[bytes, bytes, float]] = {
    "chunks": (CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n", 0.0),
    "a chunk's extension": (CHUNKED + b"1;", b"a" * 65_536, 0.01),
    "a trailer": (CHUNKED + b"0\r\nX: ", b"a" * 65_536, 0.0),
    "trailers": (CHUNKED + b"0\r\n", b"a: b\r\n" * 10_000, 0.0),
    "trailers that nobody reads": (
        HEALTHZ + b"Transfer-Encoding: chunked\r\n\r\n0\r\n",
        b"a: b\r\n" * 10_000,
        0.0,
    ),
    "a body that nobody reads": (
        HEALTHZ + b"Transfer-Encoding: chunked\r\n\r\n",
        b"10000\r\n" + b"x" * 65_536 + b"\r\n",
        0.01,
    ),
    "the same, declared": (HEALTHZ + b"Content-Length: 99999999999\r\n\r\n", b"x" * 65_536, 0.01),
    "empty lines": (HEALTHZ + b"\r\n", b"\r\n", 0.5),
}
"""What is sent first, what again and again, and with which pause."""


@pytest.mark.slow
def test_what_has_no_end_is_cut_off(service: Running) -> None:
    """Answered or not, and whether anybody reads it or not; all at once, and others are answered meanwhile."""

    def send(story: tuple[bytes, bytes, float]) -> float:
        with connect(service) as connection:
            return send_until_cut_off(connection, *story)

    with ThreadPoolExecutor(len(ENDLESS)) as threads:
        sending = threads.map(send, ENDLESS.values())
        assert is_well(service)
        took = dict(zip(ENDLESS, sending, strict=True))
    assert {story: seconds for story, seconds in took.items() if seconds >= OF_HALF_A_MINUTE} == {}
    assert is_well(service)


def test_a_body_that_nobody_reads_ends_no_connection(service: Running) -> None:
    """As long as it ends itself: the next request on it is answered."""
    with connect(service) as connection:
        connection.sendall(HEALTHZ + b"Content-Length: 100000\r\n\r\n" + b"x" * 100_000)
        assert read_answer(connection).status == HTTPStatus.OK
        connection.sendall(HEALTHZ + b"Connection: close\r\n\r\n")
        assert read_answer(connection).status == HTTPStatus.OK


def test_a_proxy_is_not_believed_who_a_client_is(service: Running) -> None:
    """Whatever it says of it: no header makes a link, or an address in the log."""
    said = b"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: evil.example\r\nForwarded: for=6.6.6.6;host=evil.example\r\n"
    with connect(service) as connection:
        connection.sendall(
            b"GET /acme/directory HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n" + said + b"\r\n"
        )
        answer = read_to_end(connection)
    assert b"https://ca.example.com/acme/new-order" in answer
    assert b"evil" not in answer
    assert not [line for line in service.lines if "6.6.6.6" in line or "evil" in line]
