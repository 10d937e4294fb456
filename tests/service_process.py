"""A running ``counterseal serve`` for tests: a process of its own on a free port, and requests to it."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import dying as dying_program
import recording as recording_program
from command import here

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECONDS = 30


@dataclass
class Running:
    """A service that answers at ``url``; ``root`` is the file with its trust anchor."""

    home: Path
    url: str
    process: subprocess.Popen[str]
    http_address: str | None = None
    metrics_address: str | None = None
    entries: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """The trust anchor in PEM."""
        return self.home / "root.pem"

    @property
    def log(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return [json.loads(line) for line in self.lines]

    @property
    def most_memory(self) -> int:
        """The most memory that it has had so far, in octets."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))

    def logged(self, event: str, **fields: object) -> dict[str, Any]:
        """Return the first line of this event with these fields; it is written after the answer, so wait."""
        deadline = time.monotonic() + SECONDS
        while True:
            for line in self.log:
                if line["event"] == event and fields.items() <= line.items():
                    return line
            assert time.monotonic() < deadline, f"not logged: {event} {fields}: {self.lines}"
            time.sleep(0.01)

    def connect(self) -> HTTPSConnection:
        """Return a connection that verifies the service's certificate against the CA's own root."""
        parts = urlsplit(self.url)
        context = ssl.create_default_context(cafile=str(self.root))
        return HTTPSConnection(parts.hostname or "", parts.port, timeout=SECONDS, context=context)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[HTTPResponse, bytes]:
        """Return the answer and its body."""
        connection = self.connect()
        try:
            connection.request(method, path.removeprefix(self.url), body, dict(headers or {}))
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def stop(self) -> int:
        """End it as systemd does and return its exit code."""
        self.process.terminate()
        return self.process.wait(SECONDS)


def make_ca(home: Path, configuration: str = "") -> None:
    """Make a CA with plain keys in ``home``, its configuration, and ``root.pem``."""
    home.mkdir(parents=True)
    (home / "counterseal.toml").write_text(configuration)
    made = here(home, "init", "--no-passphrase")
    assert made.code == 0, made.stderr
    (home / "root.pem").write_text(here(home, "ca", "export").stdout)


@contextmanager
def running(
    home: Path,
    *arguments: str,
    dying: tuple[str, str, int | str] | None = None,
    recording: Path | None = None,
    program: tuple[str, ...] = (),
    logs: bool = True,
) -> Iterator[Running]:
    """Serve the CA of ``home`` on a free port while the block runs.

    ``dying`` says before which call it is to die, ``recording`` to which file it writes what it asks its store.
    ``program`` is a Python program that runs the command line in its own way, with its first arguments.
    Without ``logs`` nobody reads what it logs, as for peers that are measured beside it.
    """
    if dying is not None:
        program = (dying_program.__file__, *map(str, dying))
    if recording is not None:
        program = (recording_program.__file__, str(recording))
    command = [sys.executable, *(program or ("-m", "counterseal")), "serve", "--home", str(home), "--json"]
    command += arguments or ("--listen", "127.0.0.1:0")
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if logs else subprocess.DEVNULL,
        text=True,
        env=dict(os.environ),
    )
    assert process.stdout is not None
    service = Running(home, "", process)
    reader = Thread(target=lambda: service.lines.extend(process.stderr or ()))  # a list grows as lines come
    reader.start()
    try:
        told = ""
        while not told.endswith("}\n"):
            line = process.stdout.readline()
            assert line, f"it ended with {process.wait(SECONDS)}: {service.lines}"
            told += line
        service.url = json.loads(told)["url"]
        service.entries = json.loads(told)["entries"]
        service.http_address = json.loads(told)["http_address"]
        service.metrics_address = json.loads(told)["metrics_address"]
        yield service
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(SECONDS)
        reader.join()
        process.stdout.close()
        if process.stderr is not None:
            process.stderr.close()
