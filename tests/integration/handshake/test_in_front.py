"""What stands before nginx and changes what arrives: told by more connections, against the real nginx."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from counterseal.handshake.in_front import PROXY_HEADER
from meeting import meet, trusting
from odd_servers import SECONDS, serving
from prove_bench import ProveBench, nginx_binaries
from prove_pki import DOMAIN, certificate_pem, key_pem, prove_pki
from whole_answers import read_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from counterseal.handshake.observation import Endpoint

pytestmark = pytest.mark.nginx
HOST = f"panel.{DOMAIN}"


def through(endpoint: Endpoint, *, header: bytes = b"", cut: bytes | None = None) -> Callable[[socket.socket], None]:
    """Return a load balancer that sends ``header`` ahead, and cuts connections that begin with ``cut`` in them."""

    def behave(connection: socket.socket) -> None:
        hello = connection.recv(65536)
        if cut is not None and cut in hello:
            return
        with socket.create_connection((endpoint.host, endpoint.port), timeout=SECONDS) as backend:
            backend.sendall(header + hello)
            way_back = threading.Thread(target=_carry, args=(backend, connection), daemon=True)
            way_back.start()
            _carry(connection, backend)
            way_back.join(SECONDS)

    return behave


def ending_tls(endpoint: Endpoint, directory: Path) -> Callable[[socket.socket], None]:
    """Return a load balancer that decrypts, and encrypts anew towards nginx."""
    pki, path = prove_pki(), directory / "balancer.pem"
    path.write_bytes(certificate_pem(pki.server, pki.server_ca) + key_pem(pki.server))
    front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    front.load_cert_chain(path)
    back = ssl.create_default_context(cadata=certificate_pem(pki.root).decode())

    def behave(connection: socket.socket) -> None:
        with front.wrap_socket(connection, server_side=True) as client:
            request = read_until(client, b"\r\n\r\n")
            backend = socket.create_connection((endpoint.host, endpoint.port), timeout=SECONDS)
            with back.wrap_socket(backend, server_hostname=HOST) as secured:
                secured.sendall(request)
                _carry(secured, client)

    return behave


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while octets := source.recv(65536):
            target.sendall(octets)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def cause_at(endpoint: Endpoint, directory: Path, code: int) -> str:
    """Return why a handshake with what listens there fails, as the command explains it with this exit code."""
    met = meet(directory, f"{HOST}:{endpoint.port}", "--connect", endpoint.host, *trusting(directory, "root"))
    assert met.code == code
    return str(met.found["diagnosis"]["cause"])


@pytest.fixture(scope="module", params=nginx_binaries().values(), ids=list(nginx_binaries()))
def nginx(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """Run a right nginx, and yield its address."""
    with ProveBench(tmp_path_factory.mktemp("nginx"), request.param) as bench:
        bench.install(bench.pki.files(leaver_revoked=False))
        bench.start()
        yield bench.endpoints[0]


def test_a_proxy_header_that_is_not_expected(nginx: Endpoint, tmp_path: Path) -> None:
    """The answer in plain HTTP does not come from a listen without ssl."""
    with serving(through(nginx, header=PROXY_HEADER)) as balancer:
        assert "a load balancer its PROXY header" in cause_at(balancer, tmp_path, 1)


def test_tls_that_ends_in_front_of_nginx(nginx: Endpoint, tmp_path: Path) -> None:
    """The balancer asks for no certificate and has none: nginx misses one whatever the client brings."""
    with serving(ending_tls(nginx, tmp_path)) as balancer:
        assert "something in front of nginx ends TLS" in cause_at(balancer, tmp_path, 3)


def test_a_name_that_is_cut(nginx: Endpoint, tmp_path: Path) -> None:
    """A filter by SNI; without a name the same way leads to nginx."""
    with serving(through(nginx, cut=HOST.encode())) as balancer:
        assert "looks at the name in the SNI" in cause_at(balancer, tmp_path, 1)


def test_a_way_that_is_cut_for_everybody(nginx: Endpoint, tmp_path: Path) -> None:
    """Nothing is said of names or headers where neither makes a difference."""
    with serving(through(nginx, cut=b"")) as balancer:
        assert "ends them before TLS" in cause_at(balancer, tmp_path, 1)
