"""A name server for tests: authoritative for what it is told, on a free UDP port of the loopback interface."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass
class NameServer:
    """Answers from ``records``: (name, type) to texts; ``default`` is the A record of every other name.

    ``silent`` says of which names or types it says nothing at all.
    """

    address: str
    default: str | None = "127.0.0.1"
    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    silent: Callable[[str, str], bool] = lambda _name, _kind: False
    directory: Path | None = None
    """TXT records may also be lines of a file of that name here, which other programs write."""

    def answer(self, query: dns.message.Message) -> dns.message.Message | None:
        """Return the answer to a query; a name with other types only has no data, an unknown one does not exist."""
        response = dns.message.make_response(query, recursion_available=True)
        response.flags |= dns.flags.AA
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), question.rdtype.name
        self.asked.append((name, kind))
        if self.silent(name, kind):
            return None
        found = self.records.get((name, kind)) or self._from_file(name, kind)
        if found is None and kind == "A" and self.default and not name.startswith("_"):
            found = [self.default]
        if found:
            response.answer.append(dns.rrset.from_text(question.name, 1, "IN", kind, *found))
        elif not any(known == name for known, _ in self.records) and kind == "TXT":
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response

    def _from_file(self, name: str, kind: str) -> list[str] | None:
        if kind != "TXT" or self.directory is None or not (self.directory / name).is_file():
            return None
        return [f'"{line}"' for line in (self.directory / name).read_text().split()]

    def set_text(self, name: str, value: str) -> None:
        """Add a TXT record."""
        self.records.setdefault((name, "TXT"), []).append(f'"{value}"')


@contextmanager
def name_server() -> Iterator[NameServer]:
    """Serve while the block runs."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        server = NameServer(f"127.0.0.1:{udp.getsockname()[1]}")
        thread = Thread(target=_serve, args=(udp, server), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", udp.getsockname())
            thread.join(30)


def _serve(udp: socket.socket, server: NameServer) -> None:
    while True:
        data, peer = udp.recvfrom(4096)
        if not data:
            return
        answer = server.answer(dns.message.from_wire(data))
        if answer is not None:
            udp.sendto(answer.to_wire(), peer)
