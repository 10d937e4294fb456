"""What the rules warn of, seen: on the bad case a client without a certificate gets past nginx, on the good one not.

The application behind is not there, so whoever gets past sees 502, or 200 where files are served.
"""

from __future__ import annotations

import http.client
import re
import ssl
from pathlib import Path
from typing import NamedTuple

import pytest

from nginx_lint_lab import CASES, needed_modules, write_lab
from nginx_process import PrivateNginx, nginx_binary, private_nginx, worker_user
from ports import free_port

__all__ = ["nginx_binary", "private_nginx"]

pytestmark = pytest.mark.nginx

REFUSED = {400, 403}
MODULES = Path("/usr/lib/nginx/modules")


class Danger(NamedTuple):
    """A request without a certificate: to which port of the case, for which path and host."""

    code: str
    good: str = "good"
    bad: str = "bad"
    port: int = 8443
    path: str = "/"
    host: str = "panel.test"
    tls: bool = True


DANGERS = [
    Danger("mtls-verify-missing"),
    Danger("mtls-optional-not-enforced"),
    Danger("mtls-verify-compared-to-failed"),
    Danger("mtls-verify-compared-to-failed", bad="bad_regex"),
    Danger("mtls-duplicate-server-name"),
    Danger("mtls-error-page-forwards"),
    Danger("mtls-error-page-forwards", bad="bad_success"),
    Danger("mtls-error-page-forwards", bad="bad_condition", good="good_condition"),
    Danger("mtls-verify-compared-to-failed", bad="bad_map_regex"),
    Danger("mtls-location-check-bypassed", path="/admin/x.php"),
    Danger("mtls-location-check-bypassed", bad="bad_rewrite", good="good_at_server", path="/internal/x"),
    Danger("mtls-check-by-request-uri", path="/public/../admin"),
    Danger("mtls-check-by-request-uri", bad="bad_map", path="/public/../admin"),
    Danger("mtls-nested-location-unprotected", path="/admin/files/x"),
    Danger("mtls-merge-slashes-off", path="//admin/files/x"),
    Danger("mtls-plaintext-sibling-listen", good="good_refused", port=8080, tls=False),
    Danger("id-trusts-request-header"),
]
OF_MODULES = [
    Danger("mtls-optional-not-enforced", bad="bad_lua", good="good_lua"),
    Danger("mtls-optional-not-enforced", bad="bad_lua", good="good_njs"),
]


@pytest.mark.parametrize("danger", DANGERS, ids=lambda danger: f"{danger.code}/{danger.bad}")
def test_a_client_without_a_certificate_gets_past(danger: Danger, private_nginx: PrivateNginx) -> None:
    """With the bad case running it does, with the good one it does not."""
    assert ask(danger, danger.bad, private_nginx) not in REFUSED
    assert ask(danger, danger.good, private_nginx) in REFUSED


@pytest.mark.skipif(not MODULES.exists(), reason="Debian's nginx is not installed")
@pytest.mark.parametrize("nginx_binary", ["debian"], indirect=True)
@pytest.mark.parametrize("danger", OF_MODULES, ids=lambda danger: f"{danger.code}/{danger.good}")
def test_a_module_decides(danger: Danger, private_nginx: PrivateNginx) -> None:
    """Lua that does not ask for the certificate lets everybody past; Lua and njs that do, nobody without one."""
    assert ask(danger, danger.bad, private_nginx) not in REFUSED
    assert ask(danger, danger.good, private_nginx) in REFUSED


def ask(danger: Danger, name: str, nginx: PrivateNginx) -> int:
    """Return the status that a request gets from a case, on free ports."""
    port, text = on_free_ports((CASES / danger.code / f"{name}.conf").read_text(), danger.port)
    current = nginx.base / "current"
    current.mkdir(exist_ok=True)
    write_lab(current)
    user = worker_user()
    with (current / "main.inc").open("a") as main:
        main.write(f"user {user};\n" if user else "")
    for page in ("index.html", "admin/files/x"):
        (nginx.base / "run" / "html" / page).parent.mkdir(parents=True, exist_ok=True)
        (nginx.base / "run" / "html" / page).touch()
    loading = "".join(f"load_module {MODULES / module}.so;\n" for module in needed_modules(text))
    (current / "nginx.conf").write_text(loading + text)
    nginx.start(("127.0.0.1", port))
    try:
        return status_of(danger, port)
    finally:
        nginx.stop()


def on_free_ports(text: str, port: int) -> tuple[int, str]:
    """Return the case with its sockets on free ports, and which of them stands for ``port``."""
    ports = {number: free_port() for number in (8443, 8080)}
    moved = re.sub(r"(listen 127\.0\.0\.\d:)(\d+)", lambda match: f"{match[1]}{ports[int(match[2])]}", text)
    return ports[port], moved


def status_of(danger: Danger, port: int) -> int:
    """Ask once; the certificate of the server is not what this is about."""
    forged = {"Host": danger.host, "X-SSL-Client-Verify": "SUCCESS"}
    if danger.tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            "127.0.0.1", port, context=context, timeout=30
        )
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", danger.path, headers=forged)
    status = connection.getresponse().status
    connection.close()
    return status
