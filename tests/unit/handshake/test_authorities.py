"""The CA names in a CertificateRequest, from messages laid out by hand as the RFCs draw them.

That real messages of nginx are read is seen by the broken sites with another CA's file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.handshake.authorities import Listed, listed, read_authorities
from prove_pki import certificate_pem, prove_pki

if TYPE_CHECKING:
    from pki_fixtures import Issued

PKI = prove_pki()
CHAIN = certificate_pem(PKI.good, PKI.client_ca)


def vector(size: int, *parts: bytes) -> bytes:
    """Return the parts after their length in ``size`` bytes (RFC 8446 3.4)."""
    content = b"".join(parts)
    return len(content).to_bytes(size, "big") + content


def names_of(*held: Issued) -> tuple[bytes, ...]:
    """Return the DER names of CAs."""
    return tuple(one.certificate.subject.public_bytes() for one in held)


def request(tls_version: str, names: tuple[bytes, ...] | None) -> bytes:
    """Return a CertificateRequest; without names in 1.3 without the extension that holds them."""
    listing = vector(2, *(vector(2, name) for name in names or ()))
    algorithms = vector(2, b"\x04\x03\x08\x04")
    if tls_version == "1.2":
        body = vector(1, b"\x01\x40") + algorithms + listing  # RFC 5246 7.4.4
    else:
        extensions = [b"\x00\x0d" + vector(2, algorithms)]
        extensions += [] if names is None else [b"\x00\x2f" + vector(2, listing)]
        body = vector(1) + vector(2, *extensions)  # RFC 8446 4.3.2
    return b"\x0d" + vector(3, body)


@pytest.mark.parametrize("tls_version", ["1.2", "1.3"])
@pytest.mark.parametrize("held", [(), (PKI.root,), (PKI.root, PKI.client_ca)])
def test_the_names_are_read(tls_version: str, held: tuple[Issued, ...]) -> None:
    """None, one and several, in their order."""
    assert read_authorities(request(tls_version, names_of(*held)), tls_version) == names_of(*held)


def test_a_request_without_a_list_names_nobody() -> None:
    """TLS 1.3 leaves the extension out."""
    assert read_authorities(request("1.3", None), "1.3") == ()


@pytest.mark.parametrize("tls_version", ["1.2", "1.3"])
def test_a_request_cut_short_names_nobody(tls_version: str) -> None:
    """However short it is cut, nothing is raised and no half name is returned."""
    message = request(tls_version, names_of(PKI.root, PKI.client_ca))
    assert {read_authorities(message[:length], tls_version) for length in range(len(message))} == {()}


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ((PKI.root, PKI.client_ca), Listed.ROOT),
        ((PKI.root,), Listed.ROOT),
        ((PKI.client_ca,), Listed.ISSUER_ONLY),
        ((PKI.foreign_root,), Listed.NONE),
        ((), None),
    ],
)
def test_what_of_a_chain_is_listed(held: tuple[Issued, ...], expected: Listed | None) -> None:
    """The root decides; a list of others is not ours, and no list says nothing."""
    assert listed(CHAIN, names_of(*held)) is expected


def test_a_chain_that_cannot_be_read_says_nothing() -> None:
    """A damaged chain is no reason to fail while explaining another failure."""
    assert listed(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", (b"x",)) is None
