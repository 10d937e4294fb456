"""PEM as it is written here, and as the library reads and writes it."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from counterseal.pki.pem import encode_certificates, encode_private_key
from counterseal.pki.pem_writer import pem_block
from pki_fixtures import pki


def test_octets_are_written_as_the_library_writes_the_object() -> None:
    """Lines of 64 characters, and a newline after the last one."""
    certificate = pki().root.certificate
    assert pem_block("CERTIFICATE", certificate.public_bytes(Encoding.DER)) == encode_certificates(certificate)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_certificates_stand_in_their_order(count: int) -> None:
    """None is no octet: an empty file, which callers leave out."""
    given = [pki().root.certificate, pki().client_ca.certificate][:count]
    written = encode_certificates(*given)
    assert (x509.load_pem_x509_certificates(written) if written else []) == given


def test_a_key_is_written_open() -> None:
    """PKCS#8, which nginx and everybody else reads."""
    key = pki().server.private_key
    assert load_pem_private_key(encode_private_key(key), None).public_key() == key.public_key()
