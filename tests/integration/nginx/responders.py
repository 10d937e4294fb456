"""OCSP responders: a real one (openssl ocsp), and a way to it that is slow or leads nowhere."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from integration.nginx.lab import FARTHER, authority, key_pem, pem
from nginx_process import WITHIN
from pki_fixtures import CERTIFICATE_CREATED, Issued
from ports import free_port
from whole_answers import read_request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def responder(
    directory: Path,
    ca: str | Issued,
    good: list[Issued],
    revoked: list[Issued] | None = None,
    *,
    port: int | None = None,
) -> Iterator[int]:
    """Run ``openssl ocsp`` for one CA (of ``lab`` by its name), which signs its answers itself; yields its port."""
    port, signer = port or free_port(), authority(ca) if isinstance(ca, str) else ca
    expires = f"{FARTHER:%y%m%d%H%M%SZ}"
    lines = [("V", expires, "", one) for one in good]
    lines += [("R", expires, f"{CERTIFICATE_CREATED:%y%m%d%H%M%SZ}", one) for one in revoked or ()]
    index = directory / f"{port}.txt"
    index.write_text(
        "".join(
            f"{s}\t{e}\t{r}\t{one.certificate.serial_number:034X}\tunknown\t/CN={number}\n"
            for number, (s, e, r, one) in enumerate(lines)  # of one subject there may be one valid certificate
        )
    )
    issuer = directory / f"{port}.pem"
    issuer.write_bytes(pem(signer) + key_pem(signer))
    command = ["openssl", "ocsp", "-port", str(port), "-index", str(index), "-ndays", "1"]
    command += ["-CA", str(issuer), "-rsigner", str(issuer), "-rkey", str(issuer)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout
        assert process.stdout.readline().startswith(b"ACCEPT")  # an idle connection would be waited for
        yield port
    finally:
        process.kill()
        process.communicate(timeout=WITHIN)


@contextmanager
def forwarder(target: int | None, delay: float = 0.0) -> Iterator[int]:
    """Hand every connection on after a delay, or to nobody: a responder that is slow, or hangs."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                kept.append(connection)
                if target is not None:
                    threading.Thread(target=_relay, args=(connection, target, delay), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in kept:
            connection.close()


def _relay(connection: socket.socket, target: int, delay: float) -> None:
    with suppress(OSError, AssertionError), connection:
        request = read_request(connection)
        time.sleep(delay)  # what is tested is that who asked waits
        with socket.create_connection(("127.0.0.1", target), WITHIN) as behind:
            behind.sendall(request)
            while answer := behind.recv(65_536):
                connection.sendall(answer)
