"""Apache asks for a certificate when it sees the path: by renegotiation in TLS 1.2, after the handshake in TLS 1.3."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from broken_setups import clients
from counterseal.handshake.observation import Endpoint
from foreign_servers import SECONDS, wait_for, write_files
from meeting import Met, coming_with, meet, trusting
from ports import free_port
from prove_pki import DOMAIN, prove_pki

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = f"panel.{DOMAIN}"
MODULES = Path("/usr/lib/apache2/modules")
CONFIGURATION = """
ServerRoot "{path}"
PidFile httpd.pid
ErrorLog error.log
ServerName {host}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule ssl_module {modules}/mod_ssl.so
{user}
Listen 127.0.0.1:{port}
DocumentRoot "{path}"
SSLEngine on
SSLProtocol -all +{version}
SSLCertificateFile "{path}/server.pem"
SSLCertificateKeyFile "{path}/server.key"
SSLCACertificateFile "{path}/client-ca.pem"
SSLVerifyDepth 3
<Location /admin>
  SSLVerifyClient require
</Location>
"""


@contextmanager
def apache(path: Path, version: str) -> Iterator[Endpoint]:
    """Run an Apache that wants a client certificate for one path alone."""
    port = free_port()
    write_files(path, prove_pki())
    user = f"LoadModule unixd_module {MODULES}/mod_unixd.so" if (MODULES / "mod_unixd.so").exists() else ""
    user = f"{user}\nUser www-data\nGroup www-data" if os.geteuid() == 0 and user else ""
    text = CONFIGURATION.format(path=path, host=HOST, modules=MODULES, port=port, version=version, user=user)
    (path / "httpd.conf").write_text(text)
    process = subprocess.Popen(["/usr/sbin/apache2", "-DFOREGROUND", "-f", str(path / "httpd.conf")])
    try:
        wait_for(port)
        yield Endpoint("127.0.0.1", port)
    finally:
        process.terminate()
        process.wait(SECONDS)


def look(path: Path, endpoint: Endpoint, client: str | None) -> Met:
    """Ask for the path that wants a certificate, with the command."""
    who = coming_with(path, clients()[client] if client else None)
    target = f"https://{HOST}:{endpoint.port}/admin"
    return meet(path, target, "--connect", endpoint.host, *trusting(path, "root"), *who)


def test_a_certificate_after_the_handshake(tmp_path: Path) -> None:
    """TLS 1.3: nobody is asked, with a certificate at hand or without, and the refusal is no matter of rights."""
    with apache(tmp_path, "TLSv1.3") as endpoint:
        for client in ("good", None):
            met = look(tmp_path, endpoint, client)
            assert "post-handshake authentication" in met.found["diagnosis"]["cause"]
            assert "SSLProtocol TLSv1.2" in met.found["diagnosis"]["fix"]
            assert met.code == 3


def test_a_certificate_by_renegotiation(tmp_path: Path) -> None:
    """TLS 1.2: both handshakes are followed, and the second one asks."""
    with apache(tmp_path, "TLSv1.2") as endpoint:
        met = look(tmp_path, endpoint, None)
        assert met.found["client_certificates"]["mode"] == "required"
        assert "requires a client certificate" in met.found["diagnosis"]["cause"]
        assert met.code == 3
        good = look(tmp_path, endpoint, "good")
        assert (good.code, good.found["diagnosis"]) == (0, None)
