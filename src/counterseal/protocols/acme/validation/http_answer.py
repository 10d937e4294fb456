"""One GET over an open connection, and its answer: status, Location and a body that is cut off at a limit."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

import httptools

from counterseal.protocols.acme.problems import Failure
from counterseal.protocols.acme.validation.resolver import Lookup

if TYPE_CHECKING:
    import asyncio

LONGEST_ANSWER = 32 * 1024
LONGEST_BODY = 4 * 1024


@dataclass
class Answer:
    """What a server answered; the names of its methods are the parser's."""

    status: int = 0
    location: str | None = None
    body: bytearray = field(default_factory=bytearray)
    complete: bool = False

    def on_message_begin(self) -> None:
        """Begin anew: what came before was an interim answer (RFC 9110 15.2)."""
        self.location, self.complete = None, False
        self.body.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the one header that matters."""
        if name.lower() == b"location":
            self.location = value.decode("latin-1")

    def on_body(self, chunk: bytes) -> None:
        """Gather the body."""
        self.body += chunk

    def on_message_complete(self) -> None:
        """Note the end."""
        self.complete = True


async def get(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, host: str, target: str) -> Answer:
    """Send a GET for ``target`` and return the answer; raises Lookup for one that is not HTTP, or too long."""
    request = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: counterseal-acme\r\nAccept: */*\r\n"
    writer.write(f"{request}Connection: close\r\n\r\n".encode("latin-1"))
    answer = Answer()
    parser = httptools.HttpResponseParser(answer)
    received = 0
    while not answer.complete or parser.get_status_code() < HTTPStatus.OK:
        chunk = await reader.read(4096)
        if not chunk:
            break
        received += len(chunk)
        if received > LONGEST_ANSWER or len(answer.body) > LONGEST_BODY:
            raise Lookup(Failure("incorrectResponse", f"{host}: the answer is too long to be a key authorization"))
        try:
            parser.feed_data(chunk)
        except httptools.HttpParserError:
            raise Lookup(Failure("connection", f"{host}: what answers does not speak HTTP")) from None
        except httptools.HttpParserUpgrade:
            raise Lookup(Failure("connection", f"{host}: what answers changes to a protocol not asked for")) from None
    answer.status = parser.get_status_code() if received else 0
    return answer
