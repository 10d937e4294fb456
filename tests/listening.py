"""A ``counterseal listen`` in a process of its own, with the certificates of ``prove_pki``."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prove_pki import certificate_pem, key_pem, prove_pki
from schemas import hold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PKI = prove_pki()


@dataclass
class Listening:
    """A ``counterseal listen`` that is ready."""

    process: subprocess.Popen[str]
    port: int

    def arrival(self) -> dict[str, Any]:
        """Wait for the next client, and return what was said of it."""
        assert self.process.stdout is not None
        return _arrival(self.process.stdout.readline())

    def arrivals(self) -> list[dict[str, Any]]:
        """Wait until it has stopped by itself, and return what it said."""
        said, complained = self.process.communicate(timeout=30)
        assert "Traceback" not in complained
        assert self.process.returncode == 0, complained
        return [_arrival(line) for line in said.splitlines()]


def _arrival(line: str) -> dict[str, Any]:
    """Return what a line says, which is held to the schema."""
    document = json.loads(line)
    hold("listen", document)
    arrived: dict[str, Any] = document["arrival"]
    return arrived


@contextlib.contextmanager
def listening(directory: Path, *options: str, home: Path | None = None) -> Iterator[Listening]:
    """Run the command on a port of its own choosing; with a ``home`` for the clients of its CA."""
    (directory / "server.pem").write_bytes(certificate_pem(_PKI.server, _PKI.server_ca) + key_pem(_PKI.server))
    (directory / "client-ca.pem").write_bytes(certificate_pem(_PKI.root, _PKI.client_ca))
    cas = [] if home else ["--client-ca", str(directory / "client-ca.pem")]
    files = ["--home", str(home or directory / "no-ca"), "--cert", str(directory / "server.pem"), *cas]
    own = [*files, "--timeout", "5", *options]
    command = [sys.executable, "-m", "counterseal", "listen", "0", *own]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("listening on https://127.0.0.1:"), line + process.stderr.read()
        yield Listening(process, int(line.split("/")[2].rpartition(":")[2]))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
