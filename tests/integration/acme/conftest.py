"""A running ACME server with a name server and a web server of its own, shared by the tests of a module."""

from __future__ import annotations

import ssl
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from acme_answers import Web, web_server
from acme_client import Client
from acme_dns import NameServer, name_server
from ports import free_port
from programs import run_program
from service_process import Running, make_ca, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIGURATION = """
[acme]
allow_networks = [{allowed}]
resolvers = [{resolvers}]
http_port = {http}
tls_port = {tls}
profiles = ["server", "short"]
accounts_per_hour = 0
{more}

[profiles.short]
extends = "server"
lifetime = "6h"
permitted_domains = ["example.com"]
"""

ENDLESS_HOUR = """
import sys
from counterseal.protocols.acme import exchange
exchange.HOUR = 10**10
from counterseal.cli.run import run
{more}
sys.exit(run(sys.argv[1:]))
"""
"""The service, but that the hour in which uses are counted ends in 2286: a full hour crossed by a test resets none."""


@dataclass
class Lab:
    """What the tests talk to; ``tls_port`` is free for a server of theirs."""

    service: Running
    dns: NameServer
    web: Web
    tls_port: int

    @property
    def directory(self) -> str:
        """The URL that an ACME client is given."""
        return f"{self.service.url}/acme/directory"

    @property
    def context(self) -> ssl.SSLContext:
        """A TLS context that trusts the CA's root alone."""
        return ssl.create_default_context(cafile=str(self.service.root))

    def client(self, *, registered: bool = True) -> Client:
        """Return a client, with an account unless told otherwise."""
        client = Client(self.directory, self.context)
        if registered:
            assert client.register().status == 201
        return client


def start_lab(
    stack: ExitStack,
    home: Path,
    more: str = "",
    *,
    http_port: int | None = None,
    allowed: str = '"127.0.0.0/8"',
    dying: tuple[str, str, int | str] | None = None,
    program: tuple[str, ...] = (),
    resolvers: str = '"{dns}"',
) -> Lab:
    """Start everything; it ends with the stack. With an ``http_port`` that one is left to the test.

    Of the networks that validation keeps away from only those in ``allowed``, of a TOML list, are open to it;
    ``dying`` and ``program`` are those of ``running``. Without ``resolvers``, of a TOML list, the host's own are asked.
    """
    dns = stack.enter_context(name_server())
    web = stack.enter_context(web_server())
    tls_port = free_port()
    servers = resolvers.format(dns=dns.address)
    configuration = CONFIGURATION.format(
        resolvers=servers, http=http_port or web.port, tls=tls_port, more=more, allowed=allowed
    )
    make_ca(home, configuration)
    address = f"127.0.0.1:{free_port()}"  # where it can start again
    service = stack.enter_context(running(home, "--listen", address, dying=dying, program=program))
    return Lab(service, dns, web, tls_port)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return the server that a module's tests share."""
    with ExitStack() as stack:
        yield start_lab(stack, tmp_path_factory.mktemp("acme") / "home")


def verify(service: Running, chain: Path) -> None:
    """Let openssl verify a chain file (end entity first) as a server certificate under the CA's root."""
    root, own = str(service.root), str(chain)
    command = ["openssl", "verify", "-purpose", "sslserver", "-CAfile", root, "-untrusted", own, own]
    run_program(*command, cwd=chain.parent)
