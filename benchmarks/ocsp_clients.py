"""OCSP servers under load: how they are asked, by wrk, how often they answer, and the processor time that takes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import uvloop
from cryptography.x509 import ocsp

CLIENTS = 8
QUESTION = "application/ocsp-request"


class Way(NamedTuple):
    """How one server is asked: the question in the body, or in the path of the URL; its processes; its replicas."""

    url: str
    processes: tuple[int, ...]
    body: bytes = b""
    more: tuple[str, ...] = ()
    keeps: bool = True
    """Whether it keeps a connection for more than one request."""


def check(way: Way) -> None:
    """Ask once; the answer must be good."""
    asked = Request(way.url, way.body or None, {"Content-Type": QUESTION})  # noqa: S310 - our own
    with urlopen(asked) as answer:  # noqa: S310 - same
        content = answer.read()
    assert ocsp.load_der_ocsp_response(content).certificate_status is ocsp.OCSPCertStatus.GOOD


def rate(way: Way, place: Path, seconds: float) -> float:
    """Return how many answers a second all connections together got; none may be a refusal."""
    if not way.keeps:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(rate_one_by_one(way, seconds))
    command = ["wrk", "--threads", "1", "--duration", f"{seconds:g}s"]
    if way.body:
        octets = "".join(f"\\{octet:03}" for octet in way.body)
        script = f'wrk.method = "POST"; wrk.headers["Content-Type"] = "{QUESTION}"; wrk.body = "{octets}"'
        (place / "post.lua").write_text(script)
        command += ["--script", str(place / "post.lua")]
    urls = (way.url, *way.more)
    command += ["--connections", str(CLIENTS // len(urls))]
    asking = [subprocess.Popen([*command, url], stdout=subprocess.PIPE, text=True) for url in urls]
    told = [process.communicate()[0] for process in asking]
    assert not any("Non-2xx" in one for one in told), told
    return sum(float(one.partition("Requests/sec:")[2].split()[0]) for one in told)


async def rate_one_by_one(way: Way, seconds: float) -> float:
    """Return the same of a server that takes one request a connection, some of which it resets."""
    port, done, until = urlsplit(way.url).port, 0, time.perf_counter() + seconds
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {QUESTION}\r\nContent-Length: {len(way.body)}\r\n\r\n"

    async def client() -> None:
        nonlocal done
        while time.perf_counter() < until:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(head.encode() + way.body)
                answer = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
                done += answer.startswith(b"HTTP/1.0 200")
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return done / (time.perf_counter() - began)


def pin(process: int) -> None:
    """Let all threads of the process, and what they begin, have the servers' core alone."""
    for thread in Path(f"/proc/{process}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {0})


def processor_seconds(process: int) -> float:
    """Return the processor time that a process and its children have used so far."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    used = 0
    for one in (str(process), *children):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / os.sysconf("SC_CLK_TCK")
