"""A case of the linter on a running nginx: who comes to it, and what is answered on the bad case and on the good one.

``Danger`` is one line of a table. Its case runs as it stands, on free ports; the applications and the TLS upstream
that it names (ports 9000, 9001 and 9443) are servers of the same nginx. An answer is the status with, where that is
200, what was said; or the reason for which one side broke the handshake off.
"""

from __future__ import annotations

import http.client
import re
import ssl
import subprocess
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from counterseal.nginx.lint.catalogue import RULES
from nginx_lint_lab import (
    CASES,
    FORMER,
    ORIGIN_PULL,
    PUBLIC,
    STREAM,
    authorities,
    load_modules,
    make_odd_root,
    needed_modules,
    to_key,
    to_pem_file,
    write_lab,
)
from nginx_process import BINARIES, WITHIN, PrivateNginx, worker_user
from pki_fixtures import make_client
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from counterseal.nginx.lint.rule import Rule

RULE_OF = {rule.code: rule for rule in RULES}
APPLICATION = "return 200 application;"
UPSTREAM = "ssl_certificate server.pem; ssl_certificate_key server.key; return 200 upstream;"
IMPOSTOR = "ssl_certificate lone.pem; ssl_certificate_key lone.key; return 200 impostor;"
FINGERPRINT = "0123456789abcdef0123456789abcdef012345670123456789abcdef01234567"
"""SHA-256 in the cases; its first 20 octets are SHA-1."""
_ADDRESS = re.compile(r"(127\.0\.0\.\d|\[::1\]):(\d{4})\b")
_LISTEN = re.compile(r"listen (127\.0\.0\.\d):(\d+)")


class Visit(NamedTuple):
    """One request: as which client of the lab, to which port of the case, by which names; ``trust`` judges the server.

    ``name`` is what SNI says, and None that it is not sent.
    """

    client: str = ""
    path: str = "/"
    name: str | None = "panel.test"
    host: str = "panel.test"
    port: int = 8443
    tls: bool = True
    trust: str = ""
    headers: Mapping[str, str] = {}
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3


ANYBODY = Visit()
"""Who has no certificate."""
PLAIN = Visit(port=8080, tls=False)
BOB = Visit("bob")
"""Whose certificate is in order, in the cases that know the Clients CA."""
REQUEST = "GET / HTTP/1.0\r\nHost: panel.test\r\n\r\n"
ADMITTED = "200 application"


class Danger(NamedTuple):
    """What a visit is answered on the bad case of a rule, and what on the good one; ``first`` came before it.

    ``because`` is in the error log of the bad case, and not in that of the good one.
    """

    code: str
    visit: Visit
    before: str
    after: str
    bad: str = "bad"
    good: str = "good"
    first: Visit | None = None
    application: str = APPLICATION
    upstream: str = UPSTREAM
    because: str = ""

    def __str__(self) -> str:
        return f"{self.code}/{self.bad}/{self.good}"

    @property
    def rule(self) -> Rule:
        """The rule that warns of it."""
        return RULE_OF[self.code]


@pytest.fixture(scope="session")
def danger_lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with everything that the cases name, and the certificates of who comes."""
    directory = tmp_path_factory.mktemp("dangers")
    write_lab(directory)
    for name, content in visitors().items():
        (directory / name).write_bytes(content)
    user = worker_user()
    with (directory / "main.inc").open("a") as main:
        main.write(f"user {user};\n" if user else "")
    return directory


@cache
def visitors() -> dict[str, bytes]:
    """Return certificates and keys of clients that no case names."""
    clients, other = authorities().clients, authorities().other
    made = {
        "bob": (make_client(clients, "bob"), clients),
        "bob-alone": (make_client(clients, "bob"),),
        "lab-alice": (make_client(clients, "alice", group="eng", organization="Lab", serial_number=0x0A1B), clients),
        "lab-mallory": (make_client(clients, "mallory", organization="Lab"), clients),
        "alice2": (make_client(clients, "alice2"), clients),
        "comma": (make_client(clients, "eve,CN=alice"), clients),
        "ops": (make_client(clients, "OU=ops"), clients),
        "other-alice": (make_client(other, "alice"),),
        "former-bob": (make_client(make_odd_root(FORMER), "bob"),),
        "public-bob": (make_client(make_odd_root(*PUBLIC), "bob"),),
        "origin-bob": (make_client(make_odd_root(*ORIGIN_PULL), "bob"),),
    }
    return {
        name: content
        for client, chain in made.items()
        for name, content in ((f"{client}.pem", to_pem_file(*chain)), (f"{client}.key", to_key(chain[0])))
    }


def answer(danger: Danger, name: str, nginx: PrivateNginx, lab: Path) -> str:
    """Run one case, and return what the visitor was answered, with its ports as the case has them."""
    text = with_applications(case_text(danger.code, name), danger.application, danger.upstream)
    with running(text, nginx, lab) as ports:
        if danger.first is not None:
            ask(danger.first, ports, lab)
        said = ask(danger.visit, ports, lab)
    for named, port in ports.items():
        said = said.replace(str(port), str(named))
    return said


def case_text(code: str, name: str) -> str:
    """Return a case with Bob's fingerprints, in whatever spelling, for those that stand in it."""
    text = (CASES / code / f"{name}.conf").read_text()
    bob = x509.load_pem_x509_certificate(visitors()["bob.pem"])
    for algorithm in (hashes.SHA256(), hashes.SHA1()):  # noqa: S303 - what $ssl_client_fingerprint is
        written, own = FINGERPRINT[: 2 * algorithm.digest_size], bob.fingerprint(algorithm).hex()
        for spell in (str.lower, str.upper, _with_colons):
            text = text.replace(spell(written), spell(own))
    return text


def _with_colons(fingerprint: str) -> str:
    return ":".join(re.findall("..", fingerprint.upper()))


@contextmanager
def running(text: str, nginx: PrivateNginx, lab: Path) -> Iterator[dict[int, int]]:
    """Run a configuration on free ports; yields which of them stands for which of its own."""
    current, pages = nginx.base / "current", nginx.base / "run" / "html"
    if not current.exists():
        current.symlink_to(lab)
        for page in ("index.html", "index.php", "admin/files/x", "static/x"):
            (pages / page).parent.mkdir(parents=True, exist_ok=True)
            (pages / page).write_text("files")
    ports, moved = on_free_ports(text)
    modules = [*([STREAM] if "stream {" in text else ()), *needed_modules(text)]
    loading = load_modules(*modules) if nginx.binary == BINARIES["debian"] else ""
    nginx.conf.write_text(f"{loading}\n{moved}")
    nginx.start(*((address, int(port)) for address, port in _LISTEN.findall(moved)))
    try:
        yield ports
    finally:
        nginx.stop()


def on_free_ports(text: str) -> tuple[dict[int, int], str]:
    """Return a configuration with each of its ports on a free one."""
    ports = {int(port): free_port() for port in {match[2] for match in _ADDRESS.finditer(text)}}
    return ports, _ADDRESS.sub(lambda match: f"{match[1]}:{ports[int(match[2])]}", text)


def with_applications(text: str, application: str = APPLICATION, upstream: str = UPSTREAM) -> str:
    """Return a case with the applications behind it; for a ``stream`` block they get an ``http`` block of their own."""
    servers = (
        f"server {{ listen 127.0.0.1:9000; listen 127.0.0.1:9001; {application} }}\n"
        f"server {{ listen 127.0.0.1:9443 ssl http2; {upstream} }}\n"
    )
    if "stream {" in text:
        return f"{text}http {{ include http.inc;\n{servers}}}\n"
    return f"{text.rstrip().removesuffix('}')}{servers}}}\n"


def ask(visit: Visit, ports: Mapping[int, int], lab: Path) -> str:
    """Return status and text of the answer, or what broke the handshake off."""
    try:
        connection = connect(visit, ports[visit.port], lab)
        connection.request("GET", visit.path, headers={"Host": visit.host, **visit.headers})
        response = connection.getresponse()
        said = response.read().decode().strip()
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError):
        return "closed"
    except ssl.SSLError as error:
        return error.reason or str(error)
    connection.close()
    return f"{response.status} {said}".strip() if response.status == http.HTTPStatus.OK else str(response.status)


def connect(visit: Visit, port: int, lab: Path) -> http.client.HTTPConnection:
    """Return a connection; SNI says another name than the address, so the socket is made first."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN)
    connection.connect()
    if visit.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if visit.trust:
            context.load_verify_locations(lab / visit.trust)
        else:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = visit.newest
        if visit.client:
            context.load_cert_chain(lab / f"{visit.client}.pem", lab / f"{visit.client}.key")
        connection.sock = context.wrap_socket(connection.sock, server_hostname=visit.name)
    return connection


def s_client(port: int, *options: str, sent: str = REQUEST) -> str:
    """Return what ``openssl s_client`` prints of a connection on which this is sent, up to its end."""
    command = ["openssl", "s_client", "-ign_eof", "-connect", f"127.0.0.1:{port}", "-servername", "panel.test"]
    ran = subprocess.run([*command, *options], input=sent, capture_output=True, text=True, timeout=WITHIN, check=False)
    assert ran.stdout, ran.stderr
    return ran.stdout
