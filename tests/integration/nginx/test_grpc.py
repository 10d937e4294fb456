"""What reaches a gRPC backend, in the clear and over TLS: identity from nginx, and nothing of what a client claims."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from counterseal.nginx.render.headers import CLEARED
from counterseal.nginx.site import ClientCertificates, IdentityHeaders, Location
from counterseal.nginx.upstream import BackendCertificate, UpstreamTLS
from counterseal.pki.shown import show_serial
from foreign_servers import grpc_serving
from integration.nginx.lab import authority, client, key_pem, pem, upstream_material
from integration.nginx.visitor import Visitor
from pki_fixtures import make_server

if TYPE_CHECKING:
    from pathlib import Path

    from integration.nginx.conftest import Start

pytestmark = pytest.mark.nginx

ALICE = client("CN=alice,OU=eng,O=Lab")
NAME = "app.internal"
SPOOFED = {
    **dict.fromkeys(CLEARED, "spoofed"),
    **{name.upper().replace("-", "_"): "spoofed" for name in CLEARED},
    **dict.fromkeys(("X-Forwarded-For", "X-Real-IP", "X-Forwarded-Proto", "X-Forwarded-Host"), "spoofed"),
}


def call(visitor: Visitor, path: str = "/lab.Echo/Say") -> dict[str, Any]:
    """Return what the backend saw of a client that forges every header there is."""
    answer = visitor.get(path, headers=SPOOFED)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


@pytest.mark.parametrize("kind", list(IdentityHeaders))
def test_forged_headers_never_arrive(start: Start, kind: IdentityHeaders) -> None:
    """With a certificate and without; who comes with one is named as he is."""
    with grpc_serving() as backend:
        port = start(
            upstream=f"grpc://127.0.0.1:{backend}", identity_headers=kind,
            client_certificates=ClientCertificates.OPTIONAL,
            locations=(Location("/admin", ClientCertificates.REQUIRED),),
        )  # fmt: skip
        anonymous, known, admin = (
            call(Visitor(port)),
            call(Visitor(port, ALICE)),
            call(Visitor(port, ALICE), "/admin/x"),
        )
    for saw in (anonymous, known, admin):
        assert [name for name, value in saw["headers"].items() if "spoofed" in value or "_" in name] == []
        assert saw["headers"]["x-forwarded-host"] == "panel.test"
    told = {name for name in known["headers"] if name in {one.lower() for one in CLEARED}}
    if kind is IdentityHeaders.STANDARD:
        assert anonymous["headers"]["x-ssl-client-verify"] == "NONE"
        assert known["headers"]["x-ssl-client-verify"] == "SUCCESS"
        assert known["headers"]["x-ssl-client-s-dn"] == "CN=alice,OU=eng,O=Lab"
        assert known["headers"]["x-ssl-client-serial"] == show_serial(ALICE.certificate.serial_number)
    elif kind is IdentityHeaders.RFC9440:
        assert told == {"client-cert"}
        assert known["headers"]["client-cert"].startswith(":MII")
    else:
        assert told == set()


def test_a_tls_backend_sees_both_nginx_and_the_client(start: Start, tmp_path: Path) -> None:
    """The certificate that nginx shows, and in the headers the one that the client showed."""
    server = make_server(authority("server"), NAME)
    contents = {"cert": pem(server, authority("server")), "key": key_pem(server), "ca": pem(authority("root"))}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    with grpc_serving(*(tmp_path / name for name in contents)) as backend:
        port = start(
            upstream_material(), upstream=f"grpcs://127.0.0.1:{backend}",
            upstream_tls=UpstreamTLS(NAME, BackendCertificate.ISSUED), identity_headers=IdentityHeaders.STANDARD,
        )  # fmt: skip
        saw = call(Visitor(port, ALICE))
    assert saw["subject"]["CN"] == "panel.test"
    assert (saw["headers"]["host"], saw["headers"]["x-ssl-client-s-dn"]) == (NAME, "CN=alice,OU=eng,O=Lab")
