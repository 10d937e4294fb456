"""The layout of several hosts in the guide as it stands: nginx passes TLS through and says which client it is.

Put in are only names, ports and the address of nginx; the first host of its list is down all the while. An HAProxy
beside it says which client it is in version 2 of the PROXY protocol.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPSConnection
from typing import TYPE_CHECKING, Any

import pytest

from acme_answers import Web, web_server
from acme_client import Client as AcmeClient
from acme_dns import name_server
from acme_signing import csr
from api_client import Client, make_client, make_token
from foreign_servers import wait_for
from guides import blocks, fit
from integration.serve.test_est import Device, post, token
from nginx_lint_lab import load_modules
from nginx_process import BINARIES, PrivateNginx
from ports import free_ports
from postgresql_process import cluster
from service_process import Running, make_ca, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.nginx]

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.77"
MORE = """
[store]
url = "{store}"

[[api.access]]
group = "operators"
role = "operator"

[acme]
allow_networks = ["127.0.0.0/8"]
resolvers = ["{dns}"]
http_port = {http}
accounts_per_hour = 1
"""
HAPROXY = """
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend front
  bind {listen}
  default_backend hosts
backend hosts
  option httpchk GET /healthz
{servers}"""


@dataclass
class Lab:
    """Replicas, reached by the URL of the nginx in front or by HAProxy, and where the first of them listens."""

    replicas: list[Running]
    web: Web
    port: int
    direct: int
    haproxy: int

    @property
    def context(self) -> ssl.SSLContext:
        """A TLS context that trusts the CA alone."""
        return ssl.create_default_context(cafile=str(self.replicas[0].root))

    def connect(self, source: str, port: int | None = None) -> HTTPSConnection:
        """Return a connection from this address, through nginx unless a port is given."""
        where = "localhost", port or self.port
        return HTTPSConnection(*where, timeout=30, context=self.context, source_address=(source, 0))

    def ask(self, source: str, secret: str, port: int | None = None) -> tuple[int, str | None]:
        """Return status and error code of a request with an API token."""
        connection = self.connect(source, port)
        try:
            connection.request("GET", "/v1/caller", headers={"Authorization": f"Bearer {secret}"})
            response = connection.getresponse()
            return response.status, json.loads(response.read()).get("code")
        finally:
            connection.close()

    def account(self, source: str) -> AcmeClient:
        """Return an ACME client that connects from this address."""
        return AcmeClient(
            f"https://localhost:{self.port}/acme/directory", self.context, connection=self.connect(source)
        )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start two of the three replicas, and nginx."""
    base = tmp_path_factory.mktemp("hosts")
    _, configuration = blocks("postgresql.md", "toml")
    (front,) = blocks("postgresql.md", "nginx")
    port, haproxy, *hosts = free_ports(5)
    here = {"https://ca.corp.example": f"https://localhost:{port}", "ca.corp.example": "localhost", "192.0.2.10": HERE}
    there = {f"ca{number}.corp.example:8443": f"{HERE}:{host}" for number, host in enumerate(hosts, 1)}
    with ExitStack() as stack:
        dns, web = stack.enter_context(name_server()), stack.enter_context(web_server())
        homes = [base / "home2", base / "home3"]
        text = fit(configuration, here) + MORE.format(store=cluster().create(), dns=dns.address, http=web.port)
        make_ca(homes[0], text)
        homes[1].mkdir()
        (homes[1] / "counterseal.toml").write_text(text)
        (homes[1] / "root.pem").symlink_to(homes[0] / "root.pem")
        (homes[1] / "keys").symlink_to(homes[0] / "keys")
        replicas = [
            stack.enter_context(running(home, "--listen", f"{HERE}:{host}"))
            for home, host in zip(homes, hosts[1:], strict=True)
        ]
        start_nginx(stack, base, fit(front, {**there, "listen 443": f"listen {HERE}:{port}"}), port)
        start_haproxy(stack, base, haproxy, hosts)
        yield Lab(replicas, web, port, hosts[1], haproxy)


def start_nginx(stack: ExitStack, base: Path, block: str, port: int) -> None:
    """Start Debian's nginx with the block of the guide in its main context."""
    (base / "run").mkdir()
    user = "user root;" if os.geteuid() == 0 else ""
    conf = base / "nginx.conf"
    conf.write_text(f"{load_modules('ngx_stream_module')}\n{user}\npid {base}/run/nginx.pid;\nevents {{}}\n{block}")
    binary = BINARIES["debian"]
    assert binary is not None
    nginx = PrivateNginx(base, binary, conf)
    stack.callback(nginx.stop)
    nginx.start((HERE, port))


def start_haproxy(stack: ExitStack, base: Path, port: int, hosts: list[int]) -> None:
    """Start HAProxy before the same hosts; it looks whether they are there, in words of its own and through TLS."""
    servers = "".join(
        f"  server s{host} {HERE}:{host} send-proxy-v2 check check-send-proxy check-ssl verify none inter 200\n"
        for host in hosts
    )
    conf = base / "haproxy.cfg"
    conf.write_text(HAPROXY.format(listen=f"{HERE}:{port}", servers=servers))
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert program, "no haproxy: apt-get install haproxy"
    process = subprocess.Popen([program, "-db", "-f", str(conf)], stderr=subprocess.DEVNULL, cwd=base)
    stack.callback(process.wait)
    stack.callback(process.kill)
    wait_for(port)


def test_a_token_opens_from_its_network_and_from_nowhere_else(lab: Lab) -> None:
    """Through nginx the client's address counts, never that of nginx, which is in the network."""
    secret = make_token(lab.replicas[0].home, "here", "--role", "viewer", "--from", f"{HERE}/32")["secret"]
    for _ in lab.replicas:
        assert lab.ask(HERE, secret) == (200, None)
        assert lab.ask(ELSEWHERE, secret) == (401, "api.token_network")
    assert lab.ask(ELSEWHERE, secret, lab.direct) == (401, "api.token_network")


def test_haproxy_says_it_in_version_2(lab: Lab) -> None:
    """The client's address counts there too; and what HAProxy asks for itself is answered, of no client."""
    for one in lab.replicas:
        assert one.logged("request", path="/healthz", client=None)["status"] == 200
    secret = make_token(lab.replicas[0].home, "balanced", "--role", "viewer", "--from", f"{HERE}/32")["secret"]
    for _ in lab.replicas:
        assert lab.ask(HERE, secret, lab.haproxy) == (200, None)
        assert lab.ask(ELSEWHERE, secret, lab.haproxy) == (401, "api.token_network")


def test_the_line_is_believed_of_nginx_alone_and_asked_of_it_always(lab: Lab) -> None:
    """Who is not nginx gets no handshake with such a line, and from where nginx is nobody gets one without."""
    for source, line in ((ELSEWHERE, b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"), (HERE, b"")):
        with socket.create_connection((HERE, lab.direct), 30, (source, 0)) as connection:
            connection.sendall(line)
            with pytest.raises((OSError, EOFError)):
                lab.context.wrap_socket(connection, server_hostname="localhost")
    assert lab.replicas[0].logged("proxy refused", client=HERE)
    assert not [line for line in lab.replicas[0].log if line["event"] == "proxy refused" and line["client"] != HERE]


def test_a_client_certificate_is_the_callers_at_every_replica(lab: Lab) -> None:
    """TLS ends where it is judged, so roles by certificate work."""
    make_client(lab.replicas[0].home, "operator", "--group", "operators")
    operator = Client(lab.replicas[0], "operator")
    for _ in lab.replicas:
        answer = operator.call("GET", "/v1/caller")
        assert (answer.status, [grant["role"] for grant in answer.json["grants"]]) == (200, ["operator"])


def test_a_device_enrols_by_a_token_and_again_by_its_certificate(lab: Lab, tmp_path: Path) -> None:
    """EST (RFC 7030 4.2): the second time the certificate in TLS is what opens."""
    service = lab.replicas[0]
    device = Device.new(tmp_path / "pump")
    status, body, _ = post(service, "simpleenroll", device.request(), secret=token(service, "pump"))
    assert status == 200, body
    first = device.keep(body)
    status, body, _ = post(service, "simplereenroll", device.request("pump"), device=device)
    assert status == 200, body
    assert device.keep(body).serial_number != first.serial_number


def test_acme_counts_the_accounts_of_each_client(lab: Lab) -> None:
    """An address may make one an hour; and an order is done from its beginning to its certificate."""
    client, other, again = (lab.account(source) for source in (HERE, ELSEWHERE, HERE))
    assert [one.register().status for one in (client, other)] == [201, 201]
    assert again.register().problem == "rateLimited"
    assert obtain(lab, client)["status"] == "valid"
    for one in (client, other, again):
        one.close()


def obtain(lab: Lab, client: AcmeClient) -> dict[str, Any]:
    """Return the order of a certificate when it has ended."""
    order = client.order("a.example.com")
    challenge, proof = client.challenge(order, "http-01")
    lab.web.put(challenge["token"], proof)
    client.post(challenge["url"], {})
    url = order.headers["location"]
    client.finalize(client.wait(url, "ready", "invalid").json, csr("a.example.com"))
    return client.wait(url, "valid", "invalid").json
