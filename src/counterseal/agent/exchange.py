"""One question to a server over TLS and its answer: bounded in size and time, no redirects, no proxy, nothing kept.

Whom to trust is in the TLS context that is handed in. Whatever goes wrong becomes one RemoteError that says where it
went wrong; what a status means is the protocol's.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from threading import Event, Timer
from typing import TYPE_CHECKING

from counterseal import __version__
from counterseal.errors import RemoteError
from counterseal.files import reason_of
from counterseal.pki.shown import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from counterseal.agent.address import ServerAddress

MAX_BODY = 1024 * 1024
CONNECT_SECONDS = 15.0
TOTAL_SECONDS = 60.0
"""For everything after the connection stands, however slowly the octets come."""

_VERIFY_HINTS = {
    10: "the server's certificate must be renewed; or the clock of this machine is wrong",
    9: "the clock of this machine is behind",
    62: "use the name that the certificate is for; the service is told its names with: counterseal serve --name HOST",
    64: "use the name that the certificate is for; the service is told its names with: counterseal serve --name HOST",
}
"""By OpenSSL's number (X509_V_ERR_*): expired, not yet valid, host name mismatch, address mismatch."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, header fields by lower-case name, and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def exchange(
    server: ServerAddress,
    context: ssl.SSLContext,
    method: str,
    path: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = TOTAL_SECONDS,
) -> Answer:
    """Send one request and return the answer, whatever its status.

    Raises RemoteError ``remote.unreachable``, ``remote.untrusted``, ``remote.tls``, ``remote.timeout``,
    ``remote.too_large``, ``remote.broken``.
    """
    with _connected(server) as plain, _said(server):
        tls = context.wrap_socket(plain, server_hostname=server.host, do_handshake_on_connect=False)
        with tls, _until(tls, server, seconds):
            tls.do_handshake()
            connection = HTTPConnection(server.host, server.port)
            connection.sock = tls
            connection.request(method, path, body, {"User-Agent": f"counterseal/{__version__}", **(headers or {})})
            with connection.getresponse() as response:
                return _read(response, server)


@contextmanager
def _connected(server: ServerAddress) -> Iterator[socket.socket]:
    try:
        plain = socket.create_connection((server.host, server.port), timeout=CONNECT_SECONDS)
    except OSError as error:
        reason = "no answer" if isinstance(error, TimeoutError) else reason_of(error)
        raise RemoteError(
            "remote.unreachable",
            f"cannot reach {server}: {reason}",
            hint="is counterseal serve running there, is the port right, and does a firewall let it through?",
        ) from error
    with plain:
        plain.settimeout(None)  # the clock of the whole exchange runs from here
        yield plain


@contextmanager
def _until(connection: socket.socket, server: ServerAddress, seconds: float) -> Iterator[None]:
    """Cut the connection after so many seconds, because a timeout of sockets begins anew with each octet."""
    over = Event()

    def cut() -> None:
        over.set()
        try:
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
        except OSError:
            return  # it has ended by itself

    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, HTTPException) as error:
        if over.is_set():
            raise RemoteError(
                "remote.timeout", f"{server} did not answer within {seconds:.0f} s", hint="run the command again"
            ) from error
        raise
    finally:
        timer.cancel()


@contextmanager
def _said(server: ServerAddress) -> Iterator[None]:
    """Turn what TLS and HTTP raise into words."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise RemoteError(
            "remote.untrusted",
            f"the certificate of {server} is not trusted: {error.verify_message.lower().rstrip('.')}",
            hint=_VERIFY_HINTS.get(error.verify_code, "this is another server than the one the CA's root stands for"),
        ) from error
    except ssl.SSLError as error:
        reason = (error.reason or str(error)).replace("_", " ").lower()
        raise RemoteError(
            "remote.tls",
            f"TLS with {server} failed: {reason}",
            hint=f"see the handshake, message by message: counterseal handshake {str(server).removeprefix('https://')}",
        ) from error
    except (OSError, HTTPException) as error:
        reason = str(error) or type(error).__name__
        raise RemoteError(
            "remote.broken",
            f"the answer of {server} broke off: {printable(reason)[:160]}",
            hint="run the command again",
        ) from error


def _read(response: HTTPResponse, server: ServerAddress) -> Answer:
    body = response.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise RemoteError("remote.too_large", f"the answer of {server} is larger than {MAX_BODY // 1024} KiB")
    if response.length:
        raise IncompleteRead(body, response.length)
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
