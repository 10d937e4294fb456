"""A lean ACME client, and a server of which whole orders are measured with it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography import x509

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from acme_signing import ClientKey, b64, csr, jws

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterator

POLL_SECONDS = 0.002
ANSWER_SECONDS, PART_SECONDS = 60.0, 600.0
"""How long one answer, and all the orders that are measured in one go, may take."""


@dataclass
class Fast:
    """One kept connection of an account; as lean as a client in Python can be."""

    context: ssl.SSLContext
    directory: dict[str, Any]
    key: ClientKey
    kid: str | None = None
    nonce: str | None = None
    failed: int = 0
    """Answers 500: Caddy's, when two orders of an account change at once; they are asked for again."""

    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def fetch(self, method: str, url: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        """Send one request and return status, headers and body; raises TimeoutError."""
        async with _limited(ANSWER_SECONDS, f"no answer to {method} {url}"):
            return await self._fetch(method, url, body)

    async def _fetch(self, method: str, url: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(url)
        if self.streams is None:
            self.streams = await asyncio.open_connection(parts.hostname, parts.port, ssl=self.context)
        reader, writer = self.streams
        head = f"{method} {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/jose+json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1)[:1] + line.split(": ", 1)[1:] for line in lines[1:] if line)
        status = int(lines[0].split()[1])
        content = b"" if method == "HEAD" else await _body(reader, headers)
        self.nonce = headers.get("replay-nonce", self.nonce)
        return status, headers, content

    async def post(self, url: str, payload: object = None) -> tuple[dict[str, str], Any]:
        """Sign, send, and return headers and document."""
        if self.nonce is None:
            await self.fetch("HEAD", self.directory["newNonce"])
        own = {"kid": self.kid} if self.kid else {"jwk": self.key.jwk}
        nonce, self.nonce = self.nonce, None
        signed = jws(self.key, payload, nonce=nonce, url=url, **own)
        status, headers, content = await self.fetch("POST", url, json.dumps(signed).encode())
        if status == 500:  # noqa: PLR2004 - internal error
            self.failed += 1
            return await self.post(url, payload)
        assert status in {200, 201}, (url, status, content)
        return headers, json.loads(content) if headers["content-type"].startswith("application/json") else content

    async def wait(self, url: str, status: str) -> Any:  # noqa: ANN401 - a document
        """Poll until the order has this status."""
        while True:
            _, order = await self.post(url)
            if order["status"] == status:
                return order
            assert order["status"] != "invalid", order
            await asyncio.sleep(POLL_SECONDS)

    async def order(self, address: str) -> None:
        """Get one certificate."""
        identifier = {"type": "ip", "value": address}
        headers, order = await self.post(self.directory["newOrder"], {"identifiers": [identifier]})
        if order["status"] == "pending":
            _, authorization = await self.post(order["authorizations"][0])
            (challenge,) = [one for one in authorization["challenges"] if one["type"] == "http-01"]
            await self.post(challenge["url"], {})
            order = await self.wait(headers["location"], "ready")
        name = x509.IPAddress(ip_address(address))
        _, done = await self.post(order["finalize"], {"csr": b64(csr(name))})
        if done["status"] != "valid":
            done = await self.wait(headers["location"], "valid")
        _, chain = await self.post(done["certificate"])
        assert chain.startswith(b"-----BEGIN CERTIFICATE-----")


@asynccontextmanager
async def _limited(seconds: float, what: str) -> AsyncIterator[None]:
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield
    except TimeoutError as error:
        if not limit.expired():  # one inside has
            raise
        raise TimeoutError(f"{what}: waited for {seconds:g} s") from error


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    content = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        content += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return content


@dataclass
class Server:
    """A server to be measured."""

    name: str
    directory: str
    context: ssl.SSLContext
    process: int
    addresses: Iterator[str]
    answers: dict[str, str] = field(default_factory=dict)
    key: ClientKey = field(default_factory=ClientKey)
    kid: str | None = None
    fewer: int = 1
    """It is slow: so many times fewer orders are made of it."""

    replicas: tuple[tuple[str, int], ...] = ()
    """Further processes over the same store, which share the clients with the first: directory and process of each."""

    failed: int = 0
    seconds: dict[tuple[str, int], list[list[float]]] = field(default_factory=dict)
    rates: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    costs: dict[tuple[str, int], list[float]] = field(default_factory=dict)

    async def clients(self, number: int) -> list[Fast]:
        """Return clients of one account, connected."""
        first = Fast(self.context, {}, self.key, self.kid)
        _, _, content = await first.fetch("GET", self.directory)
        directory = json.loads(content)
        first.directory = directory
        if self.kid is None:
            headers, _ = await first.post(directory["newAccount"], {"termsOfServiceAgreed": True})
            self.kid = first.kid = headers["location"]
            self.answers["thumbprint"] = self.key.thumbprint
        return [first, *(self._client(content.decode(), one) for one in range(1, number))]

    def _client(self, directory: str, number: int) -> Fast:
        """Return a client of one replica: its URLs are the first one's, at another address."""
        places = [self.directory, *(place for place, _ in self.replicas)]
        first, place = (one.removesuffix("/acme/directory") for one in (places[0], places[number % len(places)]))
        kid = (self.kid or "").replace(first, place)
        return Fast(self.context, json.loads(directory.replace(first, place)), self.key, kid)

    async def measure(self, kind: str, orders: int, at_once: int) -> None:
        """Do so many orders, ``at_once`` of them at a time."""
        clients, orders = await self.clients(at_once), orders // self.fewer
        fresh = [next(self.addresses) for _ in range(orders if kind == "new" else at_once)]
        if kind == "renewal":
            await asyncio.gather(*(client.order(one) for client, one in zip(clients, fresh, strict=True)))
        work = iter(fresh if kind == "new" else [fresh[number % at_once] for number in range(orders)])
        times: list[float] = []

        async def go(client: Fast) -> None:
            for address in work:
                began = time.perf_counter()
                await client.order(address)
                times.append(time.perf_counter() - began)

        began, used = time.perf_counter(), self.processor_seconds()
        async with _limited(PART_SECONDS, f"{self.name}: not done with {orders} {kind} orders, {at_once} at once"):
            await asyncio.gather(*map(go, clients))
        self.rates.setdefault((kind, at_once), []).append(orders / (time.perf_counter() - began))
        self.costs.setdefault((kind, at_once), []).append((self.processor_seconds() - used) / orders * 1000)
        self.seconds.setdefault((kind, at_once), []).append(times)
        for client in clients:
            self.failed += client.failed
            if client.streams:
                client.streams[1].close()

    def processor_seconds(self) -> float:
        """Return the processor time used so far."""
        used = 0
        for process in self._processes():
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            used += int(fields[11]) + int(fields[12])
        return used / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Return the most resident memory so far, in MB."""
        statuses = [Path(f"/proc/{process}/status").read_text() for process in self._processes()]
        return sum(int(status.split("VmHWM:")[1].split()[0]) for status in statuses) / 1024

    def _processes(self) -> list[int]:
        return [self.process, *(process for _, process in self.replicas)]
