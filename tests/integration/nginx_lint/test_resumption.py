"""A shared session cache lets a revoked client go on, and without one it is refused: on every nginx at hand."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nginx_lint_lab import to_crl, to_key, to_pem_file
from nginx_process import PrivateNginx, nginx_binary, private_nginx, worker_user
from pki_fixtures import make_ca, make_client, make_server
from ports import free_port
from whole_answers import read_until

if TYPE_CHECKING:
    from pki_fixtures import Issued

__all__ = ["nginx_binary", "private_nginx"]

pytestmark = pytest.mark.nginx

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
    ("sessions", "status"),
    [("ssl_session_cache shared:TLS:1m; ssl_session_timeout 1d;", b"200"), ("ssl_session_tickets off;", b"400")],
    ids=["mtls-session-cache-survives-revocation", "without"],
)
def test_a_session_and_the_revocation_of_its_client(sessions: str, status: bytes, private_nginx: PrivateNginx) -> None:
    """The client declines tickets, so that its session lies in the cache; it comes back after the reload."""
    root = make_ca("Root")
    clients = make_ca("Clients", root)
    alice, current, port = make_client(clients, "alice"), private_nginx.base / "current", free_port()
    current.mkdir()
    write(current, root, clients, alice)
    user = worker_user()
    conf = CONF.format(port=port, sessions=sessions, user=f"user {user};" if user else "")
    (current / "nginx.conf").write_text(conf)
    private_nginx.start(("127.0.0.1", port))
    context = client_context(current)
    session, answered = ask(context, port)
    assert answered == b"200"
    (current / "new.crl").write_bytes(to_crl(root) + to_crl(clients, alice))
    (current / "new.crl").rename(current / "clients.crl")
    before = workers(private_nginx)
    private_nginx.reload()
    private_nginx.wait_for(lambda: not before & workers(private_nginx), "the workers with the old list to end")
    private_nginx.wait_for(lambda: ask(context, port)[1] == b"400", "the new list to be in force")
    assert ask(context, port, session)[1] == status


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
    }
    for name, content in files.items():
        (directory / name).write_bytes(content)


def client_context(directory: Path) -> ssl.SSLContext:
    """Return a TLS 1.2 client that declines tickets and does not look at the certificate of the server."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(directory / "alice.pem", directory / "alice.key")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET
    return context


def ask(
    context: ssl.SSLContext, port: int, session: ssl.SSLSession | None = None
) -> tuple[ssl.SSLSession | None, bytes]:
    """Return the session of one request, and the status of its answer."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=30)
    with context.wrap_socket(raw, server_hostname="panel.test", session=session) as stream:
        stream.sendall(b"GET / HTTP/1.0\r\n\r\n")
        first = read_until(stream, b"\r\n")
        return stream.session, first.split(b" ")[1]
