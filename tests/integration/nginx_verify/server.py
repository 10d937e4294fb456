"""One nginx with a server block for every set of directives, told apart by name, and a client that shows a chain."""

from __future__ import annotations

import re
import socket
import ssl
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from counterseal.files import write_fileset
from counterseal.fileset import FileSet, PlannedFile
from integration.nginx_verify.lab import LONG, authority
from nginx_process import worker_user
from pki_fixtures import make_server
from ports import free_port

if TYPE_CHECKING:
    from counterseal.nginx.client_verification import Request
    from integration.nginx_verify.lab import Shown
    from nginx_process import PrivateNginx
    from pki_fixtures import Issued

_LOGGED = re.compile(r"client SSL certificate verify error: \((\d+):([^)]*)\)")
_ANSWER = re.compile(r"\[(\d+)\|([^\]]*)\]")


@dataclass(frozen=True)
class Files:
    """The files of one server block, as bytes; None leaves the directive out."""

    clients: bytes | None
    trusted: bytes | None = None
    crl: bytes | None = None


@dataclass(frozen=True)
class Answered:
    """What nginx did: the code that its error_page sees (200 when it admits), the variable, and OpenSSL's number."""

    code: int
    verify: str
    error: int


@dataclass
class Server:
    """A private nginx with one server block a name."""

    nginx: PrivateNginx
    port: int = field(default_factory=free_port)
    blocks: dict[str, str] = field(default_factory=dict)
    files: list[PlannedFile] = field(default_factory=list)

    def add(self, name: str, files: Files, *, verify_client: str = "on", verify_depth: int = 1) -> None:
        """Add a server block."""
        directives = [f"ssl_verify_client {verify_client};", f"ssl_verify_depth {verify_depth};"]
        named = {
            "ssl_client_certificate": files.clients,
            "ssl_trusted_certificate": files.trusted,
            "ssl_crl": files.crl,
        }
        for directive, content in named.items():
            if content is not None:
                path = f"{name}.{directive}.pem"
                self.files.append(PlannedFile(path, content))
                directives.append(f"{directive} {self.nginx.base}/current/{path};")
        self.blocks[name] = "\n".join(directives)

    def start(self) -> None:
        """Write everything and start."""
        self.write()
        self.nginx.start(("127.0.0.1", self.port))

    def write(self) -> None:
        """Write the configuration and all files."""
        own = make_server(authority("rootB"), "server.test", created=LONG["begin"], expires=LONG["end"])
        files = [
            PlannedFile("nginx.conf", self._configuration().encode()),
            PlannedFile("server.pem", own.certificate.public_bytes(Encoding.PEM)),
            PlannedFile("server.key", _key_pem(own)),
        ]
        write_fileset(self.nginx.base / "current", FileSet(tuple(files + self.files)))

    def ask(self, name: str, shown: Shown) -> Answered:
        """Show a chain to the server of this name and return what came of it."""
        seen = len(self.nginx.log())
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=30) as raw,
            _context(shown).wrap_socket(raw, server_hostname=f"{name}.test") as secured,
        ):
            secured.sendall(f"GET / HTTP/1.1\r\nHost: {name}.test\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: secured.recv(4096), b"")).decode()
        found = _ANSWER.search(answer)
        assert found, answer
        logged = _LOGGED.search(self.nginx.log()[seen:])
        return Answered(int(found[1]), found[2], int(logged[1]) if logged else 0)

    def ask_for(self, asked: Request, shown: Shown) -> tuple[int, str]:
        """Ask for a host by another name than the one negotiated, or without TLS; return the code and the log."""
        seen = len(self.nginx.log())
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as raw:
            connection = _context(shown).wrap_socket(raw, server_hostname=asked.sni) if asked.tls else raw
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {asked.host}\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
            connection.close()
        found = _ANSWER.search(answer)
        return int(found[1]) if found else int(answer.split()[1]), self.nginx.log()[seen:]

    def _configuration(self) -> str:
        base = self.nginx.base
        user = worker_user()
        temporary = "".join(
            f"{kind}_temp_path {base}/run/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        servers = "".join(
            f"server {{ listen 127.0.0.1:{self.port} ssl; server_name {name}.test;\n{block}\n{_PAGES} }}\n"
            for name, block in self.blocks.items()
        )
        return (
            f"{f'user {user};' if user else ''}\npid {base}/run/nginx.pid;\nerror_log {base}/run/error.log info;\n"
            f"events {{ }}\nhttp {{ access_log off; server_names_hash_bucket_size 128;\n{temporary}"
            f"ssl_certificate {base}/current/server.pem; ssl_certificate_key {base}/current/server.key;\n"
            f"ssl_session_cache off; ssl_session_tickets off;\n{servers} }}\n"
        )


_PAGES = """
error_page 495 =400 @invalid; error_page 496 =400 @missing; error_page 497 =400 @plain;
location / { return 200 "[200|$ssl_client_verify]"; }
location @invalid { return 400 "[495|$ssl_client_verify]"; }
location @plain { return 400 "[497|]"; }
location @missing { return 400 "[496|$ssl_client_verify]"; }
"""


def _context(shown: Shown) -> ssl.SSLContext:
    """Return a client that trusts nothing, so that OpenSSL adds nothing to the chain, and that shows weak keys too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if shown.chain:
        with tempfile.NamedTemporaryFile() as file:
            chain = b"".join(one.certificate.public_bytes(Encoding.PEM) for one in shown.chain)
            file.write((shown.key or _key_pem(shown.chain[0])) + chain)
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _key_pem(issued: Issued) -> bytes:
    return issued.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
