"""``counterseal listen``."""

from __future__ import annotations

import json
import os
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import click

from counterseal.authority.parts import new_serial_number
from counterseal.cli.common import FILE, JSON_VERSION, Run, common
from counterseal.cli.completions import complete_certificates
from counterseal.cli.known_home import known_home
from counterseal.cli.ladders import show_sheet
from counterseal.compose.identities import (
    client_cas_of,
    identity_from_files,
    identity_of,
    server_at_hand,
    temporary_server,
)
from counterseal.compose.place import has_store, now
from counterseal.compose.revocations import lists_in
from counterseal.errors import FileError, InputError
from counterseal.files import read_file
from counterseal.handshake.examine import read_trace
from counterseal.handshake.explain.arrival import explain_arrival, sheet_of_arrival
from counterseal.handshake.explanation_json import arrival_to_json
from counterseal.handshake.observation import Endpoint
from counterseal.handshake.picture.page import write_page
from counterseal.handshake.trace.accept import Post, receive
from counterseal.pki.reading import certificates_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cryptography import x509

    from counterseal.cli.documents import ListenDocument
    from counterseal.handshake.explain.arrival import Arrival
    from counterseal.handshake.observation import ProbeIdentity
    from counterseal.handshake.trace.dial import Trace
    from counterseal.pki.path.question import Revoked
    from counterseal.pki.path.revocation_list import RevocationList

EPILOG = """\b
Examples:
  counterseal listen 8443                        then open https://localhost:8443/ in the browser
  counterseal listen 8443 --name panel.example.com --address 0.0.0.0
  counterseal listen 8443 --client-ca client-ca.pem --count 1 --json
  counterseal listen 8443 --any-ca               what has the browser got, whoever issued it?

The CAs whose clients are to be let in are named to the client, as nginx does: a browser then offers certificates of
these alone. The handshake is let through whatever comes, and judged afterwards; the answer in the browser is the
explanation. Nothing is served. --json prints one line a connection.
"""
_MOST_AT_ONCE = 32


@dataclass(slots=True)
class _Desk:
    """What the threads of all connections share."""

    run: Run
    post: Post
    client_cas: Sequence[x509.Certificate]
    lists: Callable[[], tuple[Sequence[RevocationList] | None, Sequence[Revoked]]]
    demands_lists: bool
    verbose: bool
    brief: bool
    places: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_MOST_AT_ONCE))
    voice: threading.Lock = field(default_factory=threading.Lock)
    unheard: OSError | None = None
    """Why what is said is not taken any more, as behind ``| head`` or on a full disk."""

    def serve(self, raw: socket.socket, listener: socket.socket) -> None:
        """Take one connection and say what it came to; two never speak at once."""
        try:
            with raw:
                trace = receive(raw, self.post, self._answer)
                try:
                    self._say(trace)
                except OSError as error:
                    self.unheard = error
                    with suppress(OSError):  # another connection was first
                        listener.shutdown(socket.SHUT_RDWR)  # ends the accept that waits
        finally:
            self.places.release()

    def _explain(self, trace: Trace) -> Arrival:
        lists, revoked = self.lists()
        return explain_arrival(
            read_trace(trace), self.client_cas, now(), lists, lists_demanded=self.demands_lists, revoked=revoked
        )

    def _say(self, trace: Trace) -> None:
        arrival = self._explain(trace)
        with self.voice:
            if self.run.json:
                document: ListenDocument = {"arrival": arrival_to_json(arrival)}
                click.echo(json.dumps({"version": JSON_VERSION, **document}))
            else:
                sheet = sheet_of_arrival(arrival, server=self.post.identity.name)
                came = f"{now():%Y-%m-%d %H:%M:%S} UTC, from {trace.peer or 'a client that is gone'}"
                click.echo(f"{came}\n{show_sheet(sheet, verbose=self.verbose, brief=self.brief)}\n")

    def _answer(self, trace: Trace) -> bytes:
        arrival = self._explain(trace)
        page = write_page(sheet_of_arrival(arrival, server=self.post.identity.name), at=now()).encode()
        head = (
            "HTTP/1.1 200 OK\r\nServer: counterseal\r\nContent-Type: text/html; charset=utf-8\r\n"
            f"Content-Length: {len(page)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + page


@click.command(epilog=EPILOG)
@click.argument("port", type=click.IntRange(0, 65535))
@click.option("--address", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 is everywhere.")
@click.option(
    "--name",
    metavar="NAME|SERIAL",
    shell_complete=complete_certificates,
    help="Show this certificate of the CA; key: NAME.key.pem, or --key.",
)
@click.option("--cert", type=FILE, help="Show this certificate; its chain may follow in the file.")
@click.option("--key", type=FILE, help="Its private key.  [default: in the file of --cert]")
@click.option("--client-ca", type=FILE, help="CAs whose clients are to be let in.  [default: those of the CA here]")
@click.option("--crl", type=FILE, help="Their revocation lists.  [default: with the CAs of the CA here, its own]")
@click.option("--any-ca", is_flag=True, help="Name no CA to clients, so that they offer whatever they have.")
@click.option("--tls", type=click.Choice(["1.2", "1.3"]), help="Speak this version only.  [default: both]")
@click.option("--count", type=click.IntRange(1), help="Stop after so many connections.  [default: never]")
@click.option(
    "--timeout", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help="Seconds a client has."
)
@click.option("--brief", is_flag=True, help="A line a message, what did not pass, and the verdict.")
@click.option("--verbose", "-v", is_flag=True, help="Show long lists and all checks.")
@common
def listen(
    run: Run,
    *,
    port: int,
    address: str,
    name: str | None,
    cert: Path | None,
    key: Path | None,
    client_ca: Path | None,
    crl: Path | None,
    any_ca: bool,
    tls: Literal["1.2", "1.3"] | None,
    count: int | None,
    timeout: float,
    brief: bool,
    verbose: bool,
) -> None:
    """Take TLS connections, and explain what each arriving client did.

    The other side of handshake: for the colleague whose browser does nothing. Ends with ctrl-C.
    """
    identity = _identity(run, name, cert, key)
    client_cas = _client_cas(run, client_ca)
    post = Post(identity, tls, timeout, authorities=() if any_ca else tuple(client_cas))
    post.context()  # what OpenSSL does not take is told before anybody comes
    desk = _Desk(run, post, client_cas, _lists(run, client_ca, crl), crl is not None, verbose, brief)
    with _listener(address, port) as listener:
        place = Endpoint(address, listener.getsockname()[1])
        click.echo(f"listening on https://{place}/ with the certificate {identity.name}; ctrl-C ends", err=True)
        with suppress(KeyboardInterrupt):
            _accept(listener, desk, count)


def _accept(listener: socket.socket, desk: _Desk, count: int | None) -> None:
    """Give each connection a thread of its own, because browsers open several and use one."""
    threads: list[threading.Thread] = []
    taken = 0
    while count is None or taken < count:
        try:
            raw, _ = listener.accept()
        except OSError:
            if desk.unheard:
                break
            raise
        taken += 1
        desk.places.acquire()
        threads = [thread for thread in threads if thread.is_alive()]
        threads.append(threading.Thread(target=desk.serve, args=(raw, listener), daemon=True))
        threads[-1].start()
    for thread in threads:
        thread.join()
    if desk.unheard:
        raise desk.unheard


def _listener(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family)
    except OSError as error:
        reason = str(error.strerror).partition(" (while ")[0]  # create_server repeats the address
        raise FileError("listen.address", f"cannot listen on {Endpoint(address, port)}: {reason.lower()}") from error


def _identity(run: Run, name: str | None, cert: Path | None, key: Path | None) -> ProbeIdentity:
    if name and cert:
        raise InputError("listen.identity", f"one server certificate at a time: --name {name} and --cert {cert} given")
    if key and not (name or cert):
        raise InputError("listen.identity", f"--key needs the certificate it belongs to: {key}")
    if cert:
        return identity_from_files(cert, key, run.ask_passphrase)
    if name:
        with run.authority() as authority:
            return identity_of(authority, name, key, run.ask_passphrase)
    if has_store(run.home):
        with run.authority() as authority:
            found = server_at_hand(authority, run.ask_passphrase)
        if found is not None:
            return found
    return temporary_server(now(), lambda: new_serial_number(os.urandom), socket.gethostname())


def _client_cas(run: Run, path: Path | None) -> Sequence[x509.Certificate]:
    if path is not None:
        return certificates_in(read_file(path), source=str(path))
    if not has_store(run.home):
        return ()
    with run.authority() as authority:
        return client_cas_of(authority)


def _lists(
    run: Run, client_ca: Path | None, crl: Path | None
) -> Callable[[], tuple[Sequence[RevocationList] | None, Sequence[Revoked]]]:
    """Return what gives lists and revoked CAs for each client anew: somebody may be revoked while we listen."""
    if crl is not None:
        given = lists_in(read_file(crl), source=str(crl))
        return lambda: (given, ())
    if client_ca is not None or not has_store(run.home):
        return lambda: (None, ())

    def newest() -> tuple[Sequence[RevocationList] | None, Sequence[Revoked]]:
        with known_home(run) as home:
            return home.lists, home.revoked

    return newest
