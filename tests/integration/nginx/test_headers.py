"""What reaches the upstream: identity from nginx, and nothing of what a client claims."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

import pki_fixtures
from counterseal.nginx.render.headers import CLEARED
from counterseal.nginx.site import ClientCertificates, IdentityHeaders, Location
from counterseal.pki.shown import show_serial
from integration.nginx.lab import authority, client
from integration.nginx.upstreams import echo
from integration.nginx.visitor import Visitor
from pki_fixtures import CERTIFICATE_CREATED, CERTIFICATE_EXPIRES, Issued

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.nginx.conftest import Start
    from nginx_process import PrivateNginx

pytestmark = pytest.mark.nginx

OPTIONAL = ClientCertificates.OPTIONAL
ALICE = "CN=alice,OU=eng,O=Lab"
OURS = {
    "host", "upgrade", "connection", "x-real-ip", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
}  # fmt: skip
SPOOFED = {
    **dict.fromkeys(CLEARED, "spoofed"),
    **{name.upper().replace("-", "_"): "spoofed" for name in CLEARED},
    "X-Forwarded-For": "spoofed",
    "X-Real-IP": "spoofed",
    "X-Forwarded-Proto": "spoofed",
    "X-Forwarded-Host": "spoofed",
}


@pytest.fixture
def upstream() -> Iterator[str]:
    """Run an upstream that tells what reached it."""
    with echo() as name:
        yield name


def seen(visitor: Visitor, path: str = "/", *, host: str = "panel.test", **headers: str) -> list[tuple[str, str]]:
    """Return the headers that the upstream saw, names in lower case."""
    answer = visitor.get(path, host=host, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.status == 200, answer.body
    return [(name, value) for name, value in json.loads(answer.body)["headers"]]


def spoof(visitor: Visitor, path: str = "/") -> list[tuple[str, str]]:
    """Return what the upstream sees of a client that forges every header there is."""
    answer = visitor.get(path, headers=SPOOFED)
    assert answer.status == 200, answer.body
    return [(name, value) for name, value in json.loads(answer.body)["headers"]]


@pytest.mark.parametrize("kind", list(IdentityHeaders))
def test_forged_headers_never_arrive(start: Start, upstream: str, kind: IdentityHeaders) -> None:
    """With a certificate and without, on every proxied location, whatever headers the site hands on."""
    port = start(
        client_certificates=OPTIONAL, upstream=upstream, identity_headers=kind,
        locations=(Location("/admin", ClientCertificates.REQUIRED),),
    )  # fmt: skip
    for visitor, path in (
        (Visitor(port), "/"),
        (Visitor(port, client(ALICE)), "/"),
        (Visitor(port, client(ALICE)), "/admin"),
    ):
        received = spoof(visitor, path)
        assert [(name, value) for name, value in received if "spoofed" in value] == []
        assert [name for name, _ in received if "_" in name] == []
        assert len({name for name, _ in received}) == len(received)


@pytest.mark.parametrize(
    "name",
    ["X-Original-URL", "X-Original-URI", "X-Rewrite-URL", "X-WEBAUTH-USER", "Remote-Groups", "X-Auth-Request-Groups"],
)
def test_no_client_says_where_to_or_who_he_is(start: Start, upstream: str, name: str) -> None:
    """By a header that some application believes: a public path is not another one, and nobody somebody else."""
    port = start(
        client_certificates=OPTIONAL, upstream=upstream, locations=(Location("/admin", ClientCertificates.REQUIRED),)
    )
    answer = Visitor(port).get("/", headers={name: "/admin"})
    assert (answer.status, "/admin" in answer.body) == (200, False)


def test_a_site_without_client_certificates_clears_them_too(start: Start, upstream: str) -> None:
    """A one-way site in front of the same application cannot be used to get past it."""
    port = start(client_certificates=ClientCertificates.NONE, client_cas=(), upstream=upstream)
    assert {name for name, _ in spoof(Visitor(port))} <= OURS


def test_the_standard_set_says_who_it_is(start: Start, upstream: str) -> None:
    """Verify result, both names, serial number, fingerprint, and the certificate URL-encoded."""
    port = start(upstream=upstream, identity_headers=IdentityHeaders.STANDARD)
    alice = client(ALICE)
    received = dict(seen(Visitor(port, alice)))
    assert received["x-ssl-client-verify"] == "SUCCESS"
    assert received["x-ssl-client-s-dn"] == ALICE
    assert received["x-ssl-client-i-dn"] == "CN=Staff CA"
    assert received["x-ssl-client-serial"] == show_serial(alice.certificate.serial_number)
    assert received["x-ssl-client-fingerprint"] == alice.certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303 - nginx's own variable
    assert received["x-ssl-client-cert"].startswith("-----BEGIN%20CERTIFICATE-----%0A")
    assert "client-cert" not in received


def test_an_anonymous_client_of_an_optional_site_has_no_identity(start: Start, upstream: str) -> None:
    """The verify result says NONE, all else is absent."""
    port = start(client_certificates=OPTIONAL, upstream=upstream, identity_headers=IdentityHeaders.STANDARD)
    received = dict(seen(Visitor(port)))
    assert {name: value for name, value in received.items() if name.startswith("x-ssl")} == {
        "x-ssl-client-verify": "NONE"
    }


@pytest.mark.parametrize("names", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 60, 110])
def test_rfc_9440_is_the_certificate_byte_for_byte(start: Start, upstream: str, names: int) -> None:
    """Certificates of many sizes, so that their base64 ends at many places of its last line."""
    port = start(upstream=upstream, identity_headers=IdentityHeaders.RFC9440)
    issued = sized(names)
    received = dict(seen(Visitor(port, issued)))
    der = issued.certificate.public_bytes(serialization.Encoding.DER)
    assert received["client-cert"] == f":{base64.b64encode(der).decode()}:"
    assert "x-ssl-client-verify" not in received


def test_a_certificate_beyond_the_limit_has_no_header_rather_than_a_broken_one(start: Start, upstream: str) -> None:
    """Some 4.5 kB are the bound; the client is still admitted."""
    port = start(upstream=upstream, identity_headers=IdentityHeaders.RFC9440)
    assert "client-cert" not in dict(seen(Visitor(port, sized(250))))


def test_the_host_is_the_one_of_the_site(start: Start, upstream: str) -> None:
    """Its port is kept for redirects, anything else is replaced by the name that chose the site."""
    port = start(upstream=upstream)
    visitor = Visitor(port, client(ALICE))
    assert dict(seen(visitor, host=f"panel.test:{port}"))["host"] == f"panel.test:{port}"
    assert dict(seen(visitor, host="PANEL.test"))["host"] in {"panel.test", "PANEL.test"}
    request = "GET https://panel.test/ HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n"
    answer = visitor.send(request)
    assert answer.status in {400, 421} or dict(json.loads(answer.body)["headers"])["host"] == "panel.test"


def test_websockets_are_upgraded_and_nothing_else(start: Start, upstream: str) -> None:
    """The upgrade header passes with its connection header; a smuggling h2c upgrade does not."""
    visitor = Visitor(start(upstream=upstream), client(ALICE))
    plain = dict(seen(visitor))
    assert (plain.get("connection"), plain.get("upgrade")) == (None, None)
    asked = dict(seen(visitor, Upgrade="websocket"))
    assert (asked["connection"], asked["upgrade"]) == ("upgrade", "websocket")
    assert "connection" not in dict(seen(visitor, Upgrade="h2c"))


def test_the_prover_sees_what_an_upstream_sees(start: Start, private_nginx: PrivateNginx) -> None:
    """The probe for headers goes to the socket of the proof, with the same headers as every location."""
    port = start(identity_headers=IdentityHeaders.STANDARD)
    visitor = Visitor(port, client(ALICE))
    path = "/.well-known/counterseal/headers"
    assert visitor.get(path).status == 502
    with echo(private_nginx.base / "run" / "prove.sock"):
        received = spoof(visitor, path)
    assert dict(received)["x-ssl-client-s-dn"] == ALICE
    assert "spoofed" not in dict(received).values()
    assert Visitor(port).get(path).decision == "refused 496"


def test_a_unix_socket_is_an_upstream(start: Start, private_nginx: PrivateNginx) -> None:
    """The path goes through unchanged."""
    socket = private_nginx.base / "run" / "app.sock"
    with echo(socket) as name:
        port = start(upstream=name)
        answer = Visitor(port, client(ALICE)).get("/a//b/%2e?x=%2f")
    assert json.loads(answer.body)["path"] == "/a//b/%2e?x=%2f"


def sized(names: int) -> Issued:
    """Return a client certificate with that many alternative names of 23 octets."""
    issuer, key = authority("staff"), pki_fixtures.key_of("p-256")
    builder = (
        x509.CertificateBuilder()
        .subject_name(client(ALICE).certificate.subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(CERTIFICATE_CREATED)
        .not_valid_after(CERTIFICATE_EXPIRES)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )
    if names:
        general = [x509.DNSName(f"name-{number:03d}.example.test") for number in range(names)]
        builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False)
    return Issued(builder.sign(issuer.private_key, hashes.SHA256()), key)
