"""Answers read whole, in however many pieces they come: what one ``recv`` returns is no message."""

from __future__ import annotations

from http.client import HTTPMessage, parse_headers
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import socket


class WholeAnswer(NamedTuple):
    """An answer of HTTP/1.1."""

    status: int
    headers: HTTPMessage
    body: bytes


def read_answer(connection: socket.socket) -> WholeAnswer:
    """Read one answer and nothing beyond it; one that does not tell its length goes to the end of the connection."""
    first, _, fields = read_until(connection, b"\r\n\r\n").partition(b"\r\n")
    headers = parse_headers(BytesIO(fields))
    length = headers["Content-Length"]
    body = read_to_end(connection) if length is None else read_octets(connection, int(length))
    return WholeAnswer(int(first.split()[1]), headers, body)


def read_request(connection: socket.socket) -> bytes:
    """Read one request as it came, whose body may come in a piece of its own."""
    head = read_until(connection, b"\r\n\r\n")
    length = parse_headers(BytesIO(head.partition(b"\r\n")[2]))["Content-Length"]
    return head + read_octets(connection, int(length or 0))


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """Read up to and with these octets; a connection that ends before fails the test."""
    octets = b""
    while not octets.endswith(end):
        octets += read_octets(connection, 1)
    return octets


def read_octets(connection: socket.socket, number: int) -> bytes:
    """Read so many; a connection that ends before fails the test."""
    octets = b""
    while len(octets) < number:
        piece = connection.recv(number - len(octets))
        assert piece, f"the connection ended after {octets!r}"
        octets += piece
    return octets


def read_to_end(connection: socket.socket) -> bytes:
    """Read until the other side closes."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))
