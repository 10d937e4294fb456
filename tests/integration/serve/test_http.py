"""HTTP as nobody should write it: refused with 400 where RFC 9112 says so; what follows is never taken for a request.

Each story is what is sent and which answers come. What is answered without an end of the connection is followed by one
more request, whose answer shows that both sides agree where the first one ended.
"""

from __future__ import annotations

import re
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from integration.serve.test_floods import connect, service

if TYPE_CHECKING:
    from service_process import Running

__all__ = ["service"]

HOST = b"Host: ca.example.com\r\n"
GET = b"GET /healthz HTTP/1.1\r\n" + HOST
POST = b"POST /acme/new-order HTTP/1.1\r\nContent-Type: application/jose+json\r\n" + HOST
LAST = b"GET /last HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

REFUSED: dict[str, bytes] = {
    "both lengths": POST + b"Content-Length: 6\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "both lengths, the other way": POST + CHUNKED + b"Content-Length: 6\r\n\r\n0\r\n\r\n",
    "a foreign coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding with a parameter": POST + b"Transfer-Encoding: chunked;x=y\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked is not the last": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "two codings": POST + CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a blank before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": POST.replace(b"/1.1", b"/1.0") + CHUNKED + b"\r\n0\r\n\r\n",
    "a folded line": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a list of lengths": POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length with a sign": POST + b"Content-Length: +2\r\n\r\n{}",
    "a length beyond 64 bits": POST + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "a chunk that is longer than it says": POST + CHUNKED + b"\r\n2\r\n{}xx0\r\n\r\n",
    "a chunk's size that is none": POST + CHUNKED + b"\r\n-2\r\n{}\r\n0\r\n\r\n",
    "lines without CR": GET.replace(b"\r\n", b"\n") + b"\n",
    "a CR within a line": GET + b"X: a\rb\r\n\r\n",
    "NUL in a header": GET + b"X: a\x00b\r\n\r\n",
    "NUL in the path": b"GET /heal\x00thz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a path beyond ASCII": b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n",
    "no colon": GET + b"nonsense\r\n\r\n",
    "no name": GET + b": x\r\n\r\n",
    "a blank before the first header": b"GET /healthz HTTP/1.1\r\n X: y\r\n" + HOST + b"\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": GET + HOST + b"\r\n",
    "a host that is none": b"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n",
    "no path": b"GET healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "an absolute target without a path": b"GET http://x?y HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT x:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method in small letters": b"get /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "HTTP/1.2": b"GET /healthz HTTP/1.2\r\n" + HOST + b"\r\n",
    "HTTP/2.0 in words": b"GET /healthz HTTP/2.0\r\n" + HOST + b"\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
    "a head of 40 kB in one header": GET + b"X: " + b"a" * 40_000 + b"\r\n\r\n",
    "a head of 40 kB in many": GET + b"X: y\r\n" * 20_000 + b"\r\n",
    "a path of 40 kB": b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
}
ANSWERED: dict[str, tuple[bytes, list[int]]] = {
    "several at once": ((GET + b"\r\n") * 20, [200] * 20),
    "an absolute target": (b"GET http://ca.example.com/healthz HTTP/1.1\r\n" + HOST + b"\r\n", [200]),
    "a body where none belongs": (GET + b"Content-Length: 5\r\n\r\nhello", [200]),
    "chunks with extensions and trailers": (POST + CHUNKED + b"\r\n2;a=b\r\n{}\r\n0\r\nHost: evil\r\n\r\n", [400]),
    "a path that climbs": (b"GET /acme/../healthz HTTP/1.1\r\n" + HOST + b"\r\n", [404]),
    "a path with two slashes": (b"GET //evil.example/healthz HTTP/1.1\r\n" + HOST + b"\r\n", [404]),
    "octets that are no UTF-8": (b"GET /crl/%ff.crl HTTP/1.1\r\n" + HOST + b"\r\n", [404]),
    "all of the server": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", [404]),
    "another method": (b"TRACE /healthz HTTP/1.1\r\n" + HOST + b"\r\n", [405]),
    "empty lines before": (b"\r\n\r\n" + GET + b"\r\n", [200]),
    "a status that nobody knows": (POST + b"Expect: 200-maybe\r\nContent-Length: 2\r\n\r\n{}", [400]),
    "times that are none": (GET.replace(b"/healthz", b"/crl/root.crl") + b"If-Modified-Since: Thu, 99\r\n\r\n", [200]),
}


def exchange(service: Running, sent: bytes) -> tuple[list[int], bytes]:
    """Send on a new connection and return the statuses of all answers, and all octets that came until it was closed.

    Who is refused while he sends may be told so by a reset, after the answer.
    """
    received = b""
    with connect(service) as connection:
        with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            connection.sendall(sent)
        with suppress(ConnectionResetError):
            while piece := connection.recv(65_536):
                received += piece
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)], received


@pytest.mark.parametrize("story", REFUSED)
def test_a_malformed_request_ends_the_connection(service: Running, story: str) -> None:
    """One answer, 400; the request behind it is not looked at."""
    statuses, received = exchange(service, REFUSED[story] + SMUGGLED)
    assert statuses == [400], received[:200]


@pytest.mark.parametrize("codings", [b"gzip, chunked", b"gzip\r\nTransfer-Encoding: chunked"])
def test_a_coding_that_is_not_read_is_told(service: Running, codings: bytes) -> None:
    """RFC 9112 6.1: 501, in its turn; before, the octets were taken for the body."""
    sent = POST + b"Transfer-Encoding: %b\r\n\r\n2\r\n{}\r\n0\r\n\r\n" % codings
    statuses, received = exchange(service, GET + b"\r\n" + sent + SMUGGLED)
    assert (statuses, b"Transfer-Encoding is not chunked alone." in received) == ([200, 501], True), received[-400:]


@pytest.mark.parametrize("story", REFUSED)
def test_what_was_asked_before_is_answered_before(service: Running, story: str) -> None:
    """Also where it arrives in one piece with what is refused (RFC 9112 9.3.2)."""
    statuses, received = exchange(service, (GET + b"\r\n") * 3 + REFUSED[story] + SMUGGLED)
    assert statuses == [200, 200, 200, 400], received[-400:]


@pytest.mark.parametrize("story", ANSWERED)
def test_what_follows_is_the_next_request(service: Running, story: str) -> None:
    """No octet of one request is taken for another."""
    sent, expected = ANSWERED[story]
    statuses, received = exchange(service, sent + LAST)
    assert statuses == [*expected, 404], received[-400:]


def test_another_protocol_is_not_begun(service: Running) -> None:
    """HTTP/2 and WebSocket are asked for in vain (RFC 9110 7.8), and what follows is answered too, with the asking."""
    for protocol in (b"h2c", b"websocket"):
        asked = GET + b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\n\r\n"
        assert exchange(service, asked + asked + GET + b"\r\n" + LAST)[0] == [200, 200, 200, 404]
        with_body = POST + b"Connection: Upgrade\r\nContent-Length: 2\r\nUpgrade: " + protocol + b"\r\n\r\n{}"
        assert exchange(service, with_body + LAST)[0] == [400, 404]
        chunked = with_body.replace(b"Content-Length: 2\r\n", CHUNKED).replace(b"{}", b"2\r\n{}\r\n0\r\n\r\n")
        assert exchange(service, chunked + LAST)[0] == [400, 404]
        assert exchange(service, asked.replace(b"Connection: ", b"Connection: close, ") + SMUGGLED)[0] == [200]


def test_old_clients_are_answered(service: Running) -> None:
    """HTTP/1.0 has no Host, and ends its connection."""
    assert exchange(service, b"GET /healthz HTTP/1.0\r\n\r\n")[0] == [200]


def test_the_log_has_no_failure(service: Running) -> None:
    """After all of this: no traceback, and nothing of the libraries below but that a request was refused."""
    exchange(service, REFUSED["no host"])
    exchange(service, LAST)
    service.logged("request", path="/last")
    said = {line["event"] for line in service.log if line["level"] != "info"}
    assert said <= {"Invalid HTTP request received."}
