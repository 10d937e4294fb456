"""The same decisions over HTTP/2, with curl as the client."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from counterseal.nginx.site import ClientCertificates, Location
from integration.nginx.lab import authority, client, key_pem, pem
from integration.nginx.visitor import LINE

if TYPE_CHECKING:
    from pathlib import Path

    from integration.nginx.conftest import Start
    from pki_fixtures import Issued

pytestmark = pytest.mark.nginx


@pytest.fixture
def curl(tmp_path: Path) -> Path:
    """Find curl, or skip."""
    found = shutil.which("curl")
    if found is None or "HTTP2" not in subprocess.run([found, "-V"], capture_output=True, text=True, check=True).stdout:
        pytest.skip("no curl with HTTP/2 here")
    (tmp_path / "root.pem").write_bytes(pem(authority("root")))
    return tmp_path


def ask(folder: Path, port: int, path: str, *options: str, certificate: Issued | None = None) -> tuple[str, str]:
    """Return the status line's protocol and status, and the body."""
    command = ["curl", "--silent", "--http2", "--path-as-is", "--noproxy", "*", "--cacert", str(folder / "root.pem")]
    command += ["--resolve", f"panel.test:{port}:127.0.0.1", "--write-out", "\n%{http_version} %{http_code}"]
    if certificate is not None:
        file = folder / "client.pem"
        file.write_bytes(pem(certificate, authority("staff")) + key_pem(certificate))
        command += ["--cert", str(file)]
    url = f"https://panel.test:{port}{path}"
    ran = subprocess.run([*command, *options, url], capture_output=True, text=True, timeout=30, check=True)
    body, _, status = ran.stdout.rpartition("\n")
    return status, body


def decision(body: str) -> str:
    """Return what the line says."""
    match = LINE.search(body)
    assert match, body
    return f"{match[3]} {match[4]}"


def test_decisions_over_http2(start: Start, curl: Path) -> None:
    """Admitted, refused for want of a certificate, for the path, and for another host."""
    location = Location("/admin", ClientCertificates.REQUIRED)
    port = start(client_certificates=ClientCertificates.OPTIONAL, upstream="127.0.0.1:9", locations=(location,))
    probe = "/.well-known/counterseal"
    status, body = ask(curl, port, probe, certificate=client("CN=alice,O=Lab"))
    assert (status, decision(body)) == ("2 200", "admitted 200")
    for path in ("/admin", "//admin", "/x/../admin", "/ADMIN"):
        status, body = ask(curl, port, path)
        assert (status, decision(body)) == ("2 400", "refused 496")
    status, body = ask(curl, port, probe, "--header", "Host: other.test")
    assert (status, decision(body)) == ("2 421", "refused 421")


def test_a_server_verified_by_curl_is_the_whole_chain(start: Start, curl: Path) -> None:
    """The root alone is enough to verify what nginx sends."""
    port = start(client_certificates=ClientCertificates.NONE, client_cas=())
    assert ask(curl, port, "/.well-known/counterseal")[0] == "2 200"
