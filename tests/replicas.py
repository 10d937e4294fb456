"""Three replicas of the service over one database with a standby, behind nginx, and clients that never give up."""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, IncompleteRead
from subprocess import run
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from acme_answers import Web, web_server
from acme_client import Client
from acme_dns import name_server
from acme_signing import b64, csr
from command import counterseal
from nginx_process import BINARIES, PrivateNginx
from ports import free_port
from postgresql_process import Cluster
from service_process import Running, make_ca, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from acme_client import Answered

REPLICAS, CLIENTS = 3, 4
PATIENCE = 120.0
AWAY = frozenset({502, 503, 504})
"""What nginx says without replicas, and a replica without its database."""
LEGO_SETBACKS = ("badNonce", "proper nonce header", "502 ::", "503 ::", "504 ::", "Client.Timeout", "unexpected EOF")
"""What lego says of the same, and of a connection that broke; it gives up then, and is run again."""
_SETTINGS = "wal_retrieve_retry_interval = '200ms'"
_CONFIGURATION = """
[store]
url = "{url}"

[serve]
public_url = "https://localhost:{port}"

[acme]
allow_networks = ["127.0.0.0/8"]
resolvers = ["{dns}"]
http_port = {http}
tls_port = {tls}
accounts_per_hour = 0
orders_per_hour = 0
failures_per_hour = 0
"""
_NGINX = """
{user}
worker_processes 1;
pid {run}/nginx.pid;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {run}/body;
    proxy_temp_path {run}/proxy;
    fastcgi_temp_path {run}/fastcgi;
    uwsgi_temp_path {run}/uwsgi;
    scgi_temp_path {run}/scgi;
    upstream replicas {{ {servers} }}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {base}/localhost.fullchain.pem;
        ssl_certificate_key {base}/localhost.key.pem;
        location / {{
            proxy_pass http://replicas;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_next_upstream error timeout http_503 non_idempotent;
        }}
    }}
}}
"""


class SetbackError(Exception):
    """What may be answered while something is down."""


@dataclass
class Load:
    """What the clients have been given, and what could not be done at first."""

    chains: list[bytes] = field(default_factory=list)
    setbacks: Counter[str] = field(default_factory=Counter)
    stop: Event = field(default_factory=Event)
    clients: list[Future[None]] = field(default_factory=list)
    by_lego: int = 0

    @property
    def serials(self) -> list[int]:
        """The serial numbers of all certificates that arrived."""
        return [x509.load_pem_x509_certificate(chain).serial_number for chain in self.chains]


@dataclass
class Lab:
    """All of it."""

    base: Path
    primary: Cluster
    standby: Cluster
    web: Web
    url: str
    tls_port: int
    stack: ExitStack
    replicas: list[Running] = field(default_factory=list)
    load: Load = field(default_factory=Load)

    @property
    def homes(self) -> list[Path]:
        """A home for each replica; they share the keys."""
        return [self.base / f"home{number}" for number in range(REPLICAS)]

    @property
    def context(self) -> ssl.SSLContext:
        """A TLS context that trusts the CA alone."""
        return ssl.create_default_context(cafile=str(self.homes[0] / "root.pem"))

    def start(self, number: int, dying: tuple[str, str, int] | None = None) -> Running:
        """Start a replica, to die before a certain call if that is said."""
        address = f"unix:{self.base}/{number}.sock"
        return self.stack.enter_context(running(self.homes[number], "--listen", address, dying=dying))

    def ask(self, number: int, path: str, body: bytes) -> bytes:
        """Return what one replica answers to a POST, past nginx."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE)
            line.connect(f"{self.base}/{number}.sock")
            connection = HTTPConnection("localhost")
            connection.sock = line
            connection.request("POST", path, body)
            answer = connection.getresponse()
            content = answer.read()
        assert answer.status == 200, content
        return content

    def work(self, orders: int) -> None:
        """Wait until the clients have so many more certificates."""
        wanted, deadline = len(self.load.chains) + orders, time.monotonic() + PATIENCE
        while len(self.load.chains) < wanted:
            assert time.monotonic() < deadline, (len(self.load.chains), wanted, self.load.setbacks)
            for client in self.load.clients:
                if client.done():
                    client.result()  # what it met that no client should
            time.sleep(0.05)


@contextmanager
def replicas(base: Path) -> Iterator[Lab]:
    """Start everything; the standby is synchronous, so that what was answered is in both."""
    with ExitStack() as stack:
        primary = Cluster(base / "p", durable=True, settings=_SETTINGS)
        stack.callback(primary.end)
        primary.sql("create database counterseal")
        standby = Cluster(base / "s", durable=True, settings=_SETTINGS, follows=primary)
        stack.callback(standby.end)
        primary.sql("alter system set synchronous_standby_names = '*'")
        primary.sql("select pg_reload_conf()")
        dns, web, port = stack.enter_context(name_server()), stack.enter_context(web_server()), free_port()
        hosts = quote(f"{primary.base},{standby.base}", safe=",/")
        url = f"postgresql://counterseal@/counterseal?host={hosts}"
        lab = Lab(base, primary, standby, web, f"https://localhost:{port}", free_port(), stack)
        configuration = _CONFIGURATION.format(url=url, port=port, dns=dns.address, http=web.port, tls=lab.tls_port)
        make_ca(lab.homes[0], configuration)
        assert counterseal(lab.homes[0], "server", "localhost", "--out", str(base)).code == 0
        for home in lab.homes[1:]:
            home.mkdir()
            (home / "counterseal.toml").write_text(configuration)
            (home / "keys").symlink_to(lab.homes[0] / "keys")
        lab.replicas = [lab.start(number) for number in range(REPLICAS)]
        _start_nginx(lab, port)
        yield lab


@contextmanager
def under_load(lab: Lab) -> Iterator[Load]:
    """Have clients order one certificate after the other; at the end each finishes what it began."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        lab.load.clients = [pool.submit(_insist, lab, number) for number in range(CLIENTS - 1)]
        lab.load.clients.append(pool.submit(_lego, lab))
        try:
            yield lab.load
        finally:
            lab.load.stop.set()
            for client in lab.load.clients:
                client.result(2 * PATIENCE)


class Patient(Client):
    """A client that sends a request again after what a server in trouble may answer; every other answer counts."""

    setbacks: Counter[str]

    def send(self, url: str, document: object) -> Answered:
        """Send it, as it is, once."""
        answered = super().send(url, document)
        if answered.status in AWAY or answered.problem == "badNonce":
            raise SetbackError(f"{answered.status} {answered.problem}")
        return answered

    def post(self, url: str, payload: object = None, *, with_jwk: bool = False, **header: Any) -> Answered:  # noqa: ANN401 - any member of a header
        """Sign and send, with another nonce each time, until it is answered."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return super().post(url, payload, with_jwk=with_jwk, **header)
            except (SetbackError, ConnectionError, TimeoutError, IncompleteRead) as error:
                self.setbacks[f"{type(error).__name__}: {error}"] += 1
                assert time.monotonic() < deadline, self.setbacks
                self.close()
                time.sleep(0.1)

    def take_nonce(self) -> str:
        """Return a nonce; a server in trouble may give none."""
        if self.nonce is None and (status := self.fetch("HEAD", self.directory["newNonce"]).status) in AWAY:
            raise SetbackError(f"{status} instead of a nonce")
        return super().take_nonce()


def _insist(lab: Lab, number: int) -> None:
    client = Patient(f"{lab.url}/acme/directory", lab.context)
    client.setbacks = lab.load.setbacks
    assert client.register().status in {200, 201}
    done = 0
    while not lab.load.stop.is_set():
        lab.load.chains.append(_obtain(lab, client, f"c{number}-{done}.example.com"))
        if done % 4 == 3:  # so that lists are signed all the while, by whichever replica
            der = x509.load_pem_x509_certificate(lab.load.chains[-1]).public_bytes(Encoding.DER)
            _revoke(client, der)
        done += 1
    client.close()


def _obtain(lab: Lab, client: Client, name: str) -> bytes:
    order = client.order(name)
    assert order.status == 201, order.body
    url = order.headers["location"]
    if order.json["status"] == "pending":
        challenge, proof = client.challenge(order, "http-01")
        lab.web.put(challenge["token"], proof)
        assert client.post(challenge["url"], {}).status == 200
        assert client.wait(url, "ready", "invalid", seconds=PATIENCE).json["status"] == "ready"
    asked = client.finalize(order.json, csr(name))
    assert asked.status == 200 or asked.problem == "orderNotReady", asked.body  # a request before it was not in vain
    done = client.wait(url, "valid", "invalid", "ready", seconds=PATIENCE).json
    assert done["status"] == "valid", done
    chain = client.post(done["certificate"])
    assert chain.status == 200, chain.body
    return chain.body


def _revoke(client: Client, der: bytes) -> None:
    answered = client.post(client.directory["revokeCert"], {"certificate": b64(der), "reason": 4})
    assert answered.status == 200 or answered.problem == "alreadyRevoked", answered.body


def _lego(lab: Lab) -> None:
    """Order with lego, one certificate after the other; it is run again when it gave up for a reason that is known."""
    path, deadline, done = lab.base / "lego", time.monotonic() + PATIENCE, 0
    path.mkdir()
    command = ["lego", "--server", f"{lab.url}/acme/directory", "--accept-tos", "--path", str(path)]
    command += ["-m", "ops@example.com", "--cert.timeout", str(int(PATIENCE)), "--tls"]
    command += ["--tls.port", f"127.0.0.1:{lab.tls_port}"]
    environ = {**os.environ, "LEGO_CA_CERTIFICATES": str(lab.homes[0] / "root.pem")}
    while not (lab.load.stop.is_set() and lab.load.by_lego):
        name = f"lego{done}.example.com"
        ran = run([*command, "-d", name, "run"], env=environ, capture_output=True, text=True, check=False, cwd=path)
        if ran.returncode == 0:
            lab.load.chains.append((path / "certificates" / f"{name}.crt").read_bytes())
            lab.load.by_lego += 1
            deadline = time.monotonic() + PATIENCE
        else:
            known = [one for one in LEGO_SETBACKS if one in ran.stderr]
            assert known, ran.stderr
            lab.load.setbacks[f"lego: {known[0]}"] += 1
            assert time.monotonic() < deadline, ran.stderr
        done += 1


def _start_nginx(lab: Lab, port: int) -> None:
    run = lab.base / "run"
    run.mkdir()
    servers = " ".join(f"server unix:{lab.base}/{number}.sock max_fails=0;" for number in range(REPLICAS))
    user = "user root;" if os.geteuid() == 0 else ""
    conf = lab.base / "nginx.conf"
    conf.write_text(_NGINX.format(run=run, base=lab.base, servers=servers, port=port, user=user))
    binary = BINARIES["debian"]
    assert binary is not None
    nginx = PrivateNginx(lab.base, binary, conf)
    lab.stack.callback(nginx.stop)
    nginx.start(("127.0.0.1", port))
