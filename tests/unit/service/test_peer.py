"""Which certificate a request is believed to come with, and which handshakes the service's TLS lets through."""

from __future__ import annotations

import base64
import ssl
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.requests import Request

from counterseal.errors import InputError
from counterseal.service.peer import shown_certificate
from counterseal.service.tls import admit_clients, server_context
from pki_fixtures import CERTIFICATE_CREATED, make_client, pki
from prove_pki import certificate_pem, key_pem

if TYPE_CHECKING:
    from pathlib import Path

    from pki_fixtures import Issued

DER = b"\x30\x03\x02\x01\x07"
FIELD = f":{base64.b64encode(DER).decode()}:"
ESCAPED = quote(ssl.DER_cert_to_PEM_cert(DER), safe="")


class TLS:
    """A connection whose client has shown a certificate."""

    def getpeercert(self, *, binary_form: bool) -> bytes:
        """Return it."""
        assert binary_form
        return b"from TLS"


def request(*values: str, unix: bool, tls: TLS | None = None) -> Request:
    """Return a request with these Client-Cert headers."""
    headers = [(b"client-cert", value.encode()) for value in values]
    return Request({"type": "http", "headers": headers, "state": {"unix": unix, "tls": tls}})


@pytest.mark.parametrize("value", [FIELD, ESCAPED])
def test_the_header_of_a_trusted_proxy_on_a_unix_socket(value: str) -> None:
    """RFC 9440's form, and nginx's."""
    assert shown_certificate(request(value, unix=True), trusts_proxy=True) == DER


@pytest.mark.parametrize(("unix", "trusted"), [(False, True), (True, False), (False, False)])
def test_the_header_of_anybody_else_is_not_looked_at(*, unix: bool, trusted: bool) -> None:
    """Over TCP never; on a Unix socket not unless the configuration says so. What TLS has counts."""
    assert shown_certificate(request(FIELD, unix=unix), trusts_proxy=trusted) is None
    assert shown_certificate(request(FIELD, unix=unix, tls=TLS()), trusts_proxy=trusted) == b"from TLS"


@pytest.mark.parametrize("values", [(), ("",)])
def test_no_certificate(values: tuple[str, ...]) -> None:
    """A proxy sends the header empty, or not at all."""
    assert shown_certificate(request(*values, unix=True), trusts_proxy=True) is None


@pytest.mark.parametrize("values", [(FIELD, FIELD), (":MAM:",), ("alice",), (":%:",), ("-----BEGIN%20CERTIFICATE",)])
def test_a_header_that_cannot_be_read(values: tuple[str, ...]) -> None:
    """It is an error: a proxy that sends it is set up wrongly, and silence would make the client a stranger."""
    with pytest.raises(InputError) as raised:
        shown_certificate(request(*values, unix=True), trusts_proxy=True)
    assert raised.value.code == "peer.malformed"


def expired() -> Issued:
    """Return a client certificate of long ago."""
    return make_client(pki().client_ca, "old.device", expires=CERTIFICATE_CREATED + timedelta(days=1))


@pytest.mark.parametrize(
    ("shown", "admitted"),
    [
        (lambda: None, True),
        (lambda: pki().client, True),
        (expired, True),
        (lambda: pki().server, False),
        (lambda: pki().lone_client, False),
    ],
    ids=["none", "ours", "expired", "for servers", "of another CA"],
)
def test_the_handshake(tmp_path: Path, *, shown: object, admitted: bool) -> None:
    """No certificate is needed; an expired one gets through, so that it can be answered in words."""
    server = server_context(*files(tmp_path, "server", pki().server, pki().server_ca))
    admit_clients(server, [pki().client_ca.certificate.public_bytes(Encoding.DER)])
    client = ssl.create_default_context(cadata=pki().root.certificate.public_bytes(Encoding.DER))
    issued = shown()  # type: ignore[operator] # made when it is needed
    if issued is not None:
        client.load_cert_chain(*files(tmp_path, "client", issued, pki().client_ca))
    if not admitted:
        with pytest.raises(ssl.SSLError):
            shake_hands(server, client)
        return
    expected = issued and issued.certificate.public_bytes(Encoding.DER)
    assert shake_hands(server, client) == expected


def files(path: Path, name: str, issued: Issued, issuer: Issued) -> tuple[Path, Path]:
    """Write a chain and its key."""
    chain, key = path / f"{name}.pem", path / f"{name}.key"
    chain.write_bytes(certificate_pem(issued, issuer))
    key.write_bytes(key_pem(issued))
    return chain, key


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> bytes | None:
    """Return the certificate that the server has seen at the end of a handshake in memory."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(down, up, server_hostname="server.example.com"),
        server.wrap_bio(up, down, server_side=True),
    ]
    while sides:
        for side in tuple(sides):
            try:
                side.do_handshake()
                sides.remove(side)
            except ssl.SSLWantReadError:
                continue
            if not side.server_side:
                continue
            return side.getpeercert(binary_form=True)
    return None
