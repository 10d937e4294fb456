"""nginx and real TLS backends: who gets the request, what nginx shows, and which answers go on to the client."""

from __future__ import annotations

import json
import ssl
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from counterseal.nginx.site import Allow, ClientCertificates, Location
from counterseal.nginx.upstream import BackendCertificate, UpstreamTLS
from integration.nginx.lab import authority, client, crl, key_pem, pem, upstream_material
from integration.nginx.upstreams import echo
from integration.nginx.visitor import Visitor
from pki_fixtures import Issued, make_server

if TYPE_CHECKING:
    from integration.nginx.conftest import Start

pytestmark = pytest.mark.nginx

ALICE = client("CN=alice,OU=eng,O=Lab")
NAME = "app.internal"
SHOWN = UpstreamTLS(NAME, BackendCertificate.ISSUED)


def backend_tls(server: Issued, *, ca: str = "server", asks: bool = True) -> ssl.SSLContext:
    """Return a backend with this certificate that asks nginx for one of the CA ``partners``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if asks:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=pem(authority("root")).decode())
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem(server, authority(ca)) + key_pem(server))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def test_the_backend_sees_nginx_and_its_own_name(start: Start) -> None:
    """Certificate with chain, SNI and Host of the backend; the client's Host beside them."""
    with echo(tls=backend_tls(make_server(authority("server"), NAME))) as upstream:
        port = start(upstream_material(), upstream=f"https://{upstream}", upstream_tls=SHOWN)
        answer = Visitor(port, ALICE).get("/x")
    assert answer.status == 200, answer.body
    saw = json.loads(answer.body)
    assert [["commonName", "panel.test"]] in saw["certificate"]["subject"]
    headers = dict(saw["headers"])
    assert (headers["host"], headers["x-forwarded-host"]) == (NAME, "panel.test")


@pytest.mark.parametrize(
    ("server", "ca", "changes"),
    [
        (make_server(authority("foreign"), NAME), "foreign", {}),
        (make_server(authority("server"), "other.internal"), "server", {}),
        (make_server(authority("server"), NAME), "server", {"crl_pem": crl("root")}),
        (make_server(authority("server"), NAME), "server", {"verify_depth": 0}),
    ],
    ids=["foreign CA", "another name", "CRL missing", "depth too small"],
)
def test_a_backend_that_is_not_verified_gets_nothing(start: Start, server: Issued, ca: str, changes: Any) -> None:  # noqa: ANN401 - of a material
    """502, whatever it would answer."""
    with echo(tls=backend_tls(server, ca=ca)) as upstream:
        port = start(upstream_material(**changes), upstream=f"https://{upstream}", upstream_tls=SHOWN)
        answer = Visitor(port, ALICE).get("/x")
    assert answer.status == 502
    assert "x-forwarded-host" not in answer.body


@pytest.mark.parametrize(("relay", "status"), [(False, 502), (True, 400)])
def test_a_400_of_the_backend_stays_here_unless_asked(start: Start, *, relay: bool, status: int) -> None:
    """Every other answer goes on as it is, 403 and 500 too."""
    tls = UpstreamTLS(NAME, BackendCertificate.ISSUED, relay)
    with echo(tls=backend_tls(make_server(authority("server"), NAME))) as upstream:
        port = start(upstream_material(), upstream=f"https://{upstream}", upstream_tls=tls)
        visitor = Visitor(port, ALICE)
        answers = {code: visitor.get(f"/status/{code}") for code in (400, 403, 421, 500)}
    assert answers[400].status == status
    assert ("The application refused" in answers[400].body) is not relay
    for code in (403, 421, 500):
        assert answers[code].status == code
        assert f"/status/{code}" in answers[code].body


def test_a_location_before_a_tls_backend_keeps_its_demands_and_pages(start: Start) -> None:
    """Its error pages are its own, so that a 403 of the backend passes; ours still say why."""
    ops = client("CN=olga,OU=ops,O=Lab")
    admin = Location("/admin", ClientCertificates.REQUIRED, Allow(groups=("ops",)))
    with echo(tls=backend_tls(make_server(authority("server"), NAME))) as upstream:
        port = start(
            upstream_material(), upstream=f"https://{upstream}", upstream_tls=SHOWN, locations=(admin,),
            client_certificates=ClientCertificates.OPTIONAL,
        )  # fmt: skip
        assert Visitor(port).get("/admin/x").decision == "refused 496"
        assert Visitor(port, ALICE).get("/admin/x").title == "Not on the list"
        passed = Visitor(port, ops).get("/admin/status/403")
    assert (passed.status, "/admin/status/403" in passed.body) == (403, True)


def test_a_backend_that_asks_for_nothing_is_verified_all_the_same(start: Start) -> None:
    """Without a certificate of nginx."""
    silent = UpstreamTLS(NAME)
    with echo(tls=backend_tls(make_server(authority("server"), NAME), asks=False)) as upstream:
        files = upstream_material(certificate_chain=b"", private_key=b"")
        assert Visitor(start(files, upstream=f"https://{upstream}", upstream_tls=silent), ALICE).get("/x").status == 200


def test_a_verified_connection_is_kept_for_the_next_request(start: Start) -> None:
    """Clients that come one after the other share it; a worker makes its own."""
    with echo(tls=backend_tls(make_server(authority("server"), NAME)), keeps=True) as upstream:
        port = start(upstream_material(), upstream=f"https://{upstream}", upstream_tls=SHOWN)
        visitor = Visitor(port, ALICE)
        connections = {json.loads(visitor.get("/x").body)["connection"] for _ in range(20)}
    assert len(connections) < 20
