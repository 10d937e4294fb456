"""Who has been let in goes on where nginx looks no more: by a session, on another server, in a request that runs."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nginx_dangers import RULE_OF, case_text, danger_lab, running, s_client, with_applications
from nginx_lint_lab import lab_files, to_crl, to_key, to_pem_file
from nginx_process import (
    BINARIES,
    WITHIN,
    PrivateNginx,
    nginx_binary,
    nginx_version,
    private_nginx,
    worker_user,
)
from pki_fixtures import make_ca, make_client, make_server
from ports import free_port
from whole_answers import read_to_end, read_until

if TYPE_CHECKING:
    from counterseal.nginx.version import NginxVersion
    from pki_fixtures import Issued

__all__ = ["danger_lab", "nginx_binary", "nginx_version", "private_nginx"]

pytestmark = pytest.mark.nginx

CROSS = RULE_OF["mtls-cross-vhost-resumption"]
LONG_REQUEST = (
    b"POST / HTTP/1.1\r\nHost: panel.test\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
)
CONF = """
{user} pid nginx.pid; error_log error.log info; worker_processes 1; events {{}}
http {{
    access_log off;
    client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate server.pem;
        ssl_certificate_key server.key;
        ssl_client_certificate clients.pem;
        ssl_verify_client on;
        ssl_crl clients.crl;
        {sessions}
        location / {{ return 200; }}
    }}
}}
"""


@pytest.mark.parametrize(
    ("sessions", "takes_tickets", "status"),
    [
        ("ssl_session_cache shared:TLS:1m; ssl_session_timeout 1d;", False, b"200"),
        ("ssl_session_tickets off;", False, b"400"),
        ("ssl_session_ticket_key ticket.key;", True, b"200"),
        ("ssl_session_tickets on;", True, b"400"),
    ],
    ids=["mtls-session-cache-survives-revocation", "no-cache", "mtls-static-ticket-key", "no-key"],
)
def test_a_session_and_the_revocation_of_its_client(
    sessions: str,
    takes_tickets: bool,  # noqa: FBT001 - a table
    status: bytes,
    private_nginx: PrivateNginx,
) -> None:
    """It is in the cache where the client declines tickets; the client comes back with it after the reload."""
    root = make_ca("Root")
    clients = make_ca("Clients", root)
    alice, current, port = make_client(clients, "alice"), private_nginx.base / "current", free_port()
    current.mkdir()
    write(current, root, clients, alice)
    user = worker_user()
    conf = CONF.format(port=port, sessions=sessions, user=f"user {user};" if user else "")
    (current / "nginx.conf").write_text(conf)
    private_nginx.start(("127.0.0.1", port))
    context = client_context(current, takes_tickets=takes_tickets)
    session, answered = ask(context, port)
    assert answered == b"200"
    (current / "new.crl").write_bytes(to_crl(root) + to_crl(clients, alice))
    (current / "new.crl").rename(current / "clients.crl")
    before = workers(private_nginx)
    private_nginx.reload()
    private_nginx.wait_for(lambda: not before & workers(private_nginx), "the workers with the old list to end")
    private_nginx.wait_for(lambda: ask(context, port)[1] == b"400", "the new list to be in force")
    assert ask(context, port, session)[1] == status


@pytest.mark.parametrize(("name", "status"), [("bad", 200), ("good", 400)])
def test_a_session_needs_no_certificate(name: str, status: int, private_nginx: PrivateNginx, danger_lab: Path) -> None:
    """``mtls-tickets-enabled``: nginx takes the word of the ticket, whoever brings it."""
    text, session = with_applications(case_text("mtls-tickets-enabled", name)), f"{private_nginx.base}/session"
    bob = ("-cert", f"{danger_lab}/bob.pem", "-key", f"{danger_lab}/bob.key", "-sess_out", session)
    with running(text, private_nginx, danger_lab) as ports:
        assert "HTTP/1.1 200" in s_client(ports[8443], "-tls1_2", *bob)
        resuming = ("-sess_in", session) if Path(session).exists() else ()
        assert f"HTTP/1.1 {status}" in s_client(ports[8443], "-tls1_2", *resuming)


@pytest.mark.parametrize("name", ["bad", "good"])
def test_a_session_of_another_server(
    name: str, private_nginx: PrivateNginx, danger_lab: Path, nginx_version: NginxVersion
) -> None:
    """``mtls-cross-vhost-resumption``: Alice is revoked in the list of strict.test, and comes from panel.test.

    Debian has mended its 1.22.1.
    """
    text = with_applications(case_text("mtls-cross-vhost-resumption", name))
    context = client_context(danger_lab)
    with running(text, private_nginx, danger_lab) as ports:
        session, answered = ask(context, ports[8443])
        assert answered == b"200"
        assert ask(context, ports[8443], name="strict.test")[1] == b"400"
        resumed = ask(context, ports[8443], session, name="strict.test")[1]
    is_there = name == "bad" and CROSS.concerns(nginx_version) and private_nginx.binary != BINARIES["debian"]
    assert (resumed == b"200") == is_there, resumed


@pytest.mark.parametrize("name", ["bad", "bad_zero", "good"])
def test_a_request_that_runs_while_its_client_is_revoked(
    name: str, private_nginx: PrivateNginx, danger_lab: Path
) -> None:
    """``mtls-streams-survive-revocation``: it is answered by the old worker; with a limit the connection is ended."""
    main = (danger_lab / "main.inc").read_text().replace("30s", "100ms")
    text = with_applications(case_text("mtls-streams-survive-revocation", name)).replace("include main.inc;", main)
    text = text.replace("clients.crl", "growing.crl")
    (danger_lab / "growing.crl").write_bytes(lab_files()["clients-before.crl"])
    context = client_context(danger_lab)
    with running(text, private_nginx, danger_lab) as ports:
        raw = socket.create_connection(("127.0.0.1", ports[8443]), timeout=WITHIN)
        with context.wrap_socket(raw, server_hostname="panel.test") as stream:
            stream.sendall(LONG_REQUEST)
            read_until(stream, b"100 Continue\r\n\r\n")
            (danger_lab / "new.crl").write_bytes(lab_files()["clients.crl"])
            (danger_lab / "new.crl").rename(danger_lab / "growing.crl")
            private_nginx.reload()
            private_nginx.wait_for(lambda: is_refused(context, ports[8443]), "the new list to be in force")
            if name.startswith("bad"):
                stream.sendall(b"x")
                assert read_until(stream, b"\r\n").split()[1] == b"200"
            else:
                assert ended(stream)


def is_refused(context: ssl.SSLContext, port: int) -> bool:
    """Whether nginx answers 400 to a new connection; an old worker with little time left may end one unanswered."""
    try:
        return ask(context, port)[1] == b"400"
    except (AssertionError, OSError):
        return False


def ended(stream: ssl.SSLSocket) -> bool:
    """Wait until the other side closes the connection, by whatever means, without a word."""
    try:
        return read_to_end(stream) == b""
    except (ssl.SSLError, ConnectionResetError):
        return True


def workers(nginx: PrivateNginx) -> set[str]:
    """Return the process ids of the workers."""
    assert nginx.master is not None
    master = nginx.master.pid
    return set(Path(f"/proc/{master}/task/{master}/children").read_text().split())


def write(directory: Path, root: Issued, clients: Issued, alice: Issued) -> None:
    """Write what the server and the client need."""
    server = make_server(root, "panel.test")
    files = {
        "server.pem": to_pem_file(server),
        "server.key": to_key(server),
        "clients.pem": to_pem_file(root, clients),
        "clients.crl": to_crl(root) + to_crl(clients),
        "alice.pem": to_pem_file(alice, clients),
        "alice.key": to_key(alice),
        "ticket.key": bytes(range(80)),
    }
    for name, content in files.items():
        (directory / name).write_bytes(content)


def client_context(directory: Path, *, takes_tickets: bool = False) -> ssl.SSLContext:
    """Return a TLS 1.2 client that does not look at the certificate of the server."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(directory / "alice.pem", directory / "alice.key")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if not takes_tickets:
        context.options |= ssl.OP_NO_TICKET
    return context


def ask(
    context: ssl.SSLContext, port: int, session: ssl.SSLSession | None = None, name: str = "panel.test"
) -> tuple[ssl.SSLSession | None, bytes]:
    """Return the session of one request, and the status of its answer."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=30)
    with context.wrap_socket(raw, server_hostname=name, session=session) as stream:
        stream.sendall(f"GET / HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
        first = read_until(stream, b"\r\n")
        return stream.session, first.split(b" ")[1]
